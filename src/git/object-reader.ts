/**
 * Reads objects of a repository in any state that stock git leaves it in: loose, or packed with deltas (gitformat-pack).
 *
 * Owns the indexes of the packs it has met, within `indexCacheBytes`, and open files only for the time of one call.
 * 1. A pack that vanished (`git gc`) is forgotten, and the directory is listed again, before an object counts as missing.
 * isomorphic-git could read all this too, but keeps whole packs in memory and awaits streams that no port can stand for.
 */

import { inflateSync } from "node:zlib";
import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { isMissing, listIfAny, readIfAny, readTextIfAny, sizeIfAny } from "./files.ts";
import { applyDelta } from "./delta.ts";
import { decodeEntryHeader } from "./pack-entry.ts";
import { PackIndex } from "./pack-index.ts";

export interface GitObject {
  readonly type: string;
  readonly body: Buffer;
}

const indexCacheBytes = 64 << 20;
/** git's own default is 50; packs of other tools may go to 4095. */
const deltaDepth = 4096;

export class ObjectReader {
  readonly #fs: FileSystem;
  readonly #objectDirectories: readonly string[];
  readonly #indexes = new Map<string, PackIndex>();
  #indexBytes = 0;

  private constructor(fs: FileSystem, objectDirectories: readonly string[]) {
    this.#fs = fs;
    this.#objectDirectories = objectDirectories;
  }

  static async open(fs: FileSystem, gitDirectory: string): Promise<ObjectReader> {
    const own = `${gitDirectory}/objects`;
    const alternates = (await readTextIfAny(fs, `${own}/info/alternates`)) ?? "";
    const others = alternates.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new ObjectReader(fs, [own, ...others.map((path) => (path.startsWith("/") ? path : `${own}/${path}`))]);
  }

  async readTree(id: string): Promise<Buffer> {
    return (await this.read(id, "tree")).body;
  }

  async read(id: string, type: string): Promise<GitObject> {
    const object = (await this.find(id)) ?? (await this.find(id));
    if (object?.type === type) return object;
    throw new KubescribeError(
      "git-object-missing",
      `the repository should hold the ${type} ${id} and holds ${object === null ? "no such object" : `a ${object.type}`}: ` +
        "run git fsck in it, and fetch what is missing from a clone",
      { retry: "backoff" },
    );
  }

  /** Which pack of the repository itself has the object (`pack-<checksum>`), and where; null: none of them. */
  async locate(id: string): Promise<{ readonly pack: string; readonly offset: number } | null> {
    const directory = `${this.#objectDirectories[0] ?? ""}/pack`;
    const binaryId = Buffer.from(id, "hex");
    for (const [path, index] of this.#indexes) {
      const offset = path.startsWith(`${directory}/`) ? index.find(binaryId) : -1;
      if (offset >= 0) return { pack: path.slice(directory.length + 1), offset };
    }
    const listed = (await listIfAny(this.#fs, directory)).filter((name) => /^pack-.*\.idx$/.test(name));
    for (const path of listed.map((name) => `${directory}/${name.slice(0, -4)}`)) {
      const offset = (await this.#indexOf(path))?.find(binaryId) ?? -1;
      if (offset >= 0) return { pack: path.slice(directory.length + 1), offset };
    }
    return null;
  }

  async find(id: string): Promise<GitObject | null> {
    for (const directory of this.#objectDirectories) {
      const object = (await this.#findPacked(directory, id)) ?? (await this.#findLoose(directory, id));
      if (object !== null) return object;
    }
    return null;
  }

  async #findLoose(directory: string, id: string): Promise<GitObject | null> {
    const bytes = await readIfAny(this.#fs, `${directory}/${id.slice(0, 2)}/${id.slice(2)}`);
    if (bytes === null) return null;
    const object = inflateSync(bytes);
    const end = object.indexOf(0);
    return { type: object.toString("latin1", 0, object.indexOf(0x20)), body: object.subarray(end + 1) };
  }

  async #findPacked(directory: string, id: string): Promise<GitObject | null> {
    const binaryId = Buffer.from(id, "hex");
    // There may be a thousand: only the one that has it is waited for.
    for (const [path, index] of this.#indexes) {
      if (!path.startsWith(`${directory}/`) || index.find(binaryId) < 0) continue;
      const object = await this.#readFrom(path, binaryId);
      if (object !== null) return object;
    }
    for (const name of await listIfAny(this.#fs, `${directory}/pack`)) {
      if (!name.endsWith(".idx") || !name.startsWith("pack-")) continue;
      const path = `${directory}/pack/${name.slice(0, -4)}`;
      if (this.#indexes.has(path)) continue;
      const object = await this.#readFrom(path, binaryId);
      if (object !== null) return object;
    }
    return null;
  }

  async #readFrom(path: string, id: Buffer): Promise<GitObject | null> {
    try {
      const index = await this.#indexOf(path);
      const offset = index?.find(id) ?? -1;
      if (index === null || offset < 0) return null;
      await using file = await this.#fs.open(`${path}.pack`, "read");
      return await this.#readEntry({ file, index }, offset, 0);
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#forget(path);
      return null;
    }
  }

  async #readEntry(pack: OpenPack, offset: number, depth: number): Promise<GitObject> {
    if (depth > deltaDepth) throw new RangeError("deltas of a pack lie too deep");
    const window = Buffer.alloc(pack.index.entryEnd(offset) - offset);
    const filled = await pack.file.read(window, offset);
    const { type, base, bodyAt } = decodeEntryHeader(window.subarray(0, filled), offset);
    const body = inflateSync(window.subarray(bodyAt, filled));
    switch (base.kind) {
      case "none":
        return { type, body };
      case "offset": {
        const object = await this.#readEntry(pack, base.offset, depth + 1);
        return { type: object.type, body: applyDelta(object.body, body) };
      }
      case "id": {
        const at = pack.index.find(base.id);
        const object = at < 0 ? await this.find(base.id.toString("hex")) : await this.#readEntry(pack, at, depth + 1);
        if (object === null) throw new RangeError(`the base ${base.id.toString("hex")} of a delta is missing`);
        return { type: object.type, body: applyDelta(object.body, body) };
      }
      default:
        return base satisfies never;
    }
  }

  async #indexOf(path: string): Promise<PackIndex | null> {
    const known = this.#indexes.get(path);
    if (known !== undefined) return known;
    const bytes = await readIfAny(this.#fs, `${path}.idx`);
    // A loss of power may leave an index without its pack.
    const packBytes = bytes === null ? null : await sizeIfAny(this.#fs, `${path}.pack`);
    if (bytes === null || packBytes === null) return null;
    const index = new PackIndex(bytes, packBytes);
    this.#indexes.set(path, index);
    this.#indexBytes += index.sizeBytes;
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexBytes <= indexCacheBytes || oldest === path) break;
      this.#forget(oldest);
    }
    return index;
  }

  #forget(path: string): void {
    this.#indexBytes -= this.#indexes.get(path)?.sizeBytes ?? 0;
    this.#indexes.delete(path);
  }
}

interface OpenPack {
  readonly file: { read(into: Uint8Array, position: number): Promise<number> };
  readonly index: PackIndex;
}
