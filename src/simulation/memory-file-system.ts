/**
 * Files in memory that fail on command: full disks, torn writes, a crash at any call, and the loss of what was not synced.
 *
 * 1. What programs see is `#now`. What a crash leaves is `#durable`: contents as of their last sync, names as of the last
 *    sync of their directory.
 * 2. After a crash nothing answers until `restart`.
 */

import type { Clock, FileHandle, FileSystem } from "../../actors/ports.ts";

interface Content {
  bytes: Buffer;
  synced: Buffer;
  modifiedMs: number;
}

type Node = { readonly kind: "file"; readonly content: Content } | { readonly kind: "directory" };

export interface Faults {
  /** Called with the number of this call, from 0; returns what is to happen at it. */
  readonly at?: (call: number, name: string, path: string) => "crash" | "torn" | "ENOSPC" | "EIO" | null;
}

export class MemoryFileSystem implements FileSystem {
  readonly #clock: Pick<Clock, "nowMs">;
  #now = new Map<string, Node>([["/", { kind: "directory" }]]);
  #durable = new Map<string, Node>([["/", { kind: "directory" }]]);
  #faults: Faults = {};
  #crashed = false;
  calls = 0;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** Counts calls from 0 again. */
  inject(faults: Faults): void {
    this.#faults = faults;
    this.calls = 0;
  }

  /** `process`: kill -9, the kernel lives on. `power`: what was not synced is lost. */
  restart(loss: "process" | "power"): void {
    this.#crashed = false;
    this.#faults = {};
    if (loss === "process") return;
    this.#now = new Map([...this.#durable].filter(([path]) => this.#isReachable(path)));
    this.#durable = new Map(this.#now);
    for (const node of this.#now.values()) if (node.kind === "file") node.content.bytes = node.content.synced;
  }

  /** A durable name in a directory whose own name is not is lost with it. */
  #isReachable(path: string): boolean {
    if (path === "/") return true;
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    return this.#durable.has(parent) && this.#isReachable(parent);
  }

  /** Every file, for a look by other tools. */
  files(): ReadonlyMap<string, Buffer> {
    const found = new Map<string, Buffer>();
    for (const [path, node] of this.#now) if (node.kind === "file") found.set(path, node.content.bytes);
    return found;
  }

  directories(): readonly string[] {
    return [...this.#now].filter(([, node]) => node.kind === "directory").map(([path]) => path);
  }

  #call(name: string, path: string): "torn" | null {
    if (this.#crashed) throw failure("EIO", `${name} ${path}: crashed`);
    const fault = this.#faults.at?.(this.calls++, name, path) ?? null;
    if (fault === null) return null;
    if (fault === "torn" && name === "write") return fault;
    if (fault === "crash" || fault === "torn") this.#crashed = true;
    throw failure(fault === "ENOSPC" ? "ENOSPC" : "EIO", `${name} ${path}: ${fault}`);
  }

  async open(path: string, mode: "read" | "append" | "create" | "create-new"): Promise<FileHandle> {
    this.#call("open", path);
    const node = this.#now.get(path);
    if (node?.kind === "directory") throw failure("EISDIR", path);
    if (mode === "read" && node === undefined) throw this.#missing(path);
    if (mode === "create-new" && node !== undefined) throw failure("EEXIST", path);
    let content = node?.content;
    if (content === undefined) {
      this.#requireParent(path);
      content = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), modifiedMs: this.#clock.nowMs() };
      this.#now.set(path, { kind: "file", content });
    } else if (mode === "create") {
      content.bytes = Buffer.alloc(0);
      content.modifiedMs = this.#clock.nowMs();
    }
    return this.#handle(path, content, mode !== "read");
  }

  #handle(path: string, content: Content, writable: boolean): FileHandle {
    let open = true;
    const use = (name: string): "torn" | null => {
      if (!open) throw failure("EBADF", path);
      return this.#call(name, path);
    };
    return {
      write: async (bytes) => {
        const fault = use("write");
        if (!writable) throw failure("EBADF", path);
        const taken = fault === "torn" ? bytes.subarray(0, bytes.length >> 1) : bytes;
        content.bytes = Buffer.concat([content.bytes, taken]);
        content.modifiedMs = this.#clock.nowMs();
        if (fault !== "torn") return;
        // The half that got through is on the disk, as a torn write's is.
        content.synced = content.bytes;
        this.#crashed = true;
        throw failure("EIO", `write ${path}: torn`);
      },
      read: async (into, position) => {
        use("read");
        return content.bytes.copy(into, 0, Math.min(position, content.bytes.length));
      },
      sync: async () => {
        use("sync");
        content.synced = content.bytes;
      },
      [Symbol.asyncDispose]: async () => {
        open = false;
      },
    };
  }

