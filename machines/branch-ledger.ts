/**
 * Owns the bookkeeping of one target branch: how far it is in each type, what waits for Git, and which types are detached.
 * For each type `durable <= position`: everything up to `position` was accepted, everything up to `durable` is in Git.
 *
 * 1. A message at or below its type's position is skipped: what is accepted is accepted once.
 * 2. Nothing accepted is dropped. When there is no room, the type *detaches*: nothing more is accepted from the shared watch,
 *    its verdicts go to the log, and `position` moves only by the type's catch-up, which reads the same order from there.
 * 3. Nothing above what the shared watch has shown (`live`) is decided by a catch-up: verdicts come with the shared watch.
 * 4. A type re-attaches when its position reaches the last refused message; from there to `live` there is nothing to commit.
 * 5. One catch-up at a time, within a part of the backlog's bound, so that it cannot crowd out attached types.
 */

import { compareCursors, type BranchMessage, type Change, type Cursor, type ResourceType } from "./messages.ts";
import type { TypeKey, WatchEvent, WatchMessage } from "./messages.ts";
import { gapChanges, plainMeaning, unresolved } from "./branch-gap.ts";
import { BranchQueue, entryOverheadBytes, type BranchEntry, type BranchItem } from "./branch-queue.ts";
import { cursorOf, VerdictLog } from "./branch-verdict-log.ts";

export interface LedgerOptions {
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  /** Types whose first lists share the first commit, if there are no cursors at all. */
  readonly expected: readonly TypeKey[];
  readonly backlogBytes: number;
  readonly verdictLogEntries: number;
  readonly flushChanges: number;
  readonly flushBytes: number;
}

/** What became of a message of the shared watch. `settled`: it also ended the wait of a list that a catch-up held back. */
export type Receipt = "skipped" | "advanced" | "queued" | "logged" | "settled" | "amended" | "late";

/** What became of a catch-up's message. `held`: the list waits for the shared watch. `crowded`: not accepted, ask again later. */
export type Replayed = "more" | "caught-up" | "held" | "crowded";

export interface CatchUpStart {
  readonly typeKey: TypeKey;
  /** Null: begin with a list. */
  readonly from: Cursor | null;
  readonly epoch: number;
}

type Listed = Extract<WatchMessage, { readonly kind: "listed" }>;

interface Detachment {
  /** The last refused message. */
  refused: Cursor;
  /** Up to here the log is not complete. */
  lost: Cursor | null;
  /** A list that is newer than `live`. */
  held: Listed | null;
  readonly sinceMs: number;
}

interface TypeBook {
  readonly key: TypeKey;
  durable: Cursor | null;
  position: Cursor | null;
  /** How far the shared watch has come. */
  live: Cursor | null;
  detachment: Detachment | null;
}

/** A catch-up begins when the backlog is below one 8th, and pauses at a half: lists are admitted whole below the former. */
const reliefShare = 1 / 8;
const catchUpShare = 1 / 2;
const firstGroup = 1;

