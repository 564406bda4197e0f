/**
 * A tree as what has changed in it since it was written last (gitformat-pack, OFS_DELTA): a commit changes one entry in each tree on
 * its path, and deflating all of it again costs many times what the rest of the commit does.
 */

import { crc32 } from "node:zlib";
import { DeltaEncoder, shortestDeltaBytes } from "./delta.ts";
import { deltaEntryOf, objectIdOf, type PackedObject, storedBody } from "./object.ts";

/** What a tree has in common with the one that was written before it. */
export interface TreeBasis {
  readonly id: Buffer;
  readonly length: number;
  /** So many bytes at the beginning, and at the end, are the same; together no more than either of the two has. */
  readonly prefix: number;
  readonly suffix: number;
}

/** One change of a large tree is some 50 bytes; what is longer than this is no such thing. */
const deltaLimitBytes = 256;

/** Null where the whole tree is not much longer. `distance`: from the basis' entry to the one that this makes, in bytes. */
export function packTreeDelta(body: Buffer, basis: TreeBasis, distance: number): PackedObject | null {
  const inserted = body.length - basis.prefix - basis.suffix;
  if (inserted > deltaLimitBytes || inserted * 2 > body.length) return null;
  const delta = encodeDelta(body, basis);
  if (delta.length < shortestDeltaBytes) return null;
  const entry = deltaEntryOf(storedBody(delta), { size: delta.length, distance });
  return { id: objectIdOf("tree", body), entry, crc: crc32(entry) };
}

function encodeDelta(body: Buffer, { length, prefix, suffix }: TreeBasis): Buffer {
  const delta = new DeltaEncoder(length, body.length);
  delta.copy(0, prefix);
  delta.insert(body.subarray(prefix, body.length - suffix));
  delta.copy(length - suffix, suffix);
  return delta.bytes();
}
