/** What the checkers are told of a repository, by the git binary. */

import { expect, test } from "vitest";

import { stockGit } from "../../src/composition/node-stock-git.ts";
import type { Disk, HistoryCommit } from "../../src/simulation/checkers/git-reader.ts";
import { changed, configmaps, cursorOf, flush, itemOf, verdictBy } from "../git/fixtures.ts";
import { MemoryWorld } from "../git/memory-world.ts";

async function read(
  disk: Disk,
  branch = "main",
): Promise<{ readonly commits: readonly HistoryCommit[]; readonly complaints: readonly string[] }> {
  const commits: HistoryCommit[] = [];
  const onCommit = (commit: HistoryCommit): number => commits.push(commit);
  const complaints = await stockGit.read({ disk, gitDirectory: "/repo", branch, fsck: true, onCommit });
  return { commits, complaints };
}

async function committed(): Promise<MemoryWorld> {
  const world = new MemoryWorld();
  const pool = world.pool();
  const items = [itemOf({ version: 3, name: "a", content: "zero\n" })];
  await flush(pool, [{ kind: "snapshot", type: configmaps, cursor: cursorOf(10), items }]);
  const tie = verdictBy("bob", {
    tier: "tie",
    candidates: [verdictBy("bob"), verdictBy("éva\n\u0000x")].flatMap((each) => each.author ?? []),
  });
  await flush(pool, [
    changed({ version: 11, name: "a", content: "one\n" }),
    changed({ version: 12, name: "a", operation: "DELETE", verdict: tie }),
  ]);
  return world;
}

test("commits come with their signatures, trailers and files, the oldest first", async () => {
  const { commits, complaints } = await read((await committed()).fs);
  expect(complaints).toEqual([]);
  expect(commits.map(({ subject }) => subject)).toEqual([
    "Snapshot of core/configmaps",
    "Update configmaps default/a",
    "Delete configmaps default/a",
  ]);
  const [, update, deletion] = commits;
  expect(update).toMatchObject({
    authorName: "alice@example.com",
    authorEmail: "alice@example.com",
    authoredAt: 1_700_000_000,
    committerName: "kubescribe",
    committerEmail: "kubescribe@kubescribe.invalid",
  });
  const path = "clusters/prod/default/core/configmaps/a.yaml";
  // git hash-object
  const [zero, one] = ["26af6a865b61e9a47e24ea6214a64c4cc294c215", "5626abf0f72e58d7a153368ba57db4c673c0e171"];
  expect(update?.files).toEqual([{ status: "M", path, before: zero, after: one }]);
  expect(deletion?.files).toEqual([{ status: "D", path, before: one, after: "" }]);
  expect(deletion?.trailers.get("Kubescribe-Candidate")).toEqual(["bob", String.raw`éva\u{a}\u{0}x`]);
});

test("there is nothing to tell of what is not there", async () => {
  expect(await read((await committed()).fs, "other")).toEqual({ commits: [], complaints: [] });
  expect(await read(new MemoryWorld().fs)).toEqual({ commits: [], complaints: [] });
});

test.each<[what: string, said: RegExp, damage: (files: Map<string, Buffer>, pack: string) => void]>([
  ["a pack with a flipped bit", /pack/, (files, pack) => files.set(pack, flipped(files.get(pack) ?? Buffer.alloc(0)))],
  [
    "a head that is not there",
    /bad|invalid|missing/,
    (files) => files.set("/repo/refs/heads/main", Buffer.from("1".repeat(40))),
  ],
])("git says what is broken: %s", async (_, said, damage) => {
  const { fs } = await committed();
  const damaged = new Map(fs.files());
  damage(damaged, [...damaged.keys()].find((path) => path.endsWith(".pack")) ?? "");
  const { complaints } = await read({ files: () => damaged, directories: () => fs.directories() });
  expect(complaints.join("\n")).toMatch(said);
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1);
  return copy;
}
