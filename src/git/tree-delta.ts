/**
 * A tree as what has changed in it since it was written last (gitformat-pack, OFS_DELTA): a commit changes one entry in each tree on
 * its path, and deflating all of it again costs many times what the rest of the commit does.
 */

import { crc32 } from "node:zlib";
import type { PackedObject } from "./object.ts";
import { objectIdOf, storedBody, writeEntryHeader } from "./object.ts";
import { writeDistance } from "./pack-entry.ts";

/** What a tree has in common with the one that was written before it. */
export interface TreeBasis {
  readonly id: Buffer;
  readonly length: number;
  /** So many bytes at the beginning, and at the end, are the same; together no more than either of the two has. */
  readonly prefix: number;
  readonly suffix: number;
}

const offsetDeltaCode = 6;
/** One change of a large tree is some 50 bytes; what is longer than this is no such thing. */
const deltaLimitBytes = 256;
/** Git refuses a shorter delta (its DELTA_SIZE_MIN): an empty tree's, which has nothing to copy or to insert. */
const shortestDeltaBytes = 4;

/** Null where the whole tree is not much longer. `distance`: from the basis' entry to the one that this makes, in bytes. */
export function packTreeDelta(body: Buffer, basis: TreeBasis, distance: number): PackedObject | null {
  const inserted = body.length - basis.prefix - basis.suffix;
  if (inserted > deltaLimitBytes || inserted * 2 > body.length) return null;
  const delta = encodeDelta(body, basis);
  if (delta.length < shortestDeltaBytes) return null;
  const stored = storedBody(delta);
  const head = Buffer.alloc(32);
  let at = writeEntryHeader(head, offsetDeltaCode, delta.length);
  at = writeDistance(head, at, distance);
  const entry = Buffer.concat([head.subarray(0, at), stored]);
  return { id: objectIdOf("tree", body), entry, crc: crc32(entry) };
}

function encodeDelta(body: Buffer, { length, prefix, suffix }: TreeBasis): Buffer {
  const delta: number[] = [];
  pushSize(delta, length);
  pushSize(delta, body.length);
  pushCopy(delta, 0, prefix);
  for (let from = prefix; from < body.length - suffix; from += insertLimit) {
    const part = body.subarray(from, Math.min(from + insertLimit, body.length - suffix));
    delta.push(part.length, ...part);
  }
  pushCopy(delta, length - suffix, suffix);
  return Buffer.from(delta);
}

const insertLimit = 127;
const copyLimit = 0xffffff;

function pushSize(into: number[], size: number): void {
  let rest = size;
  for (; rest >= 128; rest = Math.floor(rest / 128)) into.push(128 | (rest % 128));
  into.push(rest);
}

/** An opcode whose bits say which bytes of the offset and of the size follow. */
function pushCopy(into: number[], from: number, size: number): void {
  for (let done = 0; done < size; done += copyLimit) {
    const part = Math.min(copyLimit, size - done);
    const opcodeAt = into.push(0) - 1;
    let opcode = 0x80;
    for (const [bit, byte] of bytesOf(from + done, 4).entries()) if (byte > 0) opcode |= add(into, byte, 1 << bit);
    for (const [bit, byte] of bytesOf(part, 3).entries()) if (byte > 0) opcode |= add(into, byte, 16 << bit);
    into[opcodeAt] = opcode;
  }
}

function add(into: number[], byte: number, bit: number): number {
  into.push(byte);
  return bit;
}

/** The lowest first. */
function bytesOf(value: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => Math.floor(value / 2 ** (8 * at)) % 256);
}
