/**
 * Files in memory that fail on command: full disks, torn writes, a crash at any call, and the loss of what was not synced.
 *
 * 1. What programs see is `now` of each directory. What a crash leaves is `durable`: contents as of their last sync, names as of
 *    the last sync of their directory.
 * 2. After a crash nothing answers until `restart`.
 */

import type { Clock, FileHandle, FileSystem, OpenMode, Random } from "../../actors/ports.ts";

interface File {
  readonly kind: "file";
  readonly content: Content;
}

interface Directory {
  readonly kind: "directory";
  /** By the last part of the path. */
  now: Map<string, Node>;
  durable: Map<string, Node>;
}

type Node = File | Directory;

export type FileFailure = "ENOSPC" | "EIO" | "EACCES";

/** A disk that has no room any more takes the beginning of what is written. */
export interface PartWritten {
  readonly code: "ENOSPC";
  /** From 0 to 1. */
  readonly part: number;
}

export interface Faults {
  /** Called with the number of this call, from 0; returns what is to happen at it. */
  readonly at?: (call: number, name: string, path: string) => "crash" | "torn" | FileFailure | PartWritten | null;
}

/** Bytes that grow at the end, without copying all of them for each write. */
class Content {
  modifiedMs: number;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;
  #synced: Buffer = Buffer.alloc(0);

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.alloc(this.#length === 0 ? length : length * 2);
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  sync(): void {
    this.#synced = this.bytes;
  }

  /** What was appended since the last sync may have reached the disk in part. */
  lose(kept: Random): void {
    const { bytes } = this;
    const synced = this.#synced;
    const grown = bytes.length > synced.length && bytes.subarray(0, synced.length).equals(synced);
    const length = grown ? synced.length + Math.floor(kept() * (bytes.length - synced.length)) : synced.length;
    this.#buffer = Buffer.from((grown ? bytes : synced).subarray(0, length));
    this.#length = length;
    this.sync();
  }
}

const nothingKept: Random = () => 0;

export class MemoryFileSystem implements FileSystem {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #root: Directory = newDirectory();
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

