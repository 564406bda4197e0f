/**
 * Owns how far anybody has read of a type: its shared watch, and the watches by which targets catch up. A server that counts lower than one of
 * them was restored from a backup (K48), and the other one may be too low to see it.
 */

import { compareCursors, type Cursor, type TypeKey } from "../machines/messages.ts";

interface Reader {
  readonly cursor: Cursor | null;
}

export class WatchPeers {
  readonly #readers = new Map<TypeKey, Set<Reader>>();
  /** The highest of those that have ended, by type. */
  readonly #left = new Map<TypeKey, Cursor>();

  /** Disposing means that it reads no more; what it has read counts on. */
  join(typeKey: TypeKey, reader: Reader): Disposable {
    const readers = this.#readers.get(typeKey) ?? new Set();
    this.#readers.set(typeKey, readers.add(reader));
    return {
      [Symbol.dispose]: () => {
        readers.delete(reader);
        const left = higher(this.#left.get(typeKey) ?? null, reader.cursor);
        if (left !== null) this.#left.set(typeKey, left);
      },
    };
  }

  /** Of the newest epoch that any of them is in; null: nothing was read. */
  highest(typeKey: TypeKey): Cursor | null {
    let highest = this.#left.get(typeKey) ?? null;
    for (const { cursor } of this.#readers.get(typeKey) ?? []) highest = higher(highest, cursor);
    return highest;
  }
}

function higher(a: Cursor | null, b: Cursor | null): Cursor | null {
  if (a === null || b === null) return a ?? b;
  return compareCursors(a, b) < 0 ? b : a;
}
