/**
 * One directory of a tree in memory.
 *
 * 1. `raw` is at all times the exact body of the tree object but for the ids of changed children, which `write` fills in.
 * 2. `keys` and `offsets` describe `raw`, entry by entry, in git's order (a directory sorts as if its name ended in `/`).
 * 3. An id in `raw` whose child is not `changed` names an object that the repository or the pack in hand holds.
 */

import type { TreeBasis } from "./tree-delta.ts";

/** Where new trees go: `PackBuilder` is one. */
export interface TreeSink {
  /** `basis`: what it has in common with the tree that this one replaces; null where that was never given here. */
  addTree(body: Buffer, basis: TreeBasis | null): Buffer;
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

const noId = Buffer.alloc(20);
const nothing = Buffer.alloc(0);

export class TreeNode {
  raw: Buffer;
  /** `raw` is the beginning of it. */
  #room: Buffer;
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
    this.#room = raw;
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
    this.#splice(offset, offset, Buffer.concat([head, id]));
    this.keys.splice(index, 0, key);
    this.offsets.splice(index, 0, offset);
    this.#shift(index + 1, head.length + 20);
  }

  drop(key: string): boolean {
    const at = this.indexOf(key);
    if (at < 0) return false;
    const offset = this.offsets[at] ?? 0;
    const end = this.#endOf(at);
    this.#splice(offset, end, nothing);
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

  /** A list names its resources in order: each goes behind the others, which must not be copied for it. */
  #splice(from: number, to: number, inserted: Buffer): void {
    this.#touch(from, to);
    const length = this.raw.length - (to - from) + inserted.length;
    const room = length <= this.#room.length ? this.#room : Buffer.alloc(length + (length >> 2));
    this.raw.copy(room, from + inserted.length, to);
    if (room !== this.#room) this.raw.copy(room, 0, 0, from);
    inserted.copy(room, from);
    this.#room = room;
    this.raw = room.subarray(0, length);
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
