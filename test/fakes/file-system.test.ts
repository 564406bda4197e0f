/** One suite for the files in memory and the real ones: what the fake allows, Node must allow, and the reverse. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { FileSystem } from "../../actors/ports.ts";
import { createBlockingFiles } from "../../src/composition/node-blocking-files.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";

const worlds: readonly (readonly [string, () => Promise<{ readonly fs: FileSystem; readonly root: string }>])[] = [
  ["node", async () => ({ fs: createNodeFileSystem(), root: temporaryDirectory() })],
  ["node, blocking", async () => ({ fs: createBlockingFiles(), root: temporaryDirectory() })],
  [
    "memory",
    async () => {
      const fs = new MemoryFileSystem(createSimulatedClock());
      await fs.makeDirectory("/root");
      return { fs, root: "/root" };
    },
  ],
];

function temporaryDirectory(): string {
  const root = mkdtempSync(join(tmpdir(), "kubescribe-files-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

async function write(
  fs: FileSystem,
  path: string,
  text: string,
  mode: "append" | "create" | "create-new" = "create",
): Promise<void> {
  await using file = await fs.open(path, mode);
  await file.write(Buffer.from(text));
  await file.sync();
}

const read = async (fs: FileSystem, path: string): Promise<string> => Buffer.from(await fs.readFile(path)).toString();

describe.each(worlds)("file system port: %s", (_name, create) => {
  test("create truncates, append goes on, create-new refuses", async () => {
    const { fs, root } = await create();
    await write(fs, `${root}/a`, "one");
    await write(fs, `${root}/a`, "two", "append");
    expect(await read(fs, `${root}/a`)).toBe("onetwo");
    await write(fs, `${root}/a`, "x");
    expect(await read(fs, `${root}/a`)).toBe("x");
    await expect(write(fs, `${root}/a`, "y", "create-new")).rejects.toMatchObject({ code: "EEXIST" });
    await write(fs, `${root}/b`, "y", "create-new");
    expect((await fs.list(root)).toSorted()).toEqual(["a", "b"]);
  });

  test("reads from a position, and says how much there was", async () => {
    const { fs, root } = await create();
    await write(fs, `${root}/a`, "0123456789");
    await using file = await fs.open(`${root}/a`, "read");
    const into = Buffer.alloc(4);
    expect(await file.read(into, 8)).toBe(2);
    expect(into.toString("latin1", 0, 2)).toBe("89");
    expect(await file.read(into, 3)).toBe(4);
    expect(into.toString()).toBe("3456");
    expect(await file.read(into, 99)).toBe(0);
  });

  test("renames over what is there, removes, and makes directories with their parents", async () => {
    const { fs, root } = await create();
    await fs.makeDirectory(`${root}/x/y/z`);
    await fs.makeDirectory(`${root}/x/y/z`);
    await write(fs, `${root}/x/a`, "a");
    await write(fs, `${root}/x/y/b`, "b");
    await fs.rename(`${root}/x/a`, `${root}/x/y/b`);
    expect(await read(fs, `${root}/x/y/b`)).toBe("a");
    expect(await fs.list(`${root}/x`)).toEqual(["y"]);
    expect(await fs.stat(`${root}/x/y/b`)).toMatchObject({ sizeBytes: 1, directory: false });
    expect(await fs.stat(`${root}/x/y`)).toMatchObject({ directory: true });
    await fs.remove(`${root}/x/y/b`);
    await fs.syncDirectory(`${root}/x/y`);
    expect(await fs.list(`${root}/x/y`)).toEqual(["z"]);
  });

  test("says ENOENT, ENOTDIR and EISDIR as Node does", async () => {
    const { fs, root } = await create();
    await write(fs, `${root}/a`, "a");
    const rejections: readonly (readonly [() => Promise<unknown>, string])[] = [
      [() => fs.readFile(`${root}/none`), "ENOENT"],
      [() => fs.open(`${root}/none`, "read"), "ENOENT"],
      [() => fs.open(`${root}/none/b`, "create"), "ENOENT"],
      [() => fs.stat(`${root}/none`), "ENOENT"],
      [() => fs.list(`${root}/none`), "ENOENT"],
      [() => fs.remove(`${root}/none`), "ENOENT"],
      [() => fs.rename(`${root}/none`, `${root}/b`), "ENOENT"],
      [() => fs.syncDirectory(`${root}/none`), "ENOENT"],
      [() => fs.readFile(`${root}/a/b`), "ENOTDIR"],
      [() => fs.stat(`${root}/a/b`), "ENOTDIR"],
      [() => fs.list(`${root}/a`), "ENOTDIR"],
      [() => fs.makeDirectory(`${root}/a/b`), "ENOTDIR"],
      [() => fs.makeDirectory(`${root}/a`), "EEXIST"],
      [() => fs.readFile(root), "EISDIR"],
      [() => fs.open(root, "create"), "EISDIR"],
    ];
    for (const [attempt, code] of rejections) await expect(attempt()).rejects.toMatchObject({ code });
  });
});

describe("faults of the files in memory", () => {
  const start = async (): Promise<MemoryFileSystem> => {
    const fs = new MemoryFileSystem(createSimulatedClock());
    await fs.makeDirectory("/d");
    await fs.syncDirectory("/");
    return fs;
  };

  test("a power cut keeps synced contents under synced names only", async () => {
    const fs = await start();
    await write(fs, "/d/kept", "kept");
    await fs.syncDirectory("/d");
    await write(fs, "/d/lost", "lost");
    await using file = await fs.open("/d/kept", "append");
    await file.write(Buffer.from("+"));
    fs.restart("power");
    expect(await fs.list("/d")).toEqual(["kept"]);
    expect(await read(fs, "/d/kept")).toBe("kept");
  });

  test("a torn write leaves its first half, and then nothing answers", async () => {
    const fs = await start();
    fs.inject({ at: (_call, name) => (name === "write" ? "torn" : null) });
    await expect(write(fs, "/d/a", "abcd")).rejects.toMatchObject({ code: "EIO" });
    await expect(fs.list("/d")).rejects.toMatchObject({ code: "EIO" });
    fs.restart("process");
    expect(await read(fs, "/d/a")).toBe("ab");
  });

  test("a full disk fails one call and lives on", async () => {
    const fs = await start();
    fs.inject({ at: (call) => (call === 1 ? "ENOSPC" : null) });
    await expect(write(fs, "/d/a", "abcd")).rejects.toMatchObject({ code: "ENOSPC" });
    await write(fs, "/d/a", "abcd");
    expect(await read(fs, "/d/a")).toBe("abcd");
  });

  test("a disk that has become full takes a part of a write, and lives on", async () => {
    const fs = await start();
    fs.inject({ at: (_call, name) => (name === "write" ? { code: "ENOSPC", part: 0.75 } : null) });
    await expect(write(fs, "/d/a", "abcd")).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await read(fs, "/d/a")).toBe("abc");
    fs.inject({});
    await write(fs, "/d/a", "d", "append");
    expect(await read(fs, "/d/a")).toBe("abcd");
  });

  test("of what was not synced, a loss of power may leave any part, a write up to its middle, and zeros for what never came", async () => {
    const fs = await start();
    await write(fs, "/d/a", "ab");
    await fs.syncDirectory("/d");
    {
      await using file = await fs.open("/d/a", "append");
      await file.write(Buffer.from("cd"));
      await file.write(Buffer.from("ef"));
    }
    await fs.rename("/d/a", "/d/b");
    expect(fs.unsynced).toBe(3);
    const left = new Set<string>();
    for (const each of fs.aftermaths(() => 0))
      left.add(Array.from(each.files(), ([path, bytes]) => `${path} ${bytes.toString("latin1")}`).join("; "));
    const contents = ["ab", "abc", "abcd", "abcde", "abcdef", "ab\0\0e", "ab\0\0ef", "abc\0e", "abc\0ef"];
    const expected = contents.flatMap((text) => [`/d/a ${text}`, `/d/b ${text}`]);
    // Only the write that comes last is torn.
    expected.splice(expected.indexOf("/d/a abc\0e"), 1);
    expected.splice(expected.indexOf("/d/b abc\0e"), 1);
    expect([...left].toSorted()).toEqual(expected.toSorted());
    expect(await read(fs, "/d/b")).toBe("abcdef");
  });

  test("what is synced is in everything that may be left, whatever else was done in the same place", async () => {
    const fs = await start();
    await fs.makeDirectory("/d/e");
    await write(fs, "/d/synced", "kept");
    await fs.rename("/d/synced", "/d/e/moved");
    await fs.syncDirectory("/d/e");
    await fs.syncDirectory("/d");
    await fs.remove("/d/e/moved");
    await write(fs, "/d/e/new", "new");
    const left = Array.from(fs.aftermaths(Math.random), (each) => [...each.files().keys()].join(" "));
    expect(left.toSorted()).toEqual(["", "/d/e/moved", "/d/e/moved /d/e/new", "/d/e/new"]);
  });

  test("of more than six operations 64 orders are drawn; what is older than 64 others has arrived", async () => {
    const fs = await start();
    for (let at = 0; at < 7; at += 1) await write(fs, `/d/${at}`, "");
    expect([...fs.aftermaths(Math.random)]).toHaveLength(66);
    for (let at = 7; at < 100; at += 1) await write(fs, `/d/${at}`, "");
    expect(fs.unsynced).toBe(64);
    fs.restart("power");
    expect(await fs.list("/d")).toHaveLength(36);
  });

  test("a copy shares nothing that is written later", async () => {
    const fs = await start();
    await write(fs, "/d/a", "one");
    const copy = fs.copy();
    await write(fs, "/d/a", "+", "append");
    await write(copy, "/d/a", "-", "append");
    expect([await read(fs, "/d/a"), await read(copy, "/d/a")]).toEqual(["one+", "one-"]);
    copy.restart("power");
    expect(await copy.list("/d")).toEqual([]);
    expect(await fs.list("/d")).toEqual(["a"]);
  });
});
