/**
 * Owns the changes of one target branch that are accepted and not yet durable, in order.
 *
 * 1. What is flushed is always a prefix; it stays here, unchanged, until it is durable, so that a failed flush can be repeated.
 * 2. Nothing that was accepted is dropped (but by `clear`, when the target is given up).
 * 3. Entries of one group are never split over two flushes: their cursor moves only with the last of them.
 * 4. `bytes` is the sum of the entries' sizes, those in flight included.
 */

import type { BlindTime } from "./blind-time.ts";
import type { Change, Cursor, ResourceType, ResourceVersion, TypeKey, Uid, Verdict, WatchEvent } from "./messages.ts";

/** The same shape as FlushEntry of the CommitPool port. */
export type BranchItem =
  | { readonly kind: "change"; readonly change: Change }
  | {
      readonly kind: "snapshot";
      readonly type: ResourceType;
      readonly cursor: Cursor;
      readonly items: readonly WatchEvent[];
    }
  | {
      readonly kind: "resync";
      readonly type: ResourceType;
      readonly cursor: Cursor;
      readonly present: readonly { readonly namespace: string; readonly name: string }[];
    }
  | {
      readonly kind: "format";
      readonly type: ResourceType;
      readonly cursor: Cursor;
      readonly items: readonly WatchEvent[];
    }
  | { readonly kind: "coverage"; readonly time: BlindTime };

export interface BranchEntry {
  /** Null: of no type, and then `after` is null as well. */
  readonly typeKey: TypeKey | null;
  readonly item: BranchItem;
  /** Where the type stands once this is durable; null: where it stood before. */
  readonly after: Cursor | null;
  /** Entries of one group are adjacent and flushed together; 0: alone. */
  readonly group: number;
  readonly sizeBytes: number;
  /** Monotonic clock. */
  readonly queuedAtMs: number;
}

/** What may be asked of a queue by those who do not own it. */
export type QueueView = Pick<
  BranchQueue,
  "depth" | "waiting" | "bytes" | "waitingBytes" | "oldestMs" | "oldestWaitingMs"
>;

/** An entry belongs to the queue once it is pushed. */
type Slot = { -readonly [Key in keyof BranchEntry]: BranchEntry[Key] };

export class BranchQueue {
  readonly #slots: Slot[] = [];
  /** How many of the first slots are in flight. */
  #flying = 0;
  #bytes = 0;
  #flyingBytes = 0;
  /** The last slot of each type that has one. */
  readonly #last = new Map<TypeKey, Slot>();

  get depth(): number {
    return this.#slots.length;
  }

  /** Entries that wait for a flush, those in flight left out. */
  get waiting(): number {
    return this.depth - this.#flying;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get waitingBytes(): number {
    return this.#bytes - this.#flyingBytes;
  }

  /** When the oldest entry was accepted, or null when there is none. */
  get oldestMs(): number | null {
    return this.#slots[0]?.queuedAtMs ?? null;
  }

  get oldestWaitingMs(): number | null {
    return this.#slots[this.#flying]?.queuedAtMs ?? null;
  }

  push(entry: BranchEntry): void {
    const slot: Slot = entry;
    this.#slots.push(slot);
    if (entry.typeKey !== null) this.#last.set(entry.typeKey, slot);
    this.#bytes += entry.sizeBytes;
  }

  /** Puts an entry before everything that waits, but for entries of its own group, which it follows. */
  pushFront(entry: BranchEntry): void {
    let at = this.#flying;
    while (at < this.#slots.length && this.#slots[at]?.group === entry.group) at++;
    const slot: Slot = entry;
    this.#slots.splice(at, 0, slot);
    if (entry.typeKey !== null) this.#last.set(entry.typeKey, slot);
    this.#bytes += entry.sizeBytes;
  }

  /** Nothing to commit up to `cursor`. False when nothing of the type is queued: then the cursor is durable already. */
  advance(typeKey: TypeKey, cursor: Cursor): boolean {
    const slot = this.#last.get(typeKey);
    if (slot === undefined) return false;
    slot.after = cursor;
    return true;
  }

  /** False when the change is not here or in flight already. Evidence comes some ms late (K37): the search goes backwards. */
  amend(
    key: { readonly typeKey: TypeKey; readonly uid: Uid; readonly resourceVersion: ResourceVersion },
    verdict: Verdict,
  ): boolean {
    for (let at = this.#slots.length - 1; at >= this.#flying; at--) {
      const slot = this.#slots[at];
      if (slot?.typeKey !== key.typeKey || slot.item.kind !== "change") continue;
      const { change } = slot.item;
      if (change.uid !== key.uid || change.resourceVersion !== key.resourceVersion) continue;
      slot.item = { kind: "change", change: { ...change, verdict } };
      return true;
    }
    return false;
  }

  /** The prefix to flush: the one in flight if there is one, else a new one of at least one entry, within the limits but for groups. */
  take(maxEntries: number, maxBytes: number): readonly BranchEntry[] {
    if (this.#flying === 0) {
      let count = 0;
      let bytes = 0;
      for (let at = 0; at < this.#slots.length; at++) {
        const slot = this.#slots[at];
        if (slot === undefined) break;
        const joined = slot.group !== 0 && count > 0 && this.#slots[at - 1]?.group === slot.group;
        if (!joined && count > 0 && (count >= maxEntries || bytes + slot.sizeBytes > maxBytes)) break;
        count++;
        bytes += slot.sizeBytes;
      }
      this.#flying = count;
      this.#flyingBytes = bytes;
    }
    return this.#slots.slice(0, this.#flying);
  }

  /** The prefix in flight is durable. */
  settle(): readonly BranchEntry[] {
    const done = this.#slots.splice(0, this.#flying);
    for (const slot of done) {
      const { typeKey } = slot;
      if (typeKey !== null && this.#last.get(typeKey) === slot) this.#last.delete(typeKey);
    }
    this.#bytes -= this.#flyingBytes;
    this.#flying = 0;
    this.#flyingBytes = 0;
    return done;
  }

  clear(): void {
    this.#slots.length = 0;
    this.#flying = 0;
    this.#bytes = 0;
    this.#flyingBytes = 0;
    this.#last.clear();
  }
}
