/**
 * The tree of a branch's head in memory, as git's own bytes: a change rewrites only the trees on its path.
 *
 * Owns one node for each directory that was looked into; its bound is the number of directories and files of the branch.
 * 1. `raw` is at all times the exact body of the tree object but for the ids of changed children, which `write` fills in.
 * 2. `keys` and `offsets` describe `raw`, entry by entry, in git's order (a directory sorts as if its name ended in `/`).
 * 3. An id in `raw` whose child is not `changed` names an object that the repository or the pack in hand holds.
 * After a failed flush the cache is dropped, not mended.
 */

import type { TreeBasis } from "./tree-delta.ts";

/** Where new trees go: `PackBuilder` is one. */
export interface TreeSink {
  /** `basis`: what it has in common with the tree that this one replaces; null where that was never given here. */
  addTree(body: Buffer, basis: TreeBasis | null): Buffer;
}

export interface TreeSource {
  /** The body of a tree object. */
  readTree(id: string): Promise<Buffer>;
}

export interface TreeEntry {
  /** The bytes of the name, one character each. */
  readonly name: string;
  readonly mode: string;
  /** Hex. */
  readonly id: string;
}

export const fileMode = "100644";
export const directoryMode = "40000";

export class TreeCache {
  readonly #source: TreeSource;
  #root: TreeNode;

  private constructor(source: TreeSource, root: TreeNode) {
    this.#source = source;
    this.#root = root;
  }

  /** An empty `rootId` is an empty tree. */
  static async read(source: TreeSource, rootId: string): Promise<TreeCache> {
    return new TreeCache(source, new TreeNode(rootId === "" ? Buffer.alloc(0) : await source.readTree(rootId)));
  }

  /** True when `get`, `set`, `delete` and `entries` may be asked for this directory without `load`. */
  isLoaded(directories: readonly string[]): boolean {
    let node = this.#root;
    for (const name of directories) {
      const child = node.children.get(name);
      if (child === undefined) return node.indexOf(`${name}/`) < 0;
      node = child;
    }
    return true;
  }

  async load(directories: readonly string[]): Promise<void> {
    let node = this.#root;
    for (const name of directories) {
      let child = node.children.get(name);
      if (child === undefined) {
        const at = node.indexOf(`${name}/`);
        if (at < 0) return;
        child = new TreeNode(await this.#source.readTree(node.idAt(at).toString("hex")));
        node.children.set(name, child);
      }
      node = child;
    }
  }

  /** The id of a file, or null; anything that is not a plain file counts as absent. */
  get(directories: readonly string[], name: string): Buffer | null {
    const node = this.#find(directories);
    const at = node === null ? -1 : node.indexOf(name);
    return node === null || at < 0 || node.modeAt(at) !== fileMode ? null : node.idAt(at);
  }

  set(directories: readonly string[], name: string, id: Uint8Array): void {
    let node = this.#root;
    node.changed = true;
    for (const directory of directories) {
      node = node.child(directory);
      node.changed = true;
    }
    node.drop(`${name}/`);
    node.put(name, fileMode, id);
  }

  /** Directories that this empties go too. False when there was nothing. */
  delete(directories: readonly string[], name: string): boolean {
    const path = [this.#root];
    for (const directory of directories) {
      const child = path.at(-1)?.children.get(directory);
      if (child === undefined) return false;
      path.push(child);
    }
    if (path.at(-1)?.drop(name) !== true) return false;
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const node = path[depth];
      if (node === undefined) continue;
      node.changed = true;
      if (node.size === 0 && depth > 0) path[depth - 1]?.drop(`${directories[depth - 1] ?? ""}/`);
    }
    return true;
  }

  entries(directories: readonly string[]): readonly TreeEntry[] {
    return this.#find(directories)?.entries() ?? [];
  }

  /** Adds every changed tree to `sink`; returns the root's id. */
  write(sink: TreeSink): Buffer {
    return this.#root.write(sink);
  }

  #find(directories: readonly string[]): TreeNode | null {
    let node = this.#root;
    for (const name of directories) {
      const child = node.children.get(name);
      if (child === undefined) return null;
      node = child;
    }
    return node;
  }
}

const noId = Buffer.alloc(20);

class TreeNode {
  raw: Buffer;
  readonly keys: string[] = [];
  readonly offsets: number[] = [];
  readonly children = new Map<string, TreeNode>();
  changed = false;
  /** What `write` gave away last. */
  #written: { readonly id: Buffer; readonly length: number } | null = null;
  /** So many bytes at the beginning and at the end of `raw` are as they were then. */
  #prefix = 0;
  #suffix = 0;