export class BranchLedger {
  readonly #options: LedgerOptions;
  readonly #queue = new BranchQueue();
  readonly #log: VerdictLog;
  readonly #books = new Map<TypeKey, TypeBook>();
  readonly #awaited: Set<TypeKey>;
  /** In the order in which they catch up. */
  readonly #detached = new Set<TypeKey>();
  #catching: TypeBook | null = null;
  #lastGroup = firstGroup;
  #verdictsLost = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#log = new VerdictLog(options.verdictLogEntries);
    this.#awaited = new Set(options.cursors.size === 0 ? options.expected : []);
    for (const [key, cursor] of options.cursors) {
      this.#books.set(key, { key, durable: cursor, position: cursor, live: null, detachment: null });
    }
  }

  get queue(): Omit<BranchQueue, "push" | "pushSnapshot" | "take" | "settle" | "advance" | "amend" | "clear"> {
    return this.#queue;
  }

  /** First lists are still awaited: a flush would split the first snapshot. */
  get holding(): boolean {
    return this.#awaited.size > 0;
  }

  get detachedTypes(): ReadonlySet<TypeKey> {
    return this.#detached;
  }

  /** Verdicts that were pushed out of the log, ever. */
  get verdictsLost(): number {
    return this.#verdictsLost;
  }

  get loggedVerdicts(): number {
    return this.#log.size;
  }

  /** Bytes of accepted entries and of a list that is held back. */
  get bytes(): number {
    return this.#queue.bytes + itemsBytes(this.#catching?.detachment?.held?.items ?? []);
  }

  /** Enough is waiting for a full flush. */
  get full(): boolean {
    return this.#queue.waiting >= this.#options.flushChanges || this.#queue.waitingBytes >= this.#options.flushBytes;
  }

  /** When the oldest change was seen that is not durable, queued or detached; null when there is none. */
  get oldestMs(): number | null {
    let oldest = this.#queue.oldestMs;
    for (const key of this.#detached) {
      const since = this.#books.get(key)?.detachment?.sinceMs ?? null;
      if (since !== null && (oldest === null || since < oldest)) oldest = since;
    }
    return oldest;
  }

  cursorOf(typeKey: TypeKey): Cursor | undefined {
    return this.#books.get(typeKey)?.durable ?? undefined;
  }

  cursors(): ReadonlyMap<TypeKey, Cursor> {
    const cursors = new Map<TypeKey, Cursor>();
    for (const { key, durable } of this.#books.values()) if (durable !== null) cursors.set(key, durable);
    return cursors;
  }

  /** Flush what there is: the first lists that are missing get commits of their own. */
  stopHolding(): void {
    this.#awaited.clear();
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
      default:
        return message satisfies never;
    }
  }

  /** The prefix to flush (the same one until it is settled) and where each type stands after it. */
  take(): { readonly entries: readonly BranchEntry[]; readonly cursors: ReadonlyMap<TypeKey, Cursor> } {
    const entries = this.#queue.take(this.#options.flushChanges, this.#options.flushBytes);
    const cursors = new Map(this.cursors());
    for (const { typeKey, after } of entries) if (after !== null) cursors.set(typeKey, after);
    return { entries, cursors };
  }

  settle(): readonly BranchEntry[] {
    const entries = this.#queue.settle();
    for (const { typeKey, after } of entries) if (after !== null) this.#book(typeKey).durable = after;
    return entries;
  }

  /** Gives up: lets go of everything but the durable cursors. */
  clear(): void {
    this.#queue.clear();
    this.#log.clear();
    this.#awaited.clear();
    this.#detached.clear();
    this.#catching = null;
  }

  /** The next type to catch up, if there is one and there is room. */
  startCatchUp(): CatchUpStart | null {
    const [key] = this.#detached;
    if (key === undefined || this.#catching !== null || !this.relieved) return null;
    const book = this.#book(key);
    this.#catching = book;
    const { position, live } = book;
    const epoch = live?.epoch ?? position?.epoch ?? 0;
    // A position of an older epoch may by now exist in the new one, with another meaning: only a list can tell.
    return { typeKey: key, from: position?.epoch === epoch ? position : null, epoch };
  }

  get relieved(): boolean {
    return this.#queue.bytes <= this.#options.backlogBytes * reliefShare;
  }

  /** The catch-up broke off; `failed`: the other types have their turn first. */
  stopCatchUp(failed: boolean): void {
    const book = this.#catching;
    this.#catching = null;
    if (book?.detachment == null) return;
    book.detachment.held = null;
    if (!failed) return;
    this.#detached.delete(book.key);
    this.#detached.add(book.key);
  }

  /** A message of the running catch-up. */
  replay(message: WatchMessage, nowMs: number): Replayed {
    const book = this.#catching;
    const type = message.kind === "observed" ? message.event.type : message.type;
    if (book === null || book.key !== type.key || book.detachment === null) return "caught-up";
    switch (message.kind) {
      case "observed":
        return this.#replayEvent(book, message.event, message.epoch, nowMs);
      case "bookmarked":
        return this.#replayProgress(book, cursorOf(message));
      case "listed":
        return this.#replayList(book, message, nowMs);
      default:
        return message satisfies never;
    }
  }

  /** Whether a catch-up is under way: false after the message that ended it. */
  get catchingUp(): boolean {
    return this.#catching !== null;
  }

  #changed(change: Change, nowMs: number): Receipt {
    const book = this.#book(change.type.key);
    const cursor = cursorOf(change);
    if (isAtOrBelow(cursor, book.position) || isAtOrBelow(cursor, book.live)) return "skipped";
    book.live = cursor;
    const item: BranchItem = { kind: "change", change };
    // A type without a position begins with a list; where the shared watch has none for this target, a catch-up makes one.
    if (book.detachment !== null || book.position === null || !this.#hasRoom(sizeOf(item))) {
      this.#refuse(book, cursor, [change], nowMs);
      return this.#ripen(book, nowMs) ? "settled" : "logged";
    }
    this.#accept(book, item, cursor, nowMs);
    return "queued";
  }

  #progressed(typeKey: TypeKey, cursor: Cursor, nowMs: number): Receipt {
    const book = this.#book(typeKey);
    if (isAtOrBelow(cursor, book.position) || isAtOrBelow(cursor, book.live)) return "skipped";
    book.live = cursor;
    if (book.position === null && book.detachment === null) {
      this.#refuse(book, cursor, [], nowMs);
      return "logged";
    }
    if (book.detachment !== null) return this.#ripen(book, nowMs) ? "settled" : "advanced";
    this.#advance(book, cursor);
    return "advanced";
  }

  #relisted(message: Extract<BranchMessage, { readonly kind: "relisted" }>, nowMs: number): Receipt {
    const { type, cursor, items, changes } = message;
    const book = this.#book(type.key);
    if (isAtOrBelow(cursor, book.position) || isAtOrBelow(cursor, book.live)) return "skipped";
    book.live = cursor;
    const first = book.position === null;
    const bytes = first ? itemsBytes(items) : relistBytes(items, changes);
    if (book.detachment !== null || !this.#hasRoom(bytes)) {
      this.#refuse(book, cursor, changes, nowMs);
      if (book.detachment !== null) book.detachment.lost = cursor;
      return this.#ripen(book, nowMs) ? "settled" : "logged";
    }
    if (first) this.#acceptSnapshot(book, { kind: "snapshot", type, cursor, items }, nowMs);
    else this.#acceptRelist(book, { type, cursor, items, changes }, nowMs);
    return "queued";
  }

  #amended(message: Extract<BranchMessage, { readonly kind: "amended" }>): Receipt {
    if (this.#queue.amend(message, message.verdict)) return "amended";
    const cursor: Cursor = {
      epoch: this.#books.get(message.typeKey)?.live?.epoch ?? 0,
      resourceVersion: message.resourceVersion,
    };
    return this.#log.amend(message.typeKey, cursor, message.uid, message.verdict) ? "amended" : "late";
  }

  #replayEvent(book: TypeBook, event: WatchEvent, epoch: number, nowMs: number): Replayed {
    const cursor: Cursor = { epoch, resourceVersion: event.resourceVersion };
    if (isAtOrBelow(cursor, book.position)) return "more";
    if (!isAtOrBelow(cursor, book.live)) return this.#attach(book);
    const logged = this.#log.find(book.key, cursor, event.uid);
    const incomplete = isAtOrBelow(cursor, book.detachment?.lost ?? null);
    const operation = logged?.operation ?? (incomplete ? plainMeaning(event) : null);
    if (operation === null) return this.#replayProgress(book, cursor);
    const { type, namespace, name, uid, resourceVersion, bytes, atMs } = event;
    const plain = { type, namespace, name, uid, resourceVersion, epoch, verdict: unresolved(), observedAtMs: atMs };
    const change: Change = { ...(logged ?? plain), operation, bytes };
    const item: BranchItem = { kind: "change", change };
    if (!this.relieved && this.#queue.bytes + sizeOf(item) > this.#options.backlogBytes * catchUpShare) return "crowded";
    if (logged !== null) this.#log.remove(logged);
    this.#accept(book, item, cursor, nowMs);
    return this.#reached(book);
  }

  #replayProgress(book: TypeBook, cursor: Cursor): Replayed {
    if (isAtOrBelow(cursor, book.position)) return this.#reached(book);
    if (!isAtOrBelow(cursor, book.live)) return this.#attach(book);
    this.#advance(book, cursor);
    return this.#reached(book);
  }

  #replayList(book: TypeBook, listed: Listed, nowMs: number): Replayed {
    const cursor = cursorOf(listed);
    if (book.position === null) {
      if (!this.relieved) return "crowded";
      const items = listed.items;
      this.#acceptSnapshot(book, { kind: "snapshot", type: listed.type, cursor, items }, nowMs);
      return this.#reached(book);
    }
    if (isAtOrBelow(cursor, book.position)) return this.#reached(book);
    if (listed.unbroken) return "more";
    if (!this.relieved) return "crowded";
    if (book.detachment !== null && !isAtOrBelow(cursor, book.live)) {
      book.detachment.held = listed;
      return "held";
    }
    this.#acceptGap(book, book.position, listed, nowMs);
    return this.#reached(book);
  }

  /** Settles a list that was held back, once the shared watch has passed it: from then on the log has its writers. */
  #ripen(book: TypeBook, nowMs: number): boolean {
    const held = book.detachment?.held ?? null;
    if (book.detachment === null || held === null || book.position === null) return false;
    if (!isAtOrBelow(cursorOf(held), book.live)) return false;
    book.detachment.held = null;
    this.#acceptGap(book, book.position, held, nowMs);
    if (this.#reached(book) === "more") this.#catching = null;
    return true;
  }

  #acceptGap(book: TypeBook, position: Cursor, listed: Listed, nowMs: number): void {
    const cursor = cursorOf(listed);
    const lost = book.detachment?.lost ?? null;
    const changes = gapChanges({
      listed,
      position,
      logged: this.#log.takeAll(book.key, cursor),
      complete: lost === null || isAtOrBelow(lost, position),
    });
    this.#acceptRelist(book, { type: listed.type, cursor, items: listed.items, changes }, nowMs);
  }

  #acceptRelist(
    book: TypeBook,
    list: { type: ResourceType; cursor: Cursor; items: readonly WatchEvent[]; changes: readonly Change[] },
    nowMs: number,
  ): void {
    const { type, cursor, items, changes } = list;
    const group = ++this.#lastGroup;
    for (const change of changes) this.#push(book, { kind: "change", change }, { after: null, group, nowMs });
    const present = items
      .filter((item) => !item.terminating)
      .map(({ namespace, name }) => ({ namespace, name }));
    this.#push(book, { kind: "resync", type, cursor, present }, { after: cursor, group, nowMs });
    book.position = cursor;
  }

  #acceptSnapshot(book: TypeBook, item: Extract<BranchItem, { readonly kind: "snapshot" }>, nowMs: number): void {
    const shared = this.#awaited.delete(book.key);
    const entry = entryOf(book, item, { after: item.cursor, group: shared ? firstGroup : 0, nowMs });
    if (shared) this.#queue.pushSnapshot(entry);
    else this.#queue.push(entry);
    book.position = item.cursor;
  }

  #accept(book: TypeBook, item: BranchItem, cursor: Cursor, nowMs: number): void {
    this.#push(book, item, { after: cursor, group: 0, nowMs });
    book.position = cursor;
  }

  #push(book: TypeBook, item: BranchItem, place: { after: Cursor | null; group: number; nowMs: number }): void {
    this.#queue.push(entryOf(book, item, place));
  }

  #advance(book: TypeBook, cursor: Cursor): void {
    book.position = cursor;
    if (!this.#queue.advance(book.key, cursor)) book.durable = cursor;
  }

  #refuse(book: TypeBook, cursor: Cursor, changes: readonly Change[], nowMs: number): void {
    this.#detached.add(book.key);
    if (book.detachment === null) book.detachment = { refused: cursor, lost: null, held: null, sinceMs: nowMs };
    else book.detachment.refused = cursor;
    for (const change of changes) this.#logChange(change);
  }

  #logChange(change: Change): void {
    const evicted = this.#log.add(change);
    if (evicted === null) return;
    this.#verdictsLost++;
    const detachment = this.#books.get(evicted.type.key)?.detachment;
    if (detachment == null) return;
    const cursor = cursorOf(evicted);
    if (!isAtOrBelow(cursor, detachment.lost)) detachment.lost = cursor;
  }

  #reached(book: TypeBook): Replayed {
    const refused = book.detachment?.refused;
    return refused === undefined || isAtOrBelow(refused, book.position) ? this.#attach(book) : "more";
  }

  #attach(book: TypeBook): Replayed {
    if (book.live !== null && !isAtOrBelow(book.live, book.position)) this.#advance(book, book.live);
    book.detachment = null;
    this.#detached.delete(book.key);
    this.#log.takeAll(book.key, null);
    if (this.#catching === book) this.#catching = null;
    return "caught-up";
  }

  /** An entry larger than the whole bound is admitted alone: it could never be otherwise. */
  #hasRoom(bytes: number): boolean {
    if (this.#queue.depth === 0 || this.#queue.bytes + bytes <= this.#options.backlogBytes) return true;
    this.stopHolding();
    return false;
  }

  #book(key: TypeKey): TypeBook {
    const known = this.#books.get(key);
    if (known !== undefined) return known;
    const book: TypeBook = { key, durable: null, position: null, live: null, detachment: null };
    this.#books.set(key, book);
    return book;
  }
}

function isAtOrBelow(cursor: Cursor, mark: Cursor | null): boolean {
  return mark !== null && compareCursors(cursor, mark) <= 0;
}

function entryOf(
  book: TypeBook,
  item: BranchItem,
  place: { readonly after: Cursor | null; readonly group: number; readonly nowMs: number },
): BranchEntry {
  const { after, group, nowMs } = place;
  return { typeKey: book.key, item, after, group, sizeBytes: sizeOf(item), queuedAtMs: nowMs };
}

function sizeOf(item: BranchItem): number {
  switch (item.kind) {
    case "change":
      return entryOverheadBytes + item.change.bytes.length;
    case "snapshot":
      return entryOverheadBytes + itemsBytes(item.items);
    case "resync":
      return entryOverheadBytes + item.present.length * nameBytes;
    default:
      return item satisfies never;
  }
}

/** Two short strings and their holder. */
const nameBytes = 128;

function itemsBytes(items: readonly WatchEvent[]): number {
  return items.reduce((sum, item) => sum + entryOverheadBytes + item.bytes.length, 0);
}

function relistBytes(items: readonly WatchEvent[], changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + entryOverheadBytes + change.bytes.length, items.length * nameBytes);
}
