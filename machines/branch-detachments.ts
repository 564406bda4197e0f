/**
 * Owns which types of a branch are detached, their verdicts, and the one catch-up that runs.
 *
 * 1. A detached type's position moves only by its catch-up, which reads the watch order from there.
 * 2. A catch-up decides nothing above `live`: verdicts come with the shared watch.
 * 3. A type re-attaches when its position reaches the last refused message; from there to `live` there is nothing to commit.
 * 4. A catch-up that still reads an epoch which the shared watch has left is begun anew, with a list: its versions mean something
 *    else by now.
 * 5. A catch-up starts below one share of the backlog's bound and pauses at another: attached types keep room.
 */

import type { Change, Cursor, TypeKey, WatchEvent, WatchMessage } from "./messages.ts";
import { itemsBytes, sizeOf, type Listed, type TypeBook } from "./branch-book.ts";
import { gapChanges, plainMeaning, unresolved } from "./branch-gap.ts";
import type { BranchIntake } from "./branch-intake.ts";
import { VerdictLog } from "./branch-verdict-log.ts";
import { covers, cursorAt, cursorOf, joined } from "./cursor.ts";

/** What became of a catch-up's message. `held`: the list waits for the shared watch. `crowded`: not accepted, ask again later. */
export type Replayed = "more" | "caughtUp" | "held" | "crowded";

export interface CatchUpStart {
  readonly typeKey: TypeKey;
  /** Null: begin with a list. */
  readonly from: Cursor | null;
  /** How far the shared watch has come, in the newest epoch; null: nowhere yet. */
  readonly seen: Cursor | null;
}

export interface DetachmentOptions {
  readonly intake: BranchIntake;
  readonly backlogBytes: number;
  readonly verdictLogEntries: number;
}

/** Below it a catch-up starts, and a list is admitted whole. */
const reliefShare = 1 / 8;
const catchUpShare = 1 / 2;

export class BranchDetachments {
  readonly #intake: BranchIntake;
  readonly #backlogBytes: number;
  readonly #log: VerdictLog;
  /** In the order in which they catch up. */
  readonly #types = new Set<TypeKey>();
  #catching: TypeBook | null = null;
  /** Which the catch-up reads. */
  #epoch = 0;
  #verdictsLost = 0;

  constructor(options: DetachmentOptions) {
    this.#intake = options.intake;
    this.#backlogBytes = options.backlogBytes;
    this.#log = new VerdictLog(options.verdictLogEntries);
  }

  get types(): ReadonlySet<TypeKey> {
    return this.#types;
  }

  get verdictsLost(): number {
    return this.#verdictsLost;
  }

  get loggedVerdicts(): number {
    return this.#log.size;
  }

