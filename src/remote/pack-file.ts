/** A packfile on disk, as a push sends it. */

import type { FileSystem } from "../../actors/ports.ts";
import type { PushedPack } from "./remote.ts";

/** Two of these are in memory at a time: one on its way, one being read. */
const chunkBytes = 256 << 10;

/** Throws what the file system throws; `chunks` throws a RangeError where the file has become shorter. */
export async function packFile(fs: Pick<FileSystem, "open" | "stat">, path: string): Promise<PushedPack> {
  const { sizeBytes } = await fs.stat(path);
  return {
    sizeBytes,
    async *chunks() {
      await using file = await fs.open(path, "read");
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
