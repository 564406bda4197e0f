/**
 * The bookkeeping of one target branch: what is done with each message of the shared watch, what is flushed next, and how far
 * each type has come. Owns an intake (accepted messages) and the detachments (refused ones).
 *
 * 1. A message that its type's position covers is skipped: what is accepted is accepted once.
 * 2. Nothing accepted is dropped. When there is no room, the type *detaches*: nothing more is accepted from the shared watch
 *    until a catch-up has brought the type there, so what is queued stays a prefix of what the API server can replay.
 * 3. A branch may be opened late, when the shared watch has begun without it. Until then all is refused; and what was said of a type
 *    before the first message that was heard is in nobody's log.
 */

import {
  type BranchMessage,
  type Change,
  compareCursors,
  type Cursor,
  type TypeKey,
  type WatchMessage,
} from "./messages.ts";
import { itemsBytes, relistBytes, sizeOf, type TypeBook } from "./branch-book.ts";
import { BranchDetachments, type CatchUpStart, type Replayed } from "./branch-detachments.ts";
import { relistChanges } from "./branch-gap.ts";
import { type BranchContent, BranchIntake, type IntakeOptions, type TypeList } from "./branch-intake.ts";
import type { BranchEntry, QueueView } from "./branch-queue.ts";
import { covers, cursorOf, joined } from "./cursor.ts";

export interface LedgerOptions extends IntakeOptions {
  readonly verdictLogEntries: number;
  readonly flushChanges: number;
  readonly flushBytes: number;
}

/**
 * What became of a message of the shared watch. `settled`: it also ended the wait of a list that a catch-up held back. `outdated`: it was
 * logged, and the catch-up that runs has to begin anew.
 */
export type Receipt = "skipped" | "advanced" | "queued" | "logged" | "settled" | "outdated" | "amended" | "late";

