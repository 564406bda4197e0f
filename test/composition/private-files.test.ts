/** Files that hold keys, by either adapter over Node's files. */

import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createBlockingFiles } from "../../src/composition/node-blocking-files.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { replacePrivateFile } from "../../src/keys/private-file.ts";

test.each([
  ["Node's threads", createNodeFileSystem],
  ["a thread that waits", createBlockingFiles],
])("nobody else may read a private file, even where the temporary one was there for all: %s", async (_, create) => {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-private-"));
  try {
    const path = join(directory, "installation.key");
    writeFileSync(`${path}.tmp`, "left by a crash, much longer than the key");
    chmodSync(`${path}.tmp`, 0o644);
    await replacePrivateFile(create(), path, "the key");
    expect(readFileSync(path, "utf8")).toBe("the key");
    expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
