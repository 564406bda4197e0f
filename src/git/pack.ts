/**
 * Collects the objects of one flush, and writes them as one packfile with its index (gitformat-pack, index version 2).
 *
 * Owns the entries until `writePack`. An object that was added before is not added again: an index must not name an id twice.
 */

import { createHash } from "node:crypto";
import type { FileSystem } from "../../actors/ports.ts";
import { packObject, type ObjectType, type PackedObject } from "./object.ts";
import { encodePackIndex, type IndexRows, rowsOf } from "./pack-index-rows.ts";
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
  const offsets: number[] = [];
  let checksum: Buffer;
  {
    await using stream = await PackStream.create(fs, temporary, builder.count);
    for (const object of builder.objects) {
      offsets.push(stream.offset);
      stream.push(object.entry);
      if (stream.full) await stream.drain();
    }
    checksum = await stream.finish(sync);
  }
  return publishPack({ rows: rowsOf(builder.objects, offsets), checksum }, options);
}

/** Gives a finished temporary pack its index and its name. */
export async function publishPack(
  pack: { readonly rows: IndexRows; readonly checksum: Buffer },
  options: WritePackOptions,
): Promise<string> {
  const { fs, directory, sync } = options;
  const name = `pack-${pack.checksum.toString("hex")}`;
  const temporary = `${directory}/${temporaryPackNames(options.owner).pack}`;
  const temporaryIndex = `${directory}/${temporaryPackNames(options.owner).index}`;
  {
    await using file = await fs.open(temporaryIndex, "create");
    await file.write(encodePackIndex(pack.rows, pack.checksum));
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
