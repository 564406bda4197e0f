/**
 * Files in memory that fail on command: full disks, torn writes, a crash at any call, and the loss of what was not synced.
 *
 * 1. What programs see is `now` of each directory. What a crash leaves is what is on the disk, and of what was not synced as much as
 *    `unsynced.ts` says.
 * 2. After a crash nothing answers until `restart`.
 */

import type { Clock, FileHandle, FileSystem, OpenMode, Random } from "../../actors/ports.ts";
import { FileCopies } from "./file-copies.ts";
import { Content, type DirectoryNode, type FileNode, newDirectory } from "./file-node.ts";
import { arrivalsOf, drawArrivals, type Operation, Unsynced } from "./unsynced.ts";

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

const nothingKept: Random = () => 0;

export class MemoryFileSystem implements FileSystem {
  readonly #clock: Pick<Clock, "nowMs">;
  #root: DirectoryNode = newDirectory();
  #unsynced = new Unsynced();
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

  /** `process`: kill -9, the kernel lives on. `power`: of what was not synced, what `kept` draws has arrived; by default nothing. */
  restart(loss: "process" | "power", kept: Random = nothingKept): void {
    this.#crashed = false;
    this.#faults = {};
    if (loss === "process") return;
    this.#unsynced.lose(drawArrivals(this.unsynced, kept));
    losePower(this.#root);
  }

  /** How many operations no sync has covered. */
  get unsynced(): number {
    return this.#unsynced.operations.length;
  }

  /** What a loss of power at this moment may leave, each in files of its own, some of them perhaps alike; this goes on undisturbed. */
  *aftermaths(random: Random): Generator<MemoryFileSystem> {
    for (const arrivals of arrivalsOf(this.#unsynced.operations, random)) {
      const left = this.copy();
      left.#unsynced.lose(arrivals);
      losePower(left.#root);
      yield left;
    }
  }

  /** The same files with the same operations open; without faults. */
  copy(clock = this.#clock): MemoryFileSystem {
    const copied = new MemoryFileSystem(clock);
    const copies = new FileCopies();
    copied.#root = copies.directory(this.#root);
    for (const operation of this.#unsynced.operations) copied.#unsynced.add(copies.operation(operation));
    return copied;
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
      this.#name([[path, { kind: "file", content }]]);
    } else if (mode === "create" || mode === "create-private") {
      if (content.bytes.length > 0) this.#unsynced.add({ kind: "written", content, at: 0, bytes: null });
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
        const written = content.append(bytes.subarray(0, Math.floor(part * bytes.length)));
        if (written.bytes.length > 0) this.#unsynced.add({ kind: "written", content, ...written });
        content.modifiedMs = this.#clock.nowMs();
        if (fault === null) return;
        if (fault !== "torn") throw failure(fault.code, `write ${path}: ${part} of it`);
        // The half that got through is on the disk, as a torn write's is.
        this.#unsynced.contentSynced(content);
        this.#crashed = true;
        throw failure("EIO", `write ${path}: torn`);
      },
      read: async (into, position) => {
        use("read");
        return content.bytes.copy(into, 0, Math.min(position, content.bytes.length));
      },
      sync: async () => {
        use("sync");
        this.#unsynced.contentSynced(content);
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
      const found = within.now.get(part);
      if (found?.kind === "file") throw failure(path.endsWith(`/${part}`) ? "EEXIST" : "ENOTDIR", path);
      const node = found ?? newDirectory();
      if (found === undefined) this.#nameIn([{ directory: within, name: part, node }]);
      within = node;
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#call("rename", from);
    const node = this.#find(from);
    if (node === undefined) throw this.#missing(from);
    if (this.#parentOf(to).now.get(nameOf(to))?.kind === "directory") throw failure("EISDIR", to);
    this.#name([
      [from, null],
      [to, node],
    ]);
  }

  async remove(path: string): Promise<void> {
    this.#call("remove", path);
    const node = this.#find(path);
    if (node === undefined) throw this.#missing(path);
    if (node.kind === "directory") throw failure("EISDIR", path);
    this.#name([[path, null]]);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#call("syncDirectory", path);
    const node = this.#find(path);
    if (node?.kind !== "directory") throw this.#missing(path);
    this.#unsynced.directorySynced(node);
  }

  /** Null: removed. */
  #name(names: readonly (readonly [path: string, node: FileNode | null])[]): void {
    this.#nameIn(names.map(([path, node]) => ({ directory: this.#parentOf(path), name: nameOf(path), node })));
  }

  #nameIn(names: Extract<Operation, { readonly kind: "named" }>["names"]): void {
    for (const { directory, name, node } of names) {
      if (node === null) directory.now.delete(name);
      else directory.now.set(name, node);
    }
    this.#unsynced.add({ kind: "named", names });
  }

  #find(path: string): FileNode | undefined {
    let node: FileNode | undefined = this.#root;
    for (let start = 1, end = 0; start < path.length && node !== undefined; start = end + 1) {
      end = path.indexOf("/", start);
      if (end < 0) end = path.length;
      node = node.kind === "directory" ? node.now.get(path.slice(start, end)) : undefined;
    }
    return node;
  }

  #parentOf(path: string): DirectoryNode {
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

/** A name on the disk in a directory whose own name is not there is lost with it. */
function losePower(directory: DirectoryNode): void {
  directory.now = new Map(directory.onDisk);
  for (const node of directory.now.values()) {
    if (node.kind === "directory") losePower(node);
    else node.content.lose();
  }
}

function* nodesOf(directory: DirectoryNode, path: string): Generator<readonly [string, FileNode]> {
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
