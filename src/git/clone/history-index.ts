/**
 * Which commits are about which resource: some 24 bytes for each, so that a question reads the commits it needs and no others.
 * Plain data; `index-file.ts` keeps it, `read-history.ts` makes it.
 *
 * 1. Entries are in the order of the history, the oldest first. 2. An entry names one commit and one key; a commit that changed many files
 * (a snapshot) has one for each.
 */

import { keyOfText, type RecordKey } from "./record-key.ts";

export interface HistoryIndex {
  /** Texts of `record-key.ts`. */
  readonly keys: readonly string[];
  /** `idBytes` for each entry. */
  readonly ids: Buffer;
  /** For each entry, which of the keys. */
  readonly keyAt: Uint32Array;
}

/** Of SHA-1. */
export const idBytes = 20;

export const emptyIndex: HistoryIndex = { keys: [], ids: Buffer.alloc(0), keyAt: new Uint32Array(0) };

export interface IndexEntry {
  /** Place in the history: a later one is newer. */
  readonly at: number;
  /** Hex. */
  readonly id: string;
  readonly key: RecordKey;
}

export interface NewEntry {
  /** Hex. */
  readonly id: string;
  readonly key: string;
}

/** `entries`: the oldest first, all of them newer than what the index has. */
export function extended(index: HistoryIndex, entries: readonly NewEntry[]): HistoryIndex {
  if (entries.length === 0) return index;
  const keys = [...index.keys];
  const places = new Map(keys.map((key, at) => [key, at]));
  const before = index.keyAt.length;
  const ids = Buffer.alloc((before + entries.length) * idBytes);
  const keyAt = new Uint32Array(before + entries.length);
  index.ids.copy(ids);
  keyAt.set(index.keyAt);
  for (const [offset, { id, key }] of entries.entries()) {
    let place = places.get(key);
    if (place === undefined) {
      place = keys.push(key) - 1;
      places.set(key, place);
    }
    ids.write(id, (before + offset) * idBytes, "hex");
    keyAt[before + offset] = place;
  }
  return { keys, ids, keyAt };
}

/** The newest for each group that a key may belong to; null: to none. */
export function newestOf(
  index: HistoryIndex,
  groupOf: (key: RecordKey) => string | null,
): ReadonlyMap<string, IndexEntry> {
  const keys = index.keys.map(keyOfText);
  const groups = keys.map(groupOf);
  const found = new Map<string, IndexEntry>();
  for (let at = index.keyAt.length - 1; at >= 0; at--) {
    const place = index.keyAt[at] ?? -1;
    const key = keys[place];
    const group = groups[place] ?? null;
    if (key === undefined || group === null || found.has(group)) continue;
    found.set(group, { at, id: idAt(index, at), key });
  }
  return found;
}

/** Those whose key is wanted, the newest first. */
export function entriesOf(index: HistoryIndex, wanted: (key: RecordKey) => boolean): readonly IndexEntry[] {
  const keys = index.keys.map((text) => {
    const key = keyOfText(text);
    return wanted(key) ? key : null;
  });
  const found: IndexEntry[] = [];
  for (let at = index.keyAt.length - 1; at >= 0; at--) {
    const key = keys[index.keyAt[at] ?? -1];
    if (key === undefined || key === null) continue;
    found.push({ at, id: idAt(index, at), key });
  }
  return found;
}

function idAt({ ids }: HistoryIndex, at: number): string {
  return ids.toString("hex", at * idBytes, (at + 1) * idBytes);
}
