/**
 * Makes the index of a pack that was fetched, by isomorphic-git: it inflates and hashes every object, some 100 ms for a thousand, and takes
 * 4 times the pack, and 3 KiB for each object, of memory.
 */

import { indexPack, type PromiseFsClient } from "isomorphic-git";
import type { FileSystem } from "../../actors/ports.ts";
import { remoteError } from "./remote-error.ts";

export interface IndexRequest {
  readonly packPath: string;
  /** Ids in hex, of objects that must be in it. */
  readonly wants: readonly string[];
}

/** Resolves to the bytes of the index. Throws errors of `RemoteReason`, and the signal's reason. */
export type IndexPack = (request: IndexRequest, signal: AbortSignal) => Promise<Uint8Array>;

/** Throws `remote-malformed` for a pack that is none, that needs objects which are not in it, or lacks one of `wants`. */
export async function indexOfPack(
  { packPath, wants }: IndexRequest,
  fs: Pick<FileSystem, "readFile">,
): Promise<Uint8Array> {
  const { bytes, ids } = await indexed(await fs.readFile(packPath));
  const sent = new Set(ids);
  const missing = wants.find((id) => !sent.has(id));
  if (missing === undefined) return bytes;
  // A tip that was asked for and is not there would be a ref to nothing.
  throw remoteError("malformed", `the remote sent a pack without ${missing}, which was asked for`);
}

async function indexed(pack: Uint8Array): Promise<{ readonly bytes: Uint8Array; readonly ids: readonly string[] }> {
  const written: { index: Uint8Array | null } = { index: null };
  try {
    const fs = filesOf(pack, (bytes) => {
      written.index = bytes;
    });
    const { oids } = await indexPack({ fs, dir: "/", gitdir: "/", filepath: "fetched.pack" });
    if (written.index !== null) return { bytes: written.index, ids: oids };
  } catch (error) {
    throw remoteError("malformed", "the remote sent a pack that cannot be read", error);
  }
  throw remoteError("malformed", "the remote sent a pack of which no index can be made");
}

/** One file to read and one to write; there is nothing else in the world. */
function filesOf(pack: Uint8Array, write: (bytes: Uint8Array) => void): PromiseFsClient {
  const missing = async (): Promise<never> => {
    throw Object.assign(new Error("ENOENT: there is only the pack"), { code: "ENOENT" });
  };
  return {
    promises: {
      readFile: async (path: string) => (path === "/fetched.pack" ? pack : await missing()),
      writeFile: async (path: string, bytes: Uint8Array) => {
        if (path === "/fetched.idx") write(bytes);
        else await missing();
      },
      readdir: missing,
      stat: missing,
      lstat: missing,
      mkdir: missing,
      rmdir: missing,
      unlink: missing,
      readlink: missing,
      symlink: missing,
      chmod: missing,
    },
  };
}
