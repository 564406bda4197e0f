/**
 * Owns what a branch has accepted: the queue, and how far each type has come.
 *
 * 1. `position` moves when something is accepted, `durable` when it is settled; both only go up.
 * 2. The differences of a list are one group: its cursor holds only after the last of them.
 * 3. The first snapshots of a new target stand together at the front: they share the first commit. So do the first lists of types
 *    that are out of format.
 * 4. Nothing is accepted before it is known what the branch holds.
 */

import { addTime, type BlindTime } from "./blind-time.ts";
import type { Change, Cursor, ResourceType, TypeKey, WatchEvent } from "./messages.ts";
import { newBook, sizeOf, type TypeBook } from "./branch-book.ts";
import { cursorOf, joined } from "./cursor.ts";
import { BranchQueue, type BranchEntry, type BranchItem } from "./branch-queue.ts";

/** What a branch holds already. */
export interface BranchContent {
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  /** Default none. */
  readonly outOfFormat?: ReadonlySet<TypeKey>;
}

export interface IntakeOptions extends Omit<BranchContent, "cursors"> {
  /** Null: that is not known yet, and `open` will tell. */
  readonly cursors: ReadonlyMap<TypeKey, Cursor> | null;
  /** Types whose first lists share the first commit, if there are no cursors at all; else those of `outOfFormat` do. */
  readonly expected: readonly TypeKey[];
  readonly backlogBytes: number;
}

export interface TypeList {
  readonly type: ResourceType;
  readonly cursor: Cursor;
  readonly items: readonly WatchEvent[];
}

const firstGroup = 1;

export class BranchIntake {
  readonly queue = new BranchQueue();
  readonly #backlogBytes: number;
  readonly #expected: readonly TypeKey[];
  readonly #books = new Map<TypeKey, TypeBook>();
  /** Not in the queue yet: the branch is not open, or has no room. */
  readonly #blindTimes: BlindTime[] = [];
  #blindSinceMs = 0;
  #awaited = new Set<TypeKey>();
  #lastGroup = firstGroup;
  #isOpen = false;

  constructor({ cursors, expected, backlogBytes, outOfFormat = new Set() }: IntakeOptions) {
    this.#backlogBytes = backlogBytes;
    this.#expected = expected;
    if (cursors !== null) this.open({ cursors, outOfFormat });
  }

  /** Once. */
  open({ cursors, outOfFormat = new Set() }: BranchContent): void {
    this.#isOpen = true;
    this.#awaited = new Set(cursors.size === 0 ? this.#expected : outOfFormat);
    for (const [key, cursor] of cursors) {
      const book = this.book(key);
      book.durable = cursor;
      book.position = cursor;
      book.outOfFormat = outOfFormat.has(key);
    }
    this.#takeBlindTimes();
  }

  get holding(): boolean {
    return this.#awaited.size > 0;
  }

  stopHolding(): void {
    this.#awaited.clear();
  }

  book(key: TypeKey): TypeBook {
    const known = this.#books.get(key);
    if (known !== undefined) return known;
    const book = newBook(key);
    this.#books.set(key, book);
    return book;
  }