  /** `process`: kill -9, the kernel lives on. `power`: what was not synced is lost, but for as much of it as `kept` says. */
  restart(loss: "process" | "power", kept: Random = nothingKept): void {
    this.#crashed = false;
    this.#faults = {};
    if (loss === "power") losePower(this.#root, kept);
  }

  /** Every file, for a look by other tools. */
  files(): ReadonlyMap<string, Buffer> {
    const found = new Map<string, Buffer>();
    for (const [path, node] of nodesOf(this.#root, "")) if (node.kind === "file") found.set(path, node.content.bytes);
    return found;
  }

  directories(): readonly string[] {
    return ["/", ...[...nodesOf(this.#root, "")].filter(([, { kind }]) => kind === "directory").map(([path]) => path)];
  }

  #call(name: string, path: string): "torn" | PartWritten | null {
    if (this.#crashed) throw failure("EIO", `${name} ${path}: crashed`);
    const fault = this.#faults.at?.(this.calls++, name, path) ?? null;
    if (fault === null) return null;
    if (name === "write" && (fault === "torn" || typeof fault === "object")) return fault;
    if (fault === "crash" || fault === "torn") this.#crashed = true;
    if (typeof fault === "object") throw failure(fault.code, `${name} ${path}`);
    throw failure(fault === "ENOSPC" || fault === "EACCES" ? fault : "EIO", `${name} ${path}: ${fault}`);
  }

  async open(path: string, mode: OpenMode): Promise<FileHandle> {
    this.#call("open", path);
    const node = this.#find(path);
    if (node?.kind === "directory") throw failure("EISDIR", path);
    if (mode === "read" && node === undefined) throw this.#missing(path);
    if (mode === "create-new" && node !== undefined) throw failure("EEXIST", path);
    let content = node?.content;
    if (content === undefined) {
      content = new Content(this.#clock.nowMs());
      this.#parentOf(path).now.set(nameOf(path), { kind: "file", content });
    } else if (mode === "create" || mode === "create-private") {
      content.clear();
      content.modifiedMs = this.#clock.nowMs();
    }
    return this.#handle(path, content, mode !== "read");
  }

  #handle(path: string, content: Content, writable: boolean): FileHandle {
    let open = true;
    const use = (name: string): "torn" | PartWritten | null => {
      if (!open) throw failure("EBADF", path);
      return this.#call(name, path);
    };
    return {
      write: async (bytes) => {
        const fault = use("write");
        if (!writable) throw failure("EBADF", path);
        const part = fault === null ? 1 : fault === "torn" ? 0.5 : fault.part;
        content.append(bytes.subarray(0, Math.floor(part * bytes.length)));
        content.modifiedMs = this.#clock.nowMs();
        if (fault === null) return;
        if (fault !== "torn") throw failure(fault.code, `write ${path}: ${part} of it`);
        // The half that got through is on the disk, as a torn write's is.
        content.sync();
        this.#crashed = true;
        throw failure("EIO", `write ${path}: torn`);
      },
      read: async (into, position) => {
        use("read");
        return content.bytes.copy(into, 0, Math.min(position, content.bytes.length));
      },
      sync: async () => {
        use("sync");
        content.sync();
      },
      [Symbol.asyncDispose]: async () => {
        open = false;
      },
    };
  }

  async readFile(path: string): Promise<Uint8Array> {
    this.#call("readFile", path);
    const node = this.#find(path);
    if (node === undefined) throw this.#missing(path);
    if (node.kind === "directory") throw failure("EISDIR", path);
    return Buffer.from(node.content.bytes);
  }

  async list(path: string): Promise<readonly string[]> {
    this.#call("list", path);
    const node = this.#find(path);
    if (node === undefined) throw this.#missing(path);
    if (node.kind !== "directory") throw failure("ENOTDIR", path);
    return [...node.now.keys()];
  }

  async stat(
    path: string,
  ): Promise<{ readonly sizeBytes: number; readonly directory: boolean; readonly modifiedMs: number }> {
    this.#call("stat", path);
    const node = this.#find(path);
    if (node === undefined) throw this.#missing(path);
    if (node.kind === "directory") return { sizeBytes: 0, directory: true, modifiedMs: 0 };
    return { sizeBytes: node.content.bytes.length, directory: false, modifiedMs: node.content.modifiedMs };
  }

  async makeDirectory(path: string): Promise<void> {
    this.#call("makeDirectory", path);
    let within = this.#root;
    for (const part of partsOf(path)) {
      const node = within.now.get(part) ?? newDirectory();
      if (node.kind === "file") throw failure(path.endsWith(`/${part}`) ? "EEXIST" : "ENOTDIR", path);
      within.now.set(part, node);
      within = node;
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#call("rename", from);
    const node = this.#find(from);
    if (node === undefined) throw this.#missing(from);
    const into = this.#parentOf(to);
    if (into.now.get(nameOf(to))?.kind === "directory") throw failure("EISDIR", to);
    this.#parentOf(from).now.delete(nameOf(from));
    into.now.set(nameOf(to), node);
  }

  async remove(path: string): Promise<void> {
    this.#call("remove", path);
    const node = this.#find(path);
    if (node === undefined) throw this.#missing(path);
    if (node.kind === "directory") throw failure("EISDIR", path);
    this.#parentOf(path).now.delete(nameOf(path));
  }

  async syncDirectory(path: string): Promise<void> {
    this.#call("syncDirectory", path);
    const node = this.#find(path);
    if (node?.kind !== "directory") throw this.#missing(path);
    node.durable = new Map(node.now);
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (let start = 1, end = 0; start < path.length && node !== undefined; start = end + 1) {
      end = path.indexOf("/", start);
      if (end < 0) end = path.length;
      node = node.kind === "directory" ? node.now.get(path.slice(start, end)) : undefined;
    }
    return node;
  }

  #parentOf(path: string): Directory {
    const parent = this.#find(path.slice(0, path.lastIndexOf("/")) || "/");
    if (parent?.kind !== "directory") throw this.#missing(path);
    return parent;
  }

  #missing(path: string): Error {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      if (this.#find(path.slice(0, at))?.kind === "file") return failure("ENOTDIR", path);
    }
    return failure("ENOENT", path);
  }
}

function newDirectory(): Directory {
  return { kind: "directory", now: new Map(), durable: new Map() };
}

/** A durable name in a directory whose own name is not is lost with it. */
function losePower(directory: Directory, kept: Random): void {
  directory.now = new Map(directory.durable);
  for (const node of directory.now.values()) {
    if (node.kind === "directory") losePower(node, kept);
    else node.content.lose(kept);
  }
}

function* nodesOf(directory: Directory, path: string): Generator<readonly [string, Node]> {
  for (const [name, node] of directory.now) {
    yield [`${path}/${name}`, node];
    if (node.kind === "directory") yield* nodesOf(node, `${path}/${name}`);
  }
}

function partsOf(path: string): readonly string[] {
  return path === "/" ? [] : path.slice(1).split("/");
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
