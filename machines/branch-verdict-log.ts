/**
 * Owns the verdicts of changes that a detached branch saw and could not queue. The API server replays bytes, never verdicts.
 *
 * 1. At most `capacity` entries; the oldest of all types go first, and the caller learns which.
 * 2. An entry is found by (type, epoch, resourceVersion, uid): the uid tells two changes of a relist apart that bear its version.
 */

import { cursorOf } from "./cursor.ts";
import { compareCursors, type Change, type Cursor, type TypeKey, type Uid, type Verdict } from "./messages.ts";

/** A change whose bytes were let go. */
export type LoggedChange = Omit<Change, "bytes">;

export class VerdictLog {
  readonly #capacity: number;
  /** In order of arrival: a Map keeps it, and replacing a value does not change it. */
  readonly #entries = new Map<string, LoggedChange>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns the entry that had to go for it, if one had to. */
  add(change: Change): LoggedChange | null {
    const { bytes: _bytes, ...logged } = change;
    this.#entries.set(keyOf(change.type.key, cursorOf(change), change.uid), logged);
    if (this.#entries.size <= this.#capacity) return null;
    for (const [key, oldest] of this.#entries) {
      this.#entries.delete(key);
      return oldest;
    }
    return null;
  }

  find(typeKey: TypeKey, cursor: Cursor, uid: Uid): LoggedChange | null {
    return this.#entries.get(keyOf(typeKey, cursor, uid)) ?? null;
  }

  remove(change: LoggedChange): void {
    this.#entries.delete(keyOf(change.type.key, cursorOf(change), change.uid));
  }

  amend(typeKey: TypeKey, cursor: Cursor, uid: Uid, verdict: Verdict): boolean {
    const key = keyOf(typeKey, cursor, uid);
    const found = this.#entries.get(key);
    if (found === undefined) return false;
    this.#entries.set(key, { ...found, verdict });
    return true;
  }

  /** Removes a type's entries up to `through` (all when null) and returns them in order of arrival. Looks at the whole log: rare. */
  takeAll(typeKey: TypeKey, through: Cursor | null): readonly LoggedChange[] {
    const taken: LoggedChange[] = [];
    for (const [key, change] of this.#entries) {
      if (change.type.key !== typeKey || (through !== null && compareCursors(cursorOf(change), through) > 0)) continue;
      this.#entries.delete(key);
      taken.push(change);
    }
    return taken;
  }

  clear(): void {
    this.#entries.clear();
  }
}

function keyOf(typeKey: TypeKey, cursor: Cursor, uid: Uid): string {
  return `${typeKey} ${cursor.epoch} ${cursor.resourceVersion} ${uid}`;
}
