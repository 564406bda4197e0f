/** What a mirror gives to push, and how it is rebuilt. */

import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { changed, configmaps, cursorOf, flush, runGit } from "./fixtures.ts";
import { branch, fileOf, MirrorWorld, state, target } from "./mirror-world.ts";

test("what was committed arrives with each push, and nothing is left to do", async () => {
  using world = new MirrorWorld();
  for (let round = 0; round < 3; round += 1) {
    await world.commit("a", `a${round}`);
    await world.commit("b", `b${round}`);
    const outgoing = await world.pool.mirrors.outgoing(target, false);
    expect(outgoing?.commits).toBe(2);
    expect(outgoing?.updates.map(({ ref }) => ref)).toEqual([branch, state]);
    await world.push();
    expect(await world.pool.mirrors.outgoing(target, false)).toBeNull();
  }
  expect(world.log()).toHaveLength(6);
  world.check();
});

test("of packs that were joined, only what is new is sent", async () => {
  using world = new MirrorWorld();
  for (let at = 0; at < 49; at += 1) await world.commit(`name-${at % 7}`, `first ${at}`);
  await world.push();
  for (const at of [1, 2, 3]) await world.commit("name-3", `last ${at}`);
  await world.pool[Symbol.asyncDispose]();
  const packs = readdirSync(join(world.place.path, "objects/pack")).filter((name) => name.endsWith(".pack"));
  expect(packs.length).toBeLessThan(5);
  const outgoing = await world.pool.mirrors.outgoing(target, false);
  if (outgoing === null) throw new Error("there should be something to push");
  const count = readFileSync(outgoing.packPath).readUInt32BE(8);
  expect(count).toBeLessThan(40);
  const whole = await world.pool.mirrors.outgoing(target, true);
  expect(readFileSync(whole?.packPath ?? "").readUInt32BE(8)).toBeGreaterThan(300);
  await world.push();
  expect(world.log().at(-1)).toBe("alice@example.com|Update configmaps default/name-3");
  world.check();
});

test.each([
  { packs: "as they were written", commits: 10 },
  { packs: "joined with what was pushed", commits: 50 },
])(
  "of $commits commits in packs $packs, as many go in a push as may, and the state with the last",
  async ({ commits }) => {
    using world = new MirrorWorld();
    await world.commit("a", "a1");
    await world.push();
    for (let at = 0; at < commits; at += 1) await world.commit(`name-${at % 7}`, `content ${at}`);
    await world.pool[Symbol.asyncDispose]();
    world.pool = world.open(world.place.path, { pushedCommits: 4, stepCommits: 3 });
    for (let left = commits; left > 0; left -= 4) {
      const outgoing = await world.pool.mirrors.outgoing(target, false);
      const refs = left > 4 ? [branch] : [branch, state];
      expect(outgoing?.updates.map(({ ref }) => ref)).toEqual(refs);
      expect([outgoing?.commits, outgoing?.waiting]).toEqual([Math.min(4, left), Math.max(0, left - 4)]);
      // A blob, six trees and a commit for each, and the states.
      expect(readFileSync(outgoing?.packPath ?? "").readUInt32BE(8)).toBeLessThanOrEqual(4 * 9);
      await world.push();
      world.check();
    }
    expect(await world.pool.mirrors.outgoing(target, false)).toBeNull();
    expect(world.log()).toHaveLength(commits + 1);
  },
);

test("a pack that git has made of others goes whole: its commits stand before what they need", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  await world.push();
  for (let at = 0; at < 6; at += 1) await world.commit("a", `later ${at}`);
  runGit(world.place.path, ["repack", "-adq"]);
  world.pool = world.open(world.place.path, { pushedCommits: 4 });
  await world.push();
  world.check();
  await world.push();
  world.check();
  expect(world.log()).toHaveLength(7);
});

test("a remote that has moved gets what it lacks on top, by its authors and in order", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  await world.push();
  await world.commit("a", "a2");
  await world.commit("b", "b1");
  const dates = (): readonly string[] => world.log("%ad %s");
  world.edit({ "README.md": "mine\n" });
  expect(await world.pool.mirrors.rebuild(target, world.fetch())).toBe(2);
  await world.push();
  expect(world.log()).toEqual([
    "alice@example.com|Update configmaps default/a",
    "mallory|mine",
    "alice@example.com|Update configmaps default/a",
    "alice@example.com|Update configmaps default/b",
  ]);
  expect(
    new Set(
      dates()
        .filter((line) => !line.endsWith("mine"))
        .map((line) => line.split(" Update")[0]),
    ).size,
  ).toBe(1);
  expect(runGit(world.remote, ["show", `main:${fileOf("a")}`])).toBe("a2");
  expect(runGit(world.remote, ["show", "main:README.md"])).toBe("mine");
  // The writer goes on from there.
  await world.commit("a", "a3");
  await world.push();
  expect(world.log()).toHaveLength(5);
  world.check();
});

