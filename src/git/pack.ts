/**
 * Collects the objects of one flush, and writes them as one packfile with its index (gitformat-pack, index version 2).
 *
 * Owns the entries until `writePack`. An object that was added before is not added again: an index must not name an id twice.
 */

import { createHash, hash } from "node:crypto";
import type { FileSystem } from "../../actors/ports.ts";
import { packObject, type ObjectType, type PackedObject } from "./object.ts";
import { packTreeDelta, type TreeBasis } from "./tree-delta.ts";

/** A tree that is read costs one read for each of these. */
const deltaDepth = 32;

interface Placed {
  readonly offset: number;
  readonly depth: number;
}

export class PackBuilder {
  /** By id. */
  readonly #placed = new Map<string, Placed>();
  readonly #objects: PackedObject[] = [];
  #sizeBytes = 0;

  get count(): number {
    return this.#objects.length;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get objects(): readonly PackedObject[] {
    return this.#objects;
  }

  /** Deflates `body`; returns its id. */
  add(type: ObjectType, body: Uint8Array): Buffer {
    const object = packObject(type, body);
    this.addPacked(object);
    return object.id;
  }

  /** The tree as a delta, where its basis is in this pack. */
  addTree(body: Buffer, basis: TreeBasis | null): Buffer {
    const placed = basis === null ? undefined : this.#placed.get(keyOf(basis.id));
    if (basis === null || placed === undefined || placed.depth === deltaDepth) return this.add("tree", body);
    const object = packTreeDelta(body, basis, this.#offset - placed.offset);
    if (object === null) return this.add("tree", body);
    this.#place(object, placed.depth + 1);
    return object.id;
  }

  addPacked(object: PackedObject): void {
    this.#place(object, 0);
  }

  /** Where the next entry begins. */
  get #offset(): number {
    return packHeaderBytes + this.#sizeBytes;
  }

  #place(object: PackedObject, depth: number): void {
    const key = keyOf(object.id);
    if (this.#placed.has(key)) return;
    this.#placed.set(key, { offset: this.#offset, depth });
    this.#objects.push(object);
    this.#sizeBytes += object.entry.length;
  }
}

const packHeaderBytes = 12;

function keyOf(id: Buffer): string {
  return id.toString("latin1", 0, 20);
}

export interface PackIndexEntry {
  readonly id: Buffer;
  readonly crc: number;
  readonly offset: number;
}

export interface WritePackOptions {
  readonly fs: FileSystem;
  /** `objects/pack` of the repository. */
  readonly directory: string;
  /** fsync before each rename. */
  readonly sync: boolean;
  /** Tells temporary files of several targets apart. */
  readonly owner: string;
  /** Told before the pack gets its name: a crash between the two renames leaves a pack that no reader sees. */
  readonly announce: (name: string) => Promise<void>;
}

export function temporaryPackNames(owner: string): { readonly pack: string; readonly index: string } {
  return { pack: `tmp_pack_kubescribe_${owner}`, index: `tmp_idx_kubescribe_${owner}` };
}

/**
 * Writes `tmp_pack_*` and `tmp_idx_*` (names that git itself clears away), renames the pack first and the index last: a
 * reader looks for indexes. Returns the name without its ending: `pack-<checksum>`.
 */
export async function writePack(builder: PackBuilder, options: WritePackOptions): Promise<string> {
  const { fs, directory, sync } = options;
  const temporary = `${directory}/${temporaryPackNames(options.owner).pack}`;
  const entries: PackIndexEntry[] = [];
  let checksum: Buffer;
  {
    await using stream = await PackStream.create(fs, temporary, builder.count);
    for (const object of builder.objects) {
      entries.push({ id: object.id, crc: object.crc, offset: stream.offset });
      stream.push(object.entry);
      if (stream.full) await stream.drain();
    }
    checksum = await stream.finish(sync);
  }
  return publishPack({ entries, checksum }, options);
}

