/** A small file that only the user of this process may read. */

import { dirname } from "node:path";
import type { FileSystem } from "../../actors/ports.ts";

/** Whole and durable when it returns, by way of `<path>.tmp`; before that, what was there. One process at a time. */
export async function replacePrivateFile(
  files: Pick<FileSystem, "open" | "rename" | "syncDirectory">,
  path: string,
  text: string,
): Promise<void> {
  const temporary = `${path}.tmp`;
  {
    await using file = await files.open(temporary, "create-private");
    await file.write(Buffer.from(text, "utf8"));
    await file.sync();
  }
  await files.rename(temporary, path);
  await files.syncDirectory(dirname(path));
}