  async readFile(path: string): Promise<Uint8Array> {
    this.#call("readFile", path);
    const node = this.#now.get(path);
    if (node === undefined) throw this.#missing(path);
    if (node.kind === "directory") throw failure("EISDIR", path);
    return Buffer.from(node.content.bytes);
  }

  async list(path: string): Promise<readonly string[]> {
    this.#call("list", path);
    const node = this.#now.get(path);
    if (node === undefined) throw this.#missing(path);
    if (node.kind !== "directory") throw failure("ENOTDIR", path);
    const inside = path === "/" ? "/" : `${path}/`;
    return [...this.#now.keys()]
      .filter((name) => name.startsWith(inside) && name !== inside && !name.slice(inside.length).includes("/"))
      .map((name) => name.slice(inside.length));
  }

  async stat(
    path: string,
  ): Promise<{ readonly sizeBytes: number; readonly directory: boolean; readonly modifiedMs: number }> {
    this.#call("stat", path);
    const node = this.#now.get(path);
    if (node === undefined) throw this.#missing(path);
    if (node.kind === "directory") return { sizeBytes: 0, directory: true, modifiedMs: 0 };
    return { sizeBytes: node.content.bytes.length, directory: false, modifiedMs: node.content.modifiedMs };
  }

  async makeDirectory(path: string): Promise<void> {
    this.#call("makeDirectory", path);
    let prefix = "";
    for (const part of path.split("/").slice(1)) {
      prefix += `/${part}`;
      const node = this.#now.get(prefix);
      if (node?.kind === "file") throw failure(prefix === path ? "EEXIST" : "ENOTDIR", prefix);
      if (node === undefined) this.#now.set(prefix, { kind: "directory" });
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#call("rename", from);
    const node = this.#now.get(from);
    if (node === undefined) throw this.#missing(from);
    this.#requireParent(to);
    if (this.#now.get(to)?.kind === "directory") throw failure("EISDIR", to);
    this.#now.delete(from);
    this.#now.set(to, node);
  }

  async remove(path: string): Promise<void> {
    this.#call("remove", path);
    const node = this.#now.get(path);
    if (node === undefined) throw this.#missing(path);
    if (node.kind === "directory") throw failure("EISDIR", path);
    this.#now.delete(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#call("syncDirectory", path);
    if (this.#now.get(path)?.kind !== "directory") throw this.#missing(path);
    const isInside = (name: string): boolean => name.slice(0, name.lastIndexOf("/")) === (path === "/" ? "" : path);
    for (const name of this.#durable.keys())
      if (name !== "/" && isInside(name) && !this.#now.has(name)) this.#durable.delete(name);
    for (const [name, node] of this.#now) if (name !== "/" && isInside(name)) this.#durable.set(name, node);
  }

  #requireParent(path: string): void {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    if (this.#now.get(parent)?.kind !== "directory") throw this.#missing(path);
  }

  #missing(path: string): Error {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      if (this.#now.get(path.slice(0, at))?.kind === "file") return failure("ENOTDIR", path);
    }
    return failure("ENOENT", path);
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
