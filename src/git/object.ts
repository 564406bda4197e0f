/**
 * A git object as it stands in a packfile: its id, and its entry (header and deflated body). Every entry is whole, never a
 * delta, so that packs can be joined without inflating anything.
 */

import { hash } from "node:crypto";
import { constants, crc32, deflateSync } from "node:zlib";

export type ObjectType = "commit" | "tree" | "blob";

export interface PackedObject {
  /** 20 bytes. */
  readonly id: Buffer;
  /** Header and deflated body. */
  readonly entry: Buffer;
  readonly crc: number;
}

const typeCodes = { commit: 1, tree: 2, blob: 3 } as const;

export function packObject(type: ObjectType, body: Uint8Array): PackedObject {
  const entry = packEntryOf(type, body);
  return { id: objectIdOf(type, body), entry, crc: crc32(entry) };
}

/** SHA-1 over `type SP size NUL body`. */
export function objectIdOf(type: ObjectType | "tag", body: Uint8Array): Buffer {
  const header = Buffer.from(`${type} ${body.length}\0`, "latin1");
  return hash("sha1", Buffer.concat([header, body]), "buffer");
}

function packEntryOf(type: ObjectType, body: Uint8Array): Buffer {
  const deflated = deflateBody(body);
  const entry = Buffer.allocUnsafe(headerSizeOf(body.length) + deflated.length);
  deflated.copy(entry, writeHeader(entry, type, body.length));
  return entry;
}

/** For small bodies a small window: zlib clears its tables on every call, which costs more than deflating 1.5 KB. */
const smallBodyBytes = 4096;

function deflateBody(body: Uint8Array): Buffer {
  const chunkSize = Math.max(64, body.length + (body.length >> 8) + 32);
  return body.length <= smallBodyBytes
    ? deflateSync(body, { level: constants.Z_BEST_SPEED, windowBits: 12, memLevel: 5, chunkSize })
    : deflateSync(body, { level: constants.Z_BEST_SPEED, chunkSize: Math.min(chunkSize, 1 << 20) });
}

/** gitformat-pack: 4 bits of the size with the type, then 7 bits a byte, the lowest first. */
function headerSizeOf(size: number): number {
  let bytes = 1;
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function writeHeader(into: Buffer, type: ObjectType, size: number): number {
  let rest = Math.floor(size / 16);
  let byte = (typeCodes[type] << 4) | (size % 16);
  let at = 0;
  while (rest > 0) {
    into[at++] = byte | 0x80;
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  into[at++] = byte;
  return at;
}
