/**
 * One flush on its way to the worker threads: objects' bytes in a few buffers that are transferred, all the rest as one JSON
 * string. Cloning object trees costs 54 us per 2 KB, a string 4 us.
 */

import type { FlushEntry, FlushRequest } from "../../actors/ports.ts";
import type { Cursor, ResourceType, TypeKey } from "../../machines/messages.ts";
import type { Selection } from "../../machines/selection.ts";
import type { ChangeHeader } from "./commit.ts";
import type { SelectionIndex } from "./selection.ts";

/** Objects whose bytes follow each other in `bytes`, for `prepare`. */
export interface Chunk {
  readonly bytes: ArrayBuffer;
  /** JSON of a `ChunkHeader`. */
  readonly header: string;
}

export interface ChunkHeader {
  readonly targetId: string;
  /** Labels are asked for. */
  readonly usesLabels: boolean;
  readonly types: readonly ResourceType[];
  /** Two numbers for each object: index of its type, length of its bytes. */
  readonly objects: readonly number[];
}

/** The entries of a flush without bytes; `item` counts the objects of all chunks, -1 is one that nobody needs. */
export type BatchEntry =
  | { readonly kind: "change"; readonly change: ChangeHeader; readonly item: number }
  | {
      readonly kind: "snapshot";
      readonly type: ResourceType;
      readonly cursor: Cursor;
      readonly items: readonly BatchItem[];
    }
  | {
      readonly kind: "format";
      readonly type: ResourceType;
      readonly cursor: Cursor;
      readonly items: readonly BatchItem[];
    }
  | Extract<FlushEntry, { readonly kind: "resync" | "coverage" }>;

export interface BatchItem {
  readonly namespace: string;
  readonly name: string;
  readonly item: number;
}

export interface BatchHeader {
  readonly targetId: string;
  /** Null: those that came with an earlier flush of this target. */
  readonly selections: readonly Selection[] | null;
  readonly entries: readonly BatchEntry[];
  readonly cursors: readonly (readonly [TypeKey, Cursor])[];
  readonly wantsIds: boolean;
}

const chunkObjects = 128;
const chunkBytes = 1 << 20;

export interface BatchTarget {
  readonly targetId: string;
  readonly index: SelectionIndex;
  readonly selections: BatchHeader["selections"];
}

/** The header of a flush, and its chunks one by one, made when they are asked for: not all copies exist at once. */
export function batchOf(
  request: FlushRequest,
  target: BatchTarget,
): { readonly header: string; readonly chunks: Iterable<Chunk> } {
  const objects: { readonly type: ResourceType; readonly bytes: Uint8Array }[] = [];
  const itemOf = (type: ResourceType, object: { readonly namespace: string; readonly bytes: Uint8Array }): number => {
    if (!target.index.covers(type.key, object.namespace)) return -1;
    return objects.push({ type, bytes: object.bytes }) - 1;
  };
  const itemsOf = ({ type, items }: Extract<FlushEntry, { readonly items: unknown }>): readonly BatchItem[] =>
    items.map((item) => ({ namespace: item.namespace, name: item.name, item: itemOf(type, item) }));
  const entries = request.entries.map((entry): BatchEntry => {
    switch (entry.kind) {
      case "change": {
        const { bytes: _bytes, ...change } = entry.change;
        // Of a deletion that nobody saw there are no bytes.
        const needed = change.operation !== "DELETE" || (target.index.usesLabels && entry.change.bytes.length > 0);
        return { kind: "change", change, item: needed ? itemOf(change.type, entry.change) : -1 };
      }
      case "snapshot":
        return { kind: "snapshot", type: entry.type, cursor: entry.cursor, items: itemsOf(entry) };
      case "format":
        return { kind: "format", type: entry.type, cursor: entry.cursor, items: itemsOf(entry) };
      case "resync":
      case "coverage":
        return entry;
      default:
        return entry satisfies never;
    }
  });
  const { targetId, selections } = target;
  const { cursors, wantsIds = false } = request;
  const header: BatchHeader = { targetId, selections, entries, cursors: [...cursors], wantsIds };
  return { header: JSON.stringify(header), chunks: chunksOf(objects, target) };
}

function* chunksOf(
  objects: readonly { readonly type: ResourceType; readonly bytes: Uint8Array }[],
  { targetId, index: { usesLabels } }: BatchTarget,
): Iterable<Chunk> {
  for (let first = 0; first < objects.length;) {
    const types = new Map<ResourceType, number>();
    const numbers: number[] = [];
    let size = 0;
    let end = first;
    for (; end < objects.length && end - first < chunkObjects && (size < chunkBytes || end === first); end++) {
      const object = objects[end];
      if (object === undefined) break;
      if (!types.has(object.type)) types.set(object.type, types.size);
      numbers.push(types.get(object.type) ?? 0, object.bytes.length);
      size += object.bytes.length;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const object of objects.slice(first, end)) {
      bytes.set(object.bytes, at);
      at += object.bytes.length;
    }
    const header: ChunkHeader = { targetId, usesLabels, types: [...types.keys()], objects: numbers };
    yield { bytes: bytes.buffer, header: JSON.stringify(header) };
    first = end;
  }
}