test("ours wins over an edit of one of our files, in a takeover commit", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  await world.commit("b", "b1");
  await world.push();
  await world.commit("b", "b2");
  world.edit({ [fileOf("a")]: "edited\n", [fileOf("b")]: "edited, too\n" });
  await world.pool.mirrors.rebuild(target, world.fetch());
  await world.push();
  expect(world.log("%s").slice(2)).toEqual([
    "mine",
    "Take over 2 files that others changed",
    "Update configmaps default/b",
  ]);
  expect(runGit(world.remote, ["show", `main:${fileOf("a")}`])).toBe("a1");
  expect(runGit(world.remote, ["show", `main:${fileOf("b")}`])).toBe("b2");
  world.check();
});

test("a remote that has lost its branch is waited for, and what to do is said", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  await world.push();
  await world.commit("a", "a2");
  await expect(world.pool.mirrors.rebuild(target, {})).rejects.toMatchObject({
    code: "git-remote-lost",
    retry: "backoff",
  });
  expect(await world.pool.mirrors.rebuild(target, world.fetch())).toBe(0);
  await world.push();
  expect(world.log()).toHaveLength(2);
});

test("what another replica has pushed for the same target is not committed twice, and is no edit of others", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  await world.push();
  // The other one begins with what is there.
  const other = new MirrorWorld();
  using _other = other;
  runGit("/", ["clone", "-q", "--mirror", world.remote, `${other.place.path}.clone`]);
  const pool = world.open(`${other.place.path}.clone`);
  for (const [version, name] of [
    [2, "a"],
    [3, "b"],
    [4, "a"],
  ] as const)
    await flush(pool, [changed({ version, name, content: `theirs ${version}\n` })]);
  runGit(`${other.place.path}.clone`, ["push", "-q", world.remote, branch, `+${state}`]);
  // While this one saw some of that as well, and more.
  await flush(world.pool, [changed({ version: 2, name: "a", content: "theirs 2\n" })]);
  await flush(world.pool, [changed({ version: 3, name: "b", content: "theirs 3\n" })]);
  expect(await world.pool.mirrors.rebuild(target, world.fetch())).toBe(0);
  await flush(world.pool, [
    changed({ version: 4, name: "a", content: "theirs 4\n" }),
    changed({ version: 5, name: "b", content: "ours 5\n" }),
  ]);
  await world.push();
  expect(world.log("%(trailers:key=Kubescribe-Resource-Version,valueonly,separator=)")).toEqual([
    "1",
    "2",
    "3",
    "4",
    "5",
  ]);
  expect(runGit(world.remote, ["show", `main:${fileOf("a")}`])).toBe("theirs 4");
  world.check();
});

test("a remote that already has what was pushed, and more of ours, is only noted", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  await world.push();
  await world.commit("a", "a2");
  const outgoing = await world.pool.mirrors.outgoing(target, false);
  if (outgoing === null) throw new Error("there should be something to push");
  // The answer got lost.
  world.deliver(outgoing);
  expect(await world.pool.mirrors.rebuild(target, world.fetch())).toBe(0);
  expect(await world.pool.mirrors.outgoing(target, false)).toBeNull();
});

test("an index whose pack a loss of power took is no obstacle to a push", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  await world.push();
  const packs = join(world.place.path, "objects/pack");
  const [index = ""] = readdirSync(packs).filter((name) => name.endsWith(".idx"));
  // In whatever order they are listed, some come before the one that is looked for.
  for (let at = 0; at < 9; at += 1) copyFileSync(join(packs, index), join(packs, `pack-${`${at}`.repeat(40)}.idx`));
  await flush(world.pool, [
    { kind: "resync", type: configmaps, cursor: cursorOf(20, 1), present: [{ namespace: "default", name: "a" }] },
  ]);
  expect((await world.pool.mirrors.outgoing(target, false))?.updates.map(({ ref }) => ref)).toEqual([state]);
  await world.push();
  world.check();
});

test("a mirror whose volume is not mounted any more is waited for, and nothing is made in its place", async () => {
  using world = new MirrorWorld();
  const { path } = world.place;
  await world.commit("a", "a1");
  await world.push();
  await world.commit("a", "a2");
  renameSync(path, `${path}.away`);
  mkdirSync(path);
  const gone = { code: "git-repository-gone", retry: "backoff" };
  await expect(world.pool.mirrors.outgoing(target, false)).rejects.toMatchObject(gone);
  await expect(world.commit("a", "a3")).rejects.toMatchObject(gone);
  expect(readdirSync(path)).toEqual([]);
  rmSync(path, { recursive: true });
  renameSync(`${path}.away`, path);
  await world.commit("a", "a3");
  await world.push();
  expect(world.log("%s")).toHaveLength(3);
  world.check();
});

