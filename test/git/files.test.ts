import { expect, test } from "vitest";
import { makeDurableDirectory } from "../../src/git/files.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";

test("a directory that somebody made for us may stand in one that is not ours to read", async () => {
  const fs = new MemoryFileSystem({ nowMs: () => 0 });
  await fs.makeDirectory("/home/us");
  const denied = Object.assign(new Error("EACCES"), { code: "EACCES" });
  const closed = Object.assign(fs, {
    syncDirectory: (path: string) => (path === "/home" ? Promise.reject(denied) : Promise.resolve()),
  });
  await makeDurableDirectory(closed, "/home/us", true);
  await expect(makeDurableDirectory(closed, "/home/them", true)).rejects.toBe(denied);
});
