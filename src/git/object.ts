/** A git object as it stands in a packfile: its id, and its entry (header and deflated body). */

import { hash } from "node:crypto";
import { constants, crc32, deflateSync } from "node:zlib";
import { writeDistance } from "./pack-entry.ts";

export type ObjectType = "commit" | "tree" | "blob";

export interface PackedObject {
  /** 20 bytes. */
  readonly id: Buffer;
  /** Header and deflated body. */
  readonly entry: Buffer;
  readonly crc: number;
}

const offsetDeltaCode = 6;
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

export interface DeltaPlace {
  /** Of the delta, before it was deflated. */
  readonly size: number;
  /** From the entry of its base to this one, in bytes. */
  readonly distance: number;
}

export function deltaEntryOf(deflated: Buffer, { size, distance }: DeltaPlace): Buffer {
  const head = Buffer.alloc(32);
  const end = writeDistance(head, writeEntryHeader(head, offsetDeltaCode, size), distance);
  return Buffer.concat([head.subarray(0, end), deflated]);
}

function packEntryOf(type: ObjectType, body: Uint8Array): Buffer {
  const stored = type === "tree" && body.length <= storedTreeBytes;
  const deflated = stored ? storedBody(body) : deflateBody(body);
  const entry = Buffer.allocUnsafe(headerSizeOf(body.length) + deflated.length);
  deflated.copy(entry, writeEntryHeader(entry, typeCodes[type], body.length));
  return entry;
}

/** A tree is mostly ids, which cannot be made shorter: deflate takes three times what all the rest does. `git gc` makes up for it. */
const storedTreeBytes = 4096;

/** As zlib writes what it leaves as it is (RFC 1950, 1951); at most 65,535 bytes. */
export function storedBody(body: Uint8Array): Buffer {
  const stored = Buffer.allocUnsafe(body.length + 11);
  stored.writeUIntBE(0x780101, 0, 3);
  stored.writeUInt16LE(body.length, 3);
  stored.writeUInt16LE(~body.length & 0xffff, 5);
  stored.set(body, 7);
  stored.writeUInt32BE(adler32(body), body.length + 7);
  return stored;
}

/** RFC 1950. The sums of 64 KB are exact in a double. */
function adler32(body: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of body) {
    a += byte;
    b += a;
  }
  return (b % 65521) * 65536 + (a % 65521);
}

/** For small bodies a small window: zlib clears its tables on every call, which costs more than deflating 1.5 KB. */
const smallBodyBytes = 4096;

export function deflateBody(body: Uint8Array): Buffer {
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

function writeEntryHeader(into: Buffer, typeCode: number, size: number): number {
  let rest = Math.floor(size / 16);
  let byte = (typeCode << 4) | (size % 16);
  let at = 0;
  while (rest > 0) {
    into[at++] = byte | 0x80;
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  into[at++] = byte;
  return at;
}
