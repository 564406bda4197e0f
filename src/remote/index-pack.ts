/** Makes the index of a pack that was fetched, by isomorphic-git: it inflates and hashes every object. */

import { indexPack, type PromiseFsClient } from "isomorphic-git";
import { remoteError } from "./remote-error.ts";

export interface PackIndex {
  readonly bytes: Uint8Array;
  /** In hex. */
  readonly ids: readonly string[];
}

/** Throws `remote-malformed` for a pack that is none, or that needs objects which are not in it. */
export async function indexOfPack(pack: Uint8Array): Promise<PackIndex> {
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