/** Gives a finished temporary pack its index and its name. */
export async function publishPack(
  pack: { readonly entries: readonly PackIndexEntry[]; readonly checksum: Buffer },
  options: WritePackOptions,
): Promise<string> {
  const { fs, directory, sync } = options;
  const name = `pack-${pack.checksum.toString("hex")}`;
  const temporary = `${directory}/${temporaryPackNames(options.owner).pack}`;
  const temporaryIndex = `${directory}/${temporaryPackNames(options.owner).index}`;
  {
    await using file = await fs.open(temporaryIndex, "create");
    await file.write(encodePackIndex(pack.entries, pack.checksum));
    if (sync) await file.sync();
  }
  await options.announce(name);
  await fs.rename(temporary, `${directory}/${name}.pack`);
  await fs.rename(temporaryIndex, `${directory}/${name}.idx`);
  if (sync) await fs.syncDirectory(directory);
  return name;
}

const blockBytes = 1 << 20;

/** A packfile on its way to the disk, in blocks of 1 MiB, with its running checksum. */
export class PackStream implements AsyncDisposable {
  readonly #file: Awaited<ReturnType<FileSystem["open"]>>;
  readonly #sha = createHash("sha1");
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  offset = 0;

  private constructor(file: Awaited<ReturnType<FileSystem["open"]>>) {
    this.#file = file;
  }

  static async create(fs: FileSystem, path: string, count: number): Promise<PackStream> {
    const stream = new PackStream(await fs.open(path, "create"));
    const header = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
    header.writeUInt32BE(count, 8);
    stream.push(header);
    return stream;
  }

  get full(): boolean {
    return this.#pendingBytes >= blockBytes;
  }

  push(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.offset += bytes.length;
  }

  async drain(): Promise<void> {
    const block = Buffer.concat(this.#pending, this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#sha.update(block);
    await this.#file.write(block);
  }

  /** Returns the checksum. */
  async finish(sync: boolean): Promise<Buffer> {
    await this.drain();
    const checksum = this.#sha.digest();
    await this.#file.write(checksum);
    if (sync) await this.#file.sync();
    return checksum;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }
}

export function encodePackIndex(entries: readonly PackIndexEntry[], packChecksum: Buffer): Buffer {
  const order = sortedById(entries);
  const large = entries.filter((entry) => entry.offset >= 0x80000000).length;
  const count = entries.length;
  const size = 8 + 1024 + count * 28 + large * 8 + 40;
  const index = Buffer.alloc(size);
  index.writeUInt32BE(0xff744f63, 0);
  index.writeUInt32BE(2, 4);
  const ids = 8 + 1024;
  const crcs = ids + count * 20;
  const offsets = crcs + count * 4;
  let largeAt = 0;
  const fanout = new Uint32Array(256);
  for (const [at, entry] of order.entries()) {
    const first = entry.id[0] ?? 0;
    fanout[first] = (fanout[first] ?? 0) + 1;
    entry.id.copy(index, ids + at * 20);
    index.writeUInt32BE(entry.crc, crcs + at * 4);
    if (entry.offset < 0x80000000) index.writeUInt32BE(entry.offset, offsets + at * 4);
    else {
      index.writeUInt32BE(0x80000000 + largeAt, offsets + at * 4);
      index.writeBigUInt64BE(BigInt(entry.offset), offsets + count * 4 + largeAt * 8);
      largeAt++;
    }
  }
  let total = 0;
  for (const [first, number] of fanout.entries()) index.writeUInt32BE((total += number), 8 + first * 4);
  packChecksum.copy(index, size - 40);
  hash("sha1", index.subarray(0, size - 20), "buffer").copy(index, size - 20);
  return index;
}

/** Numbers sort many times faster than buffers: 32 bits of the id and 21 of the position fit into a double. */
const fastSortLimit = 1 << 21;

function sortedById(entries: readonly PackIndexEntry[]): readonly PackIndexEntry[] {
  const byId = (a: PackIndexEntry, b: PackIndexEntry): number => Buffer.compare(a.id, b.id);
  if (entries.length > fastSortLimit) return entries.toSorted(byId);
  const keys = Float64Array.from(entries, (entry, at) => entry.id.readUInt32BE(0) * fastSortLimit + at);
  keys.sort();
  const sorted: PackIndexEntry[] = [];
  let collision = false;
  for (const key of keys) {
    const entry = entries[key % fastSortLimit];
    if (entry === undefined) continue;
    const previous = sorted.at(-1);
    if (previous !== undefined && Buffer.compare(previous.id, entry.id) > 0) collision = true;
    sorted.push(entry);
  }
  return collision ? sorted.toSorted(byId) : sorted;
}