  constructor(raw: Buffer) {
    this.raw = raw;
    for (let at = 0; at < raw.length;) {
      const space = raw.indexOf(0x20, at);
      const end = raw.indexOf(0, space);
      if (space < 0 || end < 0 || end + 21 > raw.length) throw new RangeError("tree object is cut short");
      const name = raw.toString("latin1", space + 1, end);
      this.keys.push(raw[at] === 0x34 ? `${name}/` : name);
      this.offsets.push(at);
      at = end + 21;
    }
  }

  get size(): number {
    return this.keys.length;
  }

  indexOf(key: string): number {
    const at = this.#lowerBound(key);
    return this.keys[at] === key ? at : -1;
  }

  #lowerBound(key: string): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.keys[middle] ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  idAt(at: number): Buffer {
    const end = this.#endOf(at);
    return this.raw.subarray(end - 20, end);
  }

  modeAt(at: number): string {
    const offset = this.offsets[at] ?? 0;
    return this.raw.toString("latin1", offset, this.raw.indexOf(0x20, offset));
  }

  #endOf(at: number): number {
    return this.offsets[at + 1] ?? this.raw.length;
  }

  put(name: string, mode: string, id: Uint8Array): void {
    const key = mode === directoryMode ? `${name}/` : name;
    const at = this.indexOf(key);
    if (at >= 0 && this.modeAt(at) === mode) {
      const end = this.#endOf(at);
      this.#touch(end - 20, end);
      this.raw.set(id, end - 20);
      return;
    }
    this.drop(key);
    const index = this.#lowerBound(key);
    const head = Buffer.from(`${mode} ${name}\0`, "latin1");
    const offset = this.offsets[index] ?? this.raw.length;
    this.#touch(offset, offset);
    this.raw = Buffer.concat([this.raw.subarray(0, offset), head, id, this.raw.subarray(offset)]);
    this.keys.splice(index, 0, key);
    this.offsets.splice(index, 0, offset);
    this.#shift(index + 1, head.length + 20);
  }

  drop(key: string): boolean {
    const at = this.indexOf(key);
    if (at < 0) return false;
    const offset = this.offsets[at] ?? 0;
    const end = this.#endOf(at);
    this.#touch(offset, end);
    this.raw = Buffer.concat([this.raw.subarray(0, offset), this.raw.subarray(end)]);
    this.keys.splice(at, 1);
    this.offsets.splice(at, 1);
    this.#shift(at, offset - end);
    if (key.endsWith("/")) this.children.delete(key.slice(0, -1));
    return true;
  }

  /** These bytes of `raw` are about to become others. */
  #touch(from: number, to: number): void {
    this.#prefix = Math.min(this.#prefix, from);
    this.#suffix = Math.min(this.#suffix, this.raw.length - to);
  }

  #shift(from: number, by: number): void {
    for (let at = from; at < this.offsets.length; at++) this.offsets[at] = (this.offsets[at] ?? 0) + by;
  }

  /** The child directory, made when it is not there; a file of its name gives way. */
  child(name: string): TreeNode {
    const known = this.children.get(name);
    if (known !== undefined) return known;
    if (this.indexOf(`${name}/`) >= 0) throw new RangeError(`tree ${name} was not loaded`);
    this.drop(name);
    this.put(name, directoryMode, noId);
    const made = new TreeNode(Buffer.alloc(0));
    this.children.set(name, made);
    return made;
  }

  entries(): readonly TreeEntry[] {
    return this.keys.map((key, at) => ({
      name: key.endsWith("/") ? key.slice(0, -1) : key,
      mode: this.modeAt(at),
      id: this.idAt(at).toString("hex"),
    }));
  }

  write(sink: TreeSink): Buffer {
    for (const [name, child] of this.children) {
      if (child.changed) this.put(name, directoryMode, child.write(sink));
    }
    this.changed = false;
    const { length } = this.raw;
    const written = this.#written;
    // Without a touch the two would overlap: the tree is the same.
    const suffix = Math.min(this.#suffix, length - this.#prefix);
    const id = sink.addTree(this.raw, written === null ? null : { ...written, prefix: this.#prefix, suffix });
    this.#written = { id, length };
    this.#prefix = length;
    this.#suffix = length;
    return id;
  }
}