export class BranchLedger {
  readonly #options: LedgerOptions;
  readonly #intake: BranchIntake;
  readonly #detachments: BranchDetachments;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#intake = new BranchIntake(options);
    this.#detachments = new BranchDetachments({ ...options, intake: this.#intake });
  }

  /** Where that was late: what the branch holds. */
  open(content: BranchContent): void {
    this.#intake.open(content);
  }

  get queue(): QueueView {
    return this.#intake.queue;
  }

  /** First lists are still awaited: a flush would split the first snapshot. */
  get holding(): boolean {
    return this.#intake.holding;
  }

  get outOfFormat(): ReadonlySet<TypeKey> {
    return this.#intake.outOfFormat;
  }

  get detachedTypes(): ReadonlySet<TypeKey> {
    return this.#detachments.types;
  }

  /** Verdicts that were pushed out of the log, ever. */
  get verdictsLost(): number {
    return this.#detachments.verdictsLost;
  }

  get loggedVerdicts(): number {
    return this.#detachments.loggedVerdicts;
  }

  /** Bytes of accepted entries and of a list that is held back. */
  get bytes(): number {
    return this.#intake.queue.bytes + this.#detachments.heldBytes;
  }

  /** Enough is waiting for a full flush. */
  get full(): boolean {
    const { waiting, waitingBytes } = this.#intake.queue;
    return waiting >= this.#options.flushChanges || waitingBytes >= this.#options.flushBytes;
  }

  /** When the oldest change was seen that is not durable, queued or refused; null when there is none. */
  get oldestMs(): number | null {
    const queued = this.#intake.queue.oldestMs;
    const refused = this.#detachments.oldestMs;
    return queued === null || refused === null ? (queued ?? refused) : Math.min(queued, refused);
  }

  /** There is room for a catch-up. */
  get relieved(): boolean {
    return this.#detachments.relieved;
  }

  /** A catch-up runs, or its list is held back. */
  get catchingUp(): boolean {
    return this.#detachments.catchingUp;
  }

  cursorOf(typeKey: TypeKey): Cursor | undefined {
    return this.#intake.book(typeKey).durable ?? undefined;
  }

  cursors(): ReadonlyMap<TypeKey, Cursor> {
    return this.#intake.cursors();
  }

  /** Flush what there is: the first lists that are missing get commits of their own. */
  stopHolding(): void {
    this.#intake.stopHolding();
  }

  receive(message: BranchMessage, nowMs: number): Receipt {
    switch (message.kind) {
      case "changed":
        return this.#changed(message.change, nowMs);
      case "progressed":
        return this.#progressed(message.typeKey, message.cursor, nowMs);
      case "relisted":
        return this.#relisted(message, nowMs);
      case "amended":
        return this.#amended(message);
      case "covered":
        return this.#intake.acceptBlindTime(message.time, nowMs) ? "queued" : "skipped";
      default:
        return message satisfies never;
    }
  }

  /** A list that is not of the shared watch, at the branch's own cursor: how the files of a type that is out of format should be. */
  compare(list: TypeList, nowMs: number): Receipt {
    const book = this.#intake.book(list.type.key);
    return book.outOfFormat && this.#reformatted(book, list, nowMs) ? "queued" : "skipped";
  }

  /** The prefix to flush (the same one until it is settled) and where each type stands after it. */
  take(): { readonly entries: readonly BranchEntry[]; readonly cursors: ReadonlyMap<TypeKey, Cursor> } {
    const entries = this.#intake.queue.take(this.#options.flushChanges, this.#options.flushBytes);
    const cursors = this.#intake.cursors();
    for (const { typeKey, after } of entries) if (typeKey !== null && after !== null) cursors.set(typeKey, after);
    return { entries, cursors };
  }

  /** What was taken is durable. */
  settle(): readonly BranchEntry[] {
    return this.#intake.settle();
  }

  startCatchUp(): CatchUpStart | null {
    return this.#detachments.start();
  }

  stopCatchUp(failed: boolean): void {
    this.#detachments.stop(failed);
  }

  /** A message of the running catch-up. */
  replay(message: WatchMessage, nowMs: number): Replayed {
    return this.#detachments.replay(message, nowMs);
  }

  /** Gives up: lets go of everything but the durable cursors. */
  clear(): void {
    this.#intake.clear();
    this.#detachments.clear();
  }

  #changed(change: Change, nowMs: number): Receipt {
    const book = this.#intake.book(change.type.key);
    if (change.verdict.tier === "dual") return this.#attempted(book, change, nowMs);
    const cursor = cursorOf(change);
    const heard = this.#heard(book, cursor);
    if (heard === "known") return "skipped";
    const gap = heard === "gap";
    // A type without a position begins with a list; where the shared watch has none for this target, a catch-up makes one.
    if (
      book.detachment === null &&
      book.position !== null &&
      !gap &&
      this.#intake.hasRoom(sizeOf({ kind: "change", change }))
    ) {
      this.#intake.accept(book, change, nowMs);
      return "queued";
    }
    this.#detachments.refuse(book, { cursor, changes: [change], gap }, nowMs);
    return this.#detachments.ripen(book, nowMs) ? "settled" : "logged";
  }

  /** An attempt bears its base as version: it says nothing of how far the watch has come, and is never old. */
  #attempted(book: TypeBook, change: Change, nowMs: number): Receipt {
    if (book.detachment === null && this.#intake.hasRoom(sizeOf({ kind: "change", change }))) {
      this.#intake.acceptAttempt(book, change, nowMs);
      return "queued";
    }
    this.#detachments.refuseAttempt(book, cursorOf(change), nowMs);
    return "logged";
  }

  #progressed(typeKey: TypeKey, cursor: Cursor, nowMs: number): Receipt {
    const book = this.#intake.book(typeKey);
    const heard = this.#heard(book, cursor);
    if (heard === "known") return "skipped";
    const gap = heard === "gap";
    if (book.detachment !== null) {
      // It may be the event of an attempt that was refused, held back as the attempt's double.
      if (covers(book.detachment.lost, cursor)) book.detachment.refused = joined(book.live, cursor);
      return this.#detachments.ripen(book, nowMs) ? "settled" : "advanced";
    }
    if (book.position !== null && !gap) {
      this.#intake.advance(book, cursor);
      return "advanced";
    }
    this.#detachments.refuse(book, { cursor, changes: [], gap }, nowMs);
    return "logged";
  }

  #relisted(message: Extract<BranchMessage, { readonly kind: "relisted" }>, nowMs: number): Receipt {
    const { type, cursor, items } = message;
    const book = this.#intake.book(type.key);
    const rewritten = book.outOfFormat && book.detachment === null && this.#reformatted(book, message, nowMs);
    const heard = this.#heard(book, cursor);
    if (heard === "known") return rewritten ? "queued" : "skipped";
    const { position, detachment } = book;
    const changes = position === null ? null : relistChanges(message, position);
    const bytes = changes === null ? itemsBytes(items) : relistBytes(items, changes);
    // A catch-up gives each change in the gap a commit of its own.
    const skipped = heard === "gap" && position !== null;
    if (detachment === null && !skipped && this.#intake.hasRoom(bytes)) {
      if (changes === null) this.#intake.acceptSnapshot(book, message, nowMs);
      else this.#intake.acceptRelist(book, message, changes, nowMs);
      return "queued";
    }
    this.#detachments.refuse(book, { cursor, changes: message.changes, gap: true }, nowMs);
    if (this.#detachments.ripen(book, nowMs)) return "settled";
    return this.#detachments.isOutdated(book) ? "outdated" : "logged";
  }

  /** Notes how far the shared watch has come. `gap`: it began above the branch, before that was open. */
  #heard(book: TypeBook, cursor: Cursor): "news" | "gap" | "known" {
    const first = this.#options.cursors === null && book.live === null;
    const known = covers(book.position, cursor) || covers(book.live, cursor);
    if (first || !known) book.live = joined(book.live, cursor);
    return known ? "known" : first ? "gap" : "news";
  }

  /**
   * What a list shows as the branch has it: nothing newer than its position, and of no list that is older. The rest has changed since,
   * and comes as changes. Without room it waits for another list.
   */
  #reformatted(book: TypeBook, list: TypeList, nowMs: number): boolean {
    const { position } = book;
    const { type, cursor } = list;
    if (position === null || position.epoch !== cursor.epoch || !covers(cursor, position)) return false;
    const items = list.items.filter(({ resourceVersion, terminating }) => {
      return !terminating && compareCursors({ epoch: cursor.epoch, resourceVersion }, position) <= 0;
    });
    if (!this.#intake.hasRoom(itemsBytes(items))) return false;
    this.#intake.acceptFormat(book, { type, cursor: position, items }, nowMs);
    return true;
  }

  #amended(message: Extract<BranchMessage, { readonly kind: "amended" }>): Receipt {
    const { typeKey, resourceVersion, verdict } = message;
    if (this.#intake.queue.amend(message, verdict)) return "amended";
    const cursor: Cursor = { epoch: this.#intake.book(typeKey).live?.epoch ?? 0, resourceVersion };
    return this.#detachments.amend(cursor, message) ? "amended" : "late";
  }
}
