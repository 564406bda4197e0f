/** The file system port as isomorphic-git wants it: Node's promise API, for reading only. */

import type { PromiseFsClient } from "isomorphic-git";
import type { FileSystem } from "../../actors/ports.ts";

export function isomorphicFiles(fs: FileSystem): PromiseFsClient {
  const stat = async (path: string): Promise<unknown> => {
    const { sizeBytes, directory, modifiedMs } = await fs.stat(path);
    return {
      size: sizeBytes,
      mtimeMs: modifiedMs,
      ctimeMs: modifiedMs,
      mode: directory ? 0o040_755 : 0o100_644,
      isFile: () => !directory,
      isDirectory: () => directory,
      isSymbolicLink: () => false,
    };
  };
  const refuse = async (): Promise<never> => {
    throw Object.assign(new Error("EROFS: isomorphic-git only reads here"), { code: "EROFS" });
  };
  return {
    promises: {
      readFile: async (path: string, options?: { readonly encoding?: string } | string) => {
        const bytes = await fs.readFile(path);
        const encoding = typeof options === "string" ? options : options?.encoding;
        return encoding === undefined ? bytes : Buffer.from(bytes).toString("utf8");
      },
      readdir: (path: string) => fs.list(path),
      stat,
      lstat: stat,
      writeFile: refuse,
      unlink: refuse,
      mkdir: refuse,
      rmdir: refuse,
      readlink: refuse,
      symlink: refuse,
      chmod: refuse,
    },
  };
}
