/** Files in joined packs are deltas of the version before them; stock git reads what comes out. */

import { expect, test } from "vitest";

import { joinPacks } from "../../src/git/pack-joining.ts";
import { changed, flush, temporaryPlace } from "./fixtures.ts";
import { MemoryWorld } from "./memory-world.ts";

const options = { gitDirectory: "/repo", owner: "default%2Fhistory", sync: true, atOnce: 4 };

/** Some 2 KB, of which a version changes one line. */
const contentOf = (name: string, version: number): string =>
  Array.from({ length: 100 }, (_, at) => `  ${name}-${at * 7919}: ${at === version % 100 ? version : "same"}\n`).join(
    "",
  );

async function written(flushes: number): Promise<MemoryWorld> {
  const world = new MemoryWorld();
  const pool = world.pool();
  for (let version = 1; version <= flushes; version += 2) {
    const entries = [version, version + 1].map((each) => {
      const name = `n${each % 2}`;
      return changed({ version: each, name, content: contentOf(name, each) });
    });
    await flush(pool, entries);
  }
  return world;
}

interface PackedFile {
  /** As it is stored. */
  readonly sizeBytes: number;
  readonly depth: number;
}

/** By id, as `git verify-pack -v` has it. */
function filesIn(world: MemoryWorld): ReadonlyMap<string, PackedFile> {
  using place = temporaryPlace();
  world.copyTo(place.path);
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
  const packs = [...world.fs.files().keys()].filter((name) => name.endsWith(".idx"));
  const text = packs.map((name) => place.git("verify-pack", "-v", name.replace("/repo/", ""))).join("\n");
  const rows = text.matchAll(/^([0-9a-f]{40}) blob +\d+ (\d+) \d+(?: (\d+) [0-9a-f]{40})?$/gm);
  const files = Array.from(rows, ([, id = "", size, depth]) => {
    return [id, { sizeBytes: Number(size), depth: Number(depth ?? 0) }] as const;
  });
  const names = ["n0", "n1"].map((name) => `clusters/prod/default/core/configmaps/${name}.yaml`);
  const wanted = new Set(
    place
      .git("log", "--format=", "--raw", "--no-abbrev", "main", "--", ...names)
      .split("\n")
      .map((line) => line.split(" ")[3] ?? ""),
  );
  return new Map(files.filter(([id]) => wanted.has(id)));
}

test("the first version of a file is whole, every other a delta of some bytes, once its packs are joined", async () => {
  const world = await written(20);
  const before = filesIn(world);
  expect(before.size).toBe(20);
  expect([...before.values()].every(({ depth, sizeBytes }) => depth === 0 && sizeBytes > 300)).toBe(true);
  await joinPacks({ ...options, fs: world.fs });
  const after = [...filesIn(world).values()];
  expect(after.filter(({ depth }) => depth === 0)).toHaveLength(2);
  expect(after.every(({ depth, sizeBytes }) => depth === 0 || sizeBytes < 80)).toBe(true);
});

test("joined packs that are joined once more keep their deltas, and what was whole in them becomes one", async () => {
  const world = await written(8);
  for (let round = 1; round < 4; round += 1) {
    await joinPacks({ ...options, fs: world.fs });
    const pool = world.pool();
    for (let version = 1; version <= 8; version += 2) {
      const entries = [version, version + 1].map((each) => {
        const name = `n${each % 2}`;
        return changed({ version: each + round * 8, name, content: contentOf(name, each + round * 8) });
      });
      await flush(pool, entries);
    }
  }
  await joinPacks({ ...options, fs: world.fs });
  const files = [...filesIn(world).values()];
  expect(files).toHaveLength(32);
  expect(files.filter(({ depth }) => depth === 0)).toHaveLength(2);
});

test("a chain of deltas ends before it is long", async () => {
  const world = await written(200);
  await joinPacks({ ...options, fs: world.fs });
  const depths = [...filesIn(world).values()].map(({ depth }) => depth);
  expect(depths).toHaveLength(200);
  expect(Math.max(...depths)).toBe(32);
  expect(depths.filter((depth) => depth === 0).length).toBeLessThanOrEqual(8);
});

test("chains that are joined at three levels grow by one length for each", async () => {
  const world = new MemoryWorld();
  const pool = world.pool();
  for (let version = 1; version <= 400; version += 1) {
    await flush(pool, [changed({ version, name: "n1", content: contentOf("n1", version) })]);
    if (version % 25 === 0) await joinPacks({ ...options, fs: world.fs });
  }
  const depths = [...filesIn(world).values()].map(({ depth }) => depth);
  expect(depths).toHaveLength(400);
  expect(Math.max(...depths)).toBeGreaterThan(32);
  expect(Math.max(...depths)).toBeLessThanOrEqual(3 * 32);
});

test("a version that came before is not stored again, and the next one is a delta all the same", async () => {
  const world = new MemoryWorld();
  const pool = world.pool();
  const contents = [1, 2, 1, 3, 2, 4];
  for (const [at, content] of contents.entries()) {
    await flush(pool, [changed({ version: at + 1, name: "n1", content: contentOf("n1", content) })]);
  }
  await joinPacks({ ...options, fs: world.fs });
  const files = [...filesIn(world).values()];
  expect(files).toHaveLength(4);
  expect(files.filter(({ depth }) => depth === 0)).toHaveLength(1);
});
