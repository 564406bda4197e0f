/**
 * The FileSystem port for a thread that does nothing else: every call is done when it returns. Handing a call over to Node's own
 * threads costs some 45 us, most of them more than the call, and those threads serve the journal too.
 */

import * as files from "node:fs";
import type { FileHandle, FileSystem } from "../../actors/ports.ts";
import { makeDirectory, openFlags, permissionsOf } from "./node-file-system.ts";

export function createBlockingFiles(): FileSystem {
  return {
    open: async (path, mode) => {
      const fd = files.openSync(path, openFlags[mode], permissionsOf(mode));
      if (mode === "create-private") files.fchmodSync(fd, permissionsOf(mode));
      return new BlockingFileHandle(fd);
    },
    readFile: async (path) => files.readFileSync(path),
    list: async (path) => files.readdirSync(path),
    stat: async (path) => {
      const found = files.statSync(path);
      return { sizeBytes: found.size, directory: found.isDirectory(), modifiedMs: found.mtimeMs };
    },
    makeDirectory,
    rename: async (from, to) => files.renameSync(from, to),
    remove: async (path) => files.unlinkSync(path),
    syncDirectory: async (path) => {
      const fd = files.openSync(path, files.constants.O_RDONLY | files.constants.O_DIRECTORY);
      try {
        files.fsyncSync(fd);
      } finally {
        files.closeSync(fd);
      }
    },
  };
}

class BlockingFileHandle implements FileHandle {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** A write may take less than it was given. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += files.writeSync(this.#fd, bytes, at, bytes.length - at, null);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const bytesRead = files.readSync(this.#fd, into, filled, into.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async sync(): Promise<void> {
    files.fdatasyncSync(this.#fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    files.closeSync(this.#fd);
  }
}
