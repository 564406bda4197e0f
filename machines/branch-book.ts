/** What a branch knows of one type, and how much its entries weigh. */

import type { Change, Cursor, TypeKey, WatchEvent, WatchMessage } from "./messages.ts";
import type { BranchItem } from "./branch-queue.ts";

export type Listed = Extract<WatchMessage, { readonly kind: "listed" }>;

/** `durable <= position`: all up to `position` was accepted, all up to `durable` is in Git. Null: nothing yet. */
export interface TypeBook {
  readonly key: TypeKey;
  durable: Cursor | null;
  position: Cursor | null;
  /** How far the shared watch has come. */
  live: Cursor | null;
  /** Null: attached to the shared watch. */
  detachment: Detachment | null;
  /** Its files are to be compared at the next list, since something else wrote them. */
  outOfFormat: boolean;
}

export interface Detachment {
  /** The last messages of the shared watch that were refused. */
  refused: Cursor;
  /** Up to here the verdict log is not complete. */
  lost: Cursor | null;
  /** A list of the catch-up that is newer than `live`. */
  held: Listed | null;
  /** Monotonic clock. */
  readonly sinceMs: number;
}

export function newBook(key: TypeKey): TypeBook {
  return { key, durable: null, position: null, live: null, detachment: null, outOfFormat: false };
}

/** Cost of an entry beside its raw bytes: the change, its verdict and strings, in the order of 500 bytes. */
const entryOverheadBytes = 512;
/** Two short strings and their holder. */
const nameBytes = 128;

export function sizeOf(item: BranchItem): number {
  switch (item.kind) {
    case "change":
      return entryOverheadBytes + item.change.bytes.length;
    case "snapshot":
    case "format":
      return entryOverheadBytes + itemsBytes(item.items);
    case "resync":
      return entryOverheadBytes + item.present.length * nameBytes;
    case "coverage":
      return entryOverheadBytes + item.time.reasons.reduce((sum, { message }) => sum + nameBytes + message.length, 0);
    default:
      return item satisfies never;
  }
}

export function itemsBytes(items: readonly WatchEvent[]): number {
  return items.reduce((sum, item) => sum + entryOverheadBytes + item.bytes.length, 0);
}

export function relistBytes(items: readonly WatchEvent[], changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + entryOverheadBytes + change.bytes.length, items.length * nameBytes);
}
