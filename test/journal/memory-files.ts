/** Files in memory whose writes a test can break: nothing more than the journal needs. */

import type { FileHandle, FileSystem } from "../../actors/ports.ts";

export interface MemoryFiles extends FileSystem {
  readonly contents: Map<string, Buffer>;
  /** Bytes that the next writes may still take; then they write what fits, and fail. */
  freeBytes: number;
  failOpen: boolean;
  /** Resolved before each write; a test holds writes back with it. */
  gate: Promise<void>;
  writes: number;
  syncs: number;
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });

export function createMemoryFiles(contents = new Map<string, Buffer>()): MemoryFiles {
  const contentOf = (path: string): Buffer => {
    const content = contents.get(path);
    if (content === undefined) throw failure("ENOENT");
    return content;
  };
  const files: MemoryFiles = {
    contents,
    freeBytes: Infinity,
    failOpen: false,
    gate: Promise.resolve(),
    writes: 0,
    syncs: 0,
    async open(path, mode) {
      await files.gate;
      if (files.failOpen) throw failure("EIO");
      if (mode !== "append") throw failure("EINVAL");
      if (!contents.has(path)) contents.set(path, Buffer.alloc(0));
      return handleOf(files, path);
    },
    readFile: async (path) => Promise.resolve(contentOf(path)),
    list: async (path) =>
      Promise.resolve(
        [...contents.keys()].filter((name) => name.startsWith(`${path}/`)).map((name) => name.slice(path.length + 1)),
      ),
    stat: async (path) => Promise.resolve({ sizeBytes: contentOf(path).length, directory: false, modifiedMs: 0 }),
    makeDirectory: async () => Promise.resolve(),
    rename: async () => Promise.reject(failure("ENOSYS")),
    async remove(path) {
      contentOf(path);
      contents.delete(path);
      await Promise.resolve();
    },
    syncDirectory: async () => Promise.resolve(),
  };
  return files;
}

function handleOf(files: MemoryFiles, path: string): FileHandle {
  return {
    async write(bytes) {
      await files.gate;
      files.writes += 1;
      const fits = bytes.subarray(0, Math.min(bytes.length, files.freeBytes));
      files.freeBytes -= fits.length;
      files.contents.set(path, Buffer.concat([files.contents.get(path) ?? Buffer.alloc(0), fits]));
      if (fits.length < bytes.length) throw failure("ENOSPC");
    },
    read: async () => Promise.reject(failure("ENOSYS")),
    async sync() {
      files.syncs += 1;
      await Promise.resolve();
    },
    [Symbol.asyncDispose]: async () => Promise.resolve(),
  };
}
