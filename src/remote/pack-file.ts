/** A packfile on disk, as a push sends it. */

import { packMissing } from "../../actors/ports.ts";
import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { PushedPack } from "./remote.ts";

/** Two of these are in memory at a time: one on its way, one being read. */
const chunkBytes = 256 << 10;

/**
 * Throws `packMissing` where the file is gone, and else what the file system throws; so does `chunks`, and a RangeError where the file
 * has become shorter.
 */
export async function packFile(fs: Pick<FileSystem, "open" | "stat">, path: string): Promise<PushedPack> {
  const { sizeBytes } = await fs.stat(path).catch((error: unknown) => missing(path, error));
  return {
    sizeBytes,
    async *chunks() {
      await using file = await fs.open(path, "read").catch((error: unknown) => missing(path, error));
      for (let at = 0; at < sizeBytes; at += chunkBytes) {
        // A new one each time: the connection has the last one until it is sent.
        const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes - at));
        const read = await file.read(chunk, at);
        if (read !== chunk.length) throw new RangeError(`${path} is cut short`);
        yield chunk;
      }
    },
  };
}

function missing(path: string, error: unknown): never {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  const message = `${path} should be pushed, and is gone: it was joined with others, which are pushed instead`;
  throw new KubescribeError(packMissing, message, { retry: "backoff", cause: error });
}
