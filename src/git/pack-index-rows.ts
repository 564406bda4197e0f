/** A pack's index, version 2 (gitformat-pack), from what stands in the pack. */

import { hash } from "node:crypto";

/** What the index says of each object, in any order. */
export interface IndexRows {
  readonly count: number;
  idAt(row: number): Buffer;
  /** Of the entry. */
  crcAt(row: number): number;
  offsetAt(row: number): number;
}

export function rowsOf(
  objects: readonly { readonly id: Buffer; readonly crc: number }[],
  offsets: readonly number[],
): IndexRows {
  const objectAt = (row: number): { readonly id: Buffer; readonly crc: number } => {
    const object = objects[row];
    if (object === undefined) throw new RangeError(`an index has no row ${row}`);
    return object;
  };
  return {
    count: objects.length,
    idAt: (row) => objectAt(row).id,
    crcAt: (row) => objectAt(row).crc,
    offsetAt: (row) => offsets[row] ?? 0,
  };
}

/** What does not fit into 31 bits stands in a table of its own. */
const largeOffset = 0x80000000;

export function encodePackIndex(rows: IndexRows, packChecksum: Buffer): Buffer {
  const { count } = rows;
  const order = sortedById(rows);
  let large = 0;
  for (let row = 0; row < count; row++) if (rows.offsetAt(row) >= largeOffset) large++;
  const size = 8 + 1024 + count * 28 + large * 8 + 40;
  const index = Buffer.alloc(size);
  index.writeUInt32BE(0xff744f63, 0);
  index.writeUInt32BE(2, 4);
  const ids = 8 + 1024;
  const crcs = ids + count * 20;
  const offsets = crcs + count * 4;
  let largeAt = 0;
  const fanout = new Uint32Array(256);
  for (let at = 0; at < count; at++) {
    const row = order[at] ?? 0;
    const id = rows.idAt(row);
    const offset = rows.offsetAt(row);
    const first = id[0] ?? 0;
    fanout[first] = (fanout[first] ?? 0) + 1;
    id.copy(index, ids + at * 20);
    index.writeUInt32BE(rows.crcAt(row), crcs + at * 4);
    if (offset < largeOffset) index.writeUInt32BE(offset, offsets + at * 4);
    else {
      index.writeUInt32BE(largeOffset + largeAt, offsets + at * 4);
      index.writeBigUInt64BE(BigInt(offset), offsets + count * 4 + largeAt * 8);
      largeAt++;
    }
  }
  let total = 0;
  for (const [first, number] of fanout.entries()) index.writeUInt32BE((total += number), 8 + first * 4);
  packChecksum.copy(index, size - 40);
  hash("sha1", index.subarray(0, size - 20), "buffer").copy(index, size - 20);
  return index;
}

/** Numbers sort many times faster than buffers: 32 bits of the id and 21 of the row fit into a double. */
const fastSortLimit = 1 << 21;

function sortedById(rows: IndexRows): Uint32Array {
  const { count } = rows;
  const order = Uint32Array.from({ length: count }, (_, row) => row);
  const byId = (a: number, b: number): number => Buffer.compare(rows.idAt(a), rows.idAt(b));
  if (count > fastSortLimit) return order.sort(byId);
  const keys = new Float64Array(count);
  for (let row = 0; row < count; row++) keys[row] = rows.idAt(row).readUInt32BE(0) * fastSortLimit + row;
  keys.sort();
  let collides = false;
  for (let at = 0; at < count; at++) {
    order[at] = (keys[at] ?? 0) % fastSortLimit;
    if (at > 0 && !collides && startsAlike(keys[at - 1] ?? 0, keys[at] ?? 0)) collides = true;
  }
  return collides ? order.sort(byId) : order;
}

/** Ids that begin with the same 32 bits stand in the order of their rows. */
function startsAlike(key: number, next: number): boolean {
  return Math.floor(key / fastSortLimit) === Math.floor(next / fastSortLimit);
}