  get heldBytes(): number {
    return itemsBytes(this.#catching?.detachment?.held?.items ?? []);
  }

  get catchingUp(): boolean {
    return this.#catching !== null;
  }

  get relieved(): boolean {
    return this.#intake.queue.bytes <= this.#backlogBytes * reliefShare;
  }

  /** When the first of them was detached, monotonic; null when there is none. */
  get oldestMs(): number | null {
    const since = [...this.#types].map((key) => this.#intake.book(key).detachment?.sinceMs ?? Infinity);
    return since.length === 0 ? null : Math.min(...since);
  }

  /** The shared watch's message at `cursor` is not accepted; what it says of writers is kept. `gap`: it leaves some out. */
  refuse(
    book: TypeBook,
    message: { readonly cursor: Cursor; readonly changes: readonly Change[]; readonly gap: boolean },
    nowMs: number,
  ): void {
    const { cursor, changes, gap } = message;
    this.#types.add(book.key);
    book.detachment ??= { refused: cursor, lost: null, held: null, sinceMs: nowMs };
    book.detachment.refused = joined(book.detachment.refused, cursor);
    if (gap) book.detachment.lost = joined(book.detachment.lost, cursor);
    for (const change of changes) this.#logChange(change);
  }

  /** The verdict of an attempt's event will never come: from now on the log is not complete. */
  refuseAttempt(book: TypeBook, base: Cursor, nowMs: number): void {
    this.#types.add(book.key);
    book.detachment ??= { refused: book.live ?? book.position ?? base, lost: null, held: null, sinceMs: nowMs };
    book.detachment.lost = { epoch: Number.POSITIVE_INFINITY, resourceVersion: base.resourceVersion };
  }

  amend(cursor: Cursor, change: Pick<Change, "uid" | "verdict"> & { readonly typeKey: TypeKey }): boolean {
    return this.#log.amend(change.typeKey, cursor, change.uid, change.verdict);
  }

  /** The next type to catch up, if there is one, none does, and there is room. */
  start(): CatchUpStart | null {
    const [key] = this.#types;
    if (key === undefined || this.#catching !== null || !this.relieved) return null;
    const book = this.#intake.book(key);
    this.#catching = book;
    const { position, live } = book;
    const seen = live ?? position;
    this.#epoch = seen?.epoch ?? 0;
    // A position of an older epoch may by now exist in the new one, with another meaning: only a list can tell.
    return { typeKey: key, from: position?.epoch === this.#epoch ? position : null, seen };
  }

  /** The shared watch has left the epoch that the type's catch-up reads, whose stream may say nothing until its versions come again (K48). */
  isOutdated(book: TypeBook): boolean {
    return this.#catching === book && this.#epoch < (book.live?.epoch ?? 0);
  }

  /** The catch-up broke off; `failed`: the other types have their turn first. */
  stop(failed: boolean): void {
    const book = this.#catching;
    this.#catching = null;
    if (book === null || book.detachment === null) return;
    book.detachment.held = null;
    if (!failed) return;
    this.#types.delete(book.key);
    this.#types.add(book.key);
  }

  replay(message: WatchMessage, nowMs: number): Replayed {
    const book = this.#catching;
    const type = message.kind === "observed" ? message.event.type : message.type;
    if (book === null || book.key !== type.key || book.detachment === null) return "caughtUp";
    if (message.epoch < (book.live?.epoch ?? 0)) return "crowded";
    this.#epoch = message.epoch;
    switch (message.kind) {
      case "observed":
        return this.#event(book, message.event, message.epoch, nowMs);
      case "bookmarked":
        return this.#progress(book, cursorOf(message));
      case "listed":
        return this.#list(book, message, nowMs);
      default:
        return message satisfies never;
    }
  }

  /** Settles a held list once the shared watch has passed it: from then on the log has its writers. True if it did. */
  ripen(book: TypeBook, nowMs: number): boolean {
    const held = book.detachment?.held ?? null;
    if (book.detachment === null || held === null || book.position === null) return false;
    if (!covers(book.live, cursorOf(held))) return false;
    book.detachment.held = null;
    this.#acceptGap(book, book.position, held, nowMs);
    this.#reached(book);
    this.#catching = null;
    return true;
  }

  clear(): void {
    this.#log.clear();
    this.#types.clear();
    this.#catching = null;
  }

  #event(book: TypeBook, event: WatchEvent, epoch: number, nowMs: number): Replayed {
    const cursor = cursorAt(event, epoch);
    if (covers(book.position, cursor)) return "more";
    const logged = this.#log.find(book.key, cursor, event.uid);
    const incomplete = covers(book.detachment?.lost ?? null, cursor);
    if (logged === null && !incomplete) return this.#progress(book, cursor);
    const { type, namespace, name, uid, resourceVersion, bytes, atMs } = event;
    const plain = { type, namespace, name, uid, resourceVersion, epoch, verdict: unresolved(), observedAtMs: atMs };
    const change: Change = { ...(logged ?? { ...plain, operation: plainMeaning(event) }), bytes };
    const bytesThen = this.#intake.queue.bytes + sizeOf({ kind: "change", change });
    if (!this.relieved && bytesThen > this.#backlogBytes * catchUpShare) return "crowded";
    if (logged !== null) this.#log.remove(logged);
    this.#intake.accept(book, change, nowMs);
    return this.#reached(book);
  }

  #progress(book: TypeBook, cursor: Cursor): Replayed {
    if (covers(book.position, cursor)) return this.#reached(book);
    if (!covers(book.live, cursor)) return this.#attach(book);
    this.#intake.advance(book, cursor);
    return this.#reached(book);
  }

  #list(book: TypeBook, listed: Listed, nowMs: number): Replayed {
    const cursor = cursorOf(listed);
    if (book.position === null) {
      if (!this.relieved) return "crowded";
      this.#intake.acceptSnapshot(book, { type: listed.type, cursor, items: listed.items }, nowMs);
      return this.#reached(book);
    }
    if (covers(book.position, cursor)) return this.#reached(book);
    if (listed.unbroken) return "more";
    if (!this.relieved) return "crowded";
    if (book.detachment !== null && !covers(book.live, cursor)) {
      book.detachment.held = listed;
      return "held";
    }
    this.#acceptGap(book, book.position, listed, nowMs);
    return this.#reached(book);
  }

  #acceptGap(book: TypeBook, position: Cursor, listed: Listed, nowMs: number): void {
    const cursor = cursorOf(listed);
    const lost = book.detachment?.lost ?? null;
    const logged = this.#log.takeAll(book.key, cursor);
    const complete = position.epoch === cursor.epoch && (lost === null || covers(position, lost));
    const changes = gapChanges({ listed, position, logged, complete });
    this.#intake.acceptRelist(book, { type: listed.type, cursor, items: listed.items }, changes, nowMs);
  }

  #logChange(change: Change): void {
    const evicted = this.#log.add(change);
    if (evicted === null) return;
    this.#verdictsLost++;
    const { detachment } = this.#intake.book(evicted.type.key);
    if (detachment !== null) detachment.lost = joined(detachment.lost, cursorOf(evicted));
  }

  #reached(book: TypeBook): Replayed {
    const refused = book.detachment?.refused;
    return refused === undefined || covers(book.position, refused) ? this.#attach(book) : "more";
  }

  #attach(book: TypeBook): Replayed {
    if (book.live !== null && !covers(book.position, book.live)) this.#intake.advance(book, book.live);
    book.detachment = null;
    this.#types.delete(book.key);
    this.#log.takeAll(book.key, null);
    if (this.#catching === book) this.#catching = null;
    return "caughtUp";
  }
}