  get outOfFormat(): ReadonlySet<TypeKey> {
    return new Set([...this.#books.values()].flatMap(({ key, outOfFormat }) => (outOfFormat ? [key] : [])));
  }

  /** Of the durable ones. */
  cursors(): Map<TypeKey, Cursor> {
    const cursors = new Map<TypeKey, Cursor>();
    for (const { key, durable } of this.#books.values()) if (durable !== null) cursors.set(key, durable);
    return cursors;
  }

  /** An entry larger than the whole bound is admitted alone: it could never be otherwise. Without room, a hold is over. */
  hasRoom(bytes: number): boolean {
    if (!this.#isOpen) return false;
    if (this.queue.depth === 0 || this.queue.bytes + bytes <= this.#backlogBytes) return true;
    this.stopHolding();
    return false;
  }

  accept(book: TypeBook, change: Change, nowMs: number): void {
    book.position = joined(book.position, cursorOf(change));
    this.queue.push(entryOf(book, { kind: "change", change }, { after: book.position, group: 0, nowMs }));
  }

  /** Moves no cursor: what an attempt became, if anything, the watch will say. */
  acceptAttempt(book: TypeBook, change: Change, nowMs: number): void {
    this.queue.push(entryOf(book, { kind: "change", change }, { after: null, group: 0, nowMs }));
  }

  /** What is being deleted has no file (K33). */
  acceptSnapshot(book: TypeBook, { type, cursor, items: all }: TypeList, nowMs: number): void {
    const items = all.filter(({ terminating }) => !terminating);
    const shared = this.#awaited.delete(book.key);
    const place = { after: cursor, group: shared ? firstGroup : 0, nowMs };
    const entry = entryOf(book, { kind: "snapshot", type, cursor, items }, place);
    if (shared) this.queue.pushFront(entry);
    else this.queue.push(entry);
    book.position = cursor;
  }

  acceptRelist(book: TypeBook, { type, cursor, items }: TypeList, changes: readonly Change[], nowMs: number): void {
    const group = ++this.#lastGroup;
    for (const change of changes)
      this.queue.push(entryOf(book, { kind: "change", change }, { after: null, group, nowMs }));
    const present = items.filter(({ terminating }) => !terminating).map(({ namespace, name }) => ({ namespace, name }));
    this.queue.push(entryOf(book, { kind: "resync", type, cursor, present }, { after: cursor, group, nowMs }));
    book.position = cursor;
  }

  /** Moves no cursor: nobody changed anything. */
  acceptFormat(book: TypeBook, list: TypeList, nowMs: number): void {
    const shared = this.#awaited.delete(book.key);
    const entry = entryOf(book, { kind: "format", ...list }, { after: null, group: shared ? firstGroup : 0, nowMs });
    if (shared) this.queue.pushFront(entry);
    else this.queue.push(entry);
    book.outOfFormat = false;
  }

  /** Stands where it came among the changes, but for want of room. False: it waits. */
  acceptBlindTime(time: BlindTime, nowMs: number): boolean {
    if (this.#blindTimes.length === 0) this.#blindSinceMs = nowMs;
    addTime(this.#blindTimes, time);
    this.#takeBlindTimes();
    return this.#blindTimes.length === 0;
  }

  /** Nothing to commit up to `cursor`. */
  advance(book: TypeBook, cursor: Cursor): void {
    book.position = joined(book.position, cursor);
    if (!this.queue.advance(book.key, book.position)) book.durable = book.position;
  }

  settle(): readonly BranchEntry[] {
    const entries = this.queue.settle();
    for (const { typeKey, after } of entries)
      if (typeKey !== null && after !== null) this.book(typeKey).durable = after;
    this.#takeBlindTimes();
    return entries;
  }

  clear(): void {
    this.queue.clear();
    this.#awaited.clear();
    this.#blindTimes.length = 0;
  }

  #takeBlindTimes(): void {
    const nowMs = this.#blindSinceMs;
    for (let next = this.#blindTimes[0]; next !== undefined; next = this.#blindTimes[0]) {
      const entry = entryOf(null, { kind: "coverage", time: next }, { after: null, group: 0, nowMs });
      if (!this.hasRoom(entry.sizeBytes)) return;
      this.queue.push(entry);
      this.#blindTimes.shift();
    }
  }
}

/** `book` null: of no type. */
function entryOf(
  book: TypeBook | null,
  item: BranchItem,
  place: { readonly after: Cursor | null; readonly group: number; readonly nowMs: number },
): BranchEntry {
  const { after, group, nowMs } = place;
  return { typeKey: book?.key ?? null, item, after, group, sizeBytes: sizeOf(item), queuedAtMs: nowMs };
}
