/** The FileSystem port over Node's files. */

import { constants, writeSync } from "node:fs";
import * as files from "node:fs/promises";
import { dirname } from "node:path";
import type { FileHandle, FileSystem, OpenMode } from "../../actors/ports.ts";

export const openFlags = {
  read: "r",
  append: "a",
  create: "w",
  "create-new": "wx",
  "create-private": "w",
} as const;

export function permissionsOf(mode: OpenMode): number {
  return mode === "create-private" ? 0o600 : 0o644;
}

export function createNodeFileSystem(): FileSystem {
  return {
    async open(path, mode) {
      const file = await files.open(path, openFlags[mode], permissionsOf(mode));
      // One that was there has kept its own.
      if (mode === "create-private") await file.chmod(permissionsOf(mode));
      return mode === "append" ? new AppendingFileHandle(file) : new NodeFileHandle(file);
    },
    readFile: (path) => files.readFile(path),
    list: (path) => files.readdir(path),
    async stat(path) {
      const found = await files.stat(path);
      return { sizeBytes: found.size, directory: found.isDirectory(), modifiedMs: found.mtimeMs };
    },
    makeDirectory,
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.unlink(path),
    async syncDirectory(path) {
      await using directory = await files.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
      await directory.sync();
    },
  };
}

/** Node's own `recursive` never ends where the system answers ENOENT although the parent is there, as /proc does. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await files.mkdir(path);
  } catch (error) {
    if (codeOf(error) === "EEXIST" && (await files.stat(path)).isDirectory()) return;
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await files.mkdir(path).catch(async (again: unknown) => {
      if (codeOf(again) !== "EEXIST" || !(await files.stat(path)).isDirectory()) throw again;
    });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

class NodeFileHandle implements FileHandle {
  readonly #file: files.FileHandle;

  constructor(file: files.FileHandle) {
    this.#file = file;
  }

  /** A write may take less than it was given. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += (await this.#file.write(bytes, at, bytes.length - at, null)).bytesWritten;
    }
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const { bytesRead } = await this.#file.read(into, filled, into.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  sync(): Promise<void> {
    return this.#file.datasync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

const smallBytes = 64 * 1024;
const slowMs = 20;
const cautiousWrites = 1000;

/**
 * Lines of a log: a few bytes reach the page cache in some microseconds, handing them to another thread takes ten times as long.
 * A disk that makes this thread wait is written to by the other one for a while.
 */
class AppendingFileHandle extends NodeFileHandle {
  readonly #fd: number;
  /** So many writes are left to another thread. */
  #cautious = 0;

  constructor(file: files.FileHandle) {
    super(file);
    this.#fd = file.fd;
  }

  override async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length > smallBytes || this.#cautious > 0) {
      this.#cautious = Math.max(0, this.#cautious - 1);
      return await super.write(bytes);
    }
    const sinceMs = performance.now();
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at, bytes.length - at, null);
    if (performance.now() - sinceMs > slowMs) this.#cautious = cautiousWrites;
  }
}