test("a lock that a killed process left is taken over at once", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  for (const ref of [branch, state, branch.replace("refs/", "refs/upstream/")]) {
    mkdirSync(join(world.place.path, ref, ".."), { recursive: true });
    writeFileSync(join(world.place.path, `${ref}.lock`), "");
  }
  await world.commit("a", "a2");
  await world.push();
  expect(world.log()).toHaveLength(2);
});

test("a rewritten remote is left alone, and nothing is lost", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  await world.push();
  await world.commit("a", "a2");
  const other = runGit(world.remote, ["commit-tree", "-m", "other", runGit(world.remote, ["mktree"])]);
  runGit(world.remote, ["update-ref", branch, other]);
  await expect(world.pool.mirrors.rebuild(target, world.fetch())).rejects.toMatchObject({
    code: "git-remote-rewritten",
    retry: "never",
    message: expect.stringContaining(`git push REMOTE --delete '${state}'`) as string,
  });
  expect(runGit(world.place.path, ["show", `main:${fileOf("a")}`])).toBe("a2");
});

test("a rewritten remote is gone on with in an empty copy, once its state is taken away", async () => {
  using world = new MirrorWorld();
  for (const at of [1, 2, 3]) await world.commit("a", `a${at}`);
  await world.push();
  runGit(world.remote, ["update-ref", branch, `${branch}~1`]);
  const opened = async (name: string) => {
    const path = join(world.place.path, "..", name);
    const pool = world.open(path);
    await pool.mirrors.adopt(target, {});
    await pool.mirrors.adopt(target, world.fetch(path));
    return await pool.open(target);
  };
  await expect(opened("second.git")).rejects.toMatchObject({ code: "git-history-rewritten" });
  runGit(world.remote, ["update-ref", "-d", state]);
  expect((await opened("third.git")).tip).toBe(runGit(world.remote, ["rev-parse", branch]));
});

test.each([1, 2])("a new process takes over what is there, from %i of its commits", async (depth) => {
  using world = new MirrorWorld();
  for (const at of [1, 2, 3]) await world.commit("a", `a${at}`);
  await world.push();
  // The state ref is older than the branch: as a server leaves it that moves one of two refs.
  const old = world.refs()[state] ?? "";
  await world.commit("a", "a4");
  await world.push();
  runGit(world.remote, ["update-ref", state, old]);
  const path = join(world.place.path, "..", "second.git");
  const second = world.open(path);
  const mirror = second.mirrors;
  expect(await mirror.adopt(target, {})).toBe(true);
  expect(await mirror.adopt(target, world.fetch(path, `--depth=${depth}`))).toBe(depth > 1);
  if (depth === 1) expect(await mirror.adopt(target, world.fetch(path, "--deepen=1"))).toBe(true);
  const opened = await second.open(target);
  expect(opened.cursors.get("core/configmaps" as never)?.resourceVersion).toBe("4");
  expect(await mirror.outgoing(target, false)).toBeNull();
  await flush(second, [changed({ version: 5, name: "b", content: "b1\n" })]);
  const outgoing = await mirror.outgoing(target, false);
  if (outgoing === null) throw new Error("there should be something to push");
  world.deliver(outgoing);
  expect(world.log()).toHaveLength(5);
  runGit(world.remote, ["fsck", "--strict", "--full"]);
});

test("the pack of what was built anew is joined with the others, and what comes later is pushed", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "a1");
  await world.push();
  await world.commit("a", "a2");
  world.edit({ "README.md": "mine\n" });
  await world.pool.mirrors.rebuild(target, world.fetch());
  const rebuilt = runGit(world.place.path, ["rev-parse", "main"]);
  await world.push();
  for (let at = 0; at < 46; at += 1) await world.commit(`name-${at % 7}`, `first ${at}`);
  // A process that begins looks at its first flush: the 49th, and the pack of what was built anew.
  world.pool = world.open();
  await world.commit("a", "a3");
  await world.pool[Symbol.asyncDispose]();
  const packs = join(world.place.path, "objects/pack");
  const holders = readdirSync(packs).filter(
    (name) => name.endsWith(".idx") && runGit(packs, ["verify-pack", "-v", name]).includes(rebuilt),
  );
  expect(holders).toHaveLength(1);
  expect(runGit(packs, ["verify-pack", "-v", holders[0] ?? ""]).match(/ commit /g)).toHaveLength(50);
  await world.push();
  expect(world.log().filter((line) => line.startsWith("alice"))).toHaveLength(49);
  world.check();
});
