/** The index of a history is never wrong: whatever was kept, it is what a reading from the start gives. */

import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { nodeGit } from "../../src/composition/node-git.ts";
import { openClone } from "../../src/git/clone/clone.ts";
import type { Git } from "../../src/git/clone/git.ts";
import type { HistoryIndex } from "../../src/git/clone/history-index.ts";
import { loadIndex } from "../../src/git/clone/index-file.ts";
import { type Place, runGit, temporaryPlace } from "./fixtures.ts";

const files = createNodeFileSystem();

interface Loaded {
  /** Id and key of each entry. */
  readonly entries: readonly string[];
  /** How many commits git was asked to walk over; null: it was not asked. */
  readonly walked: number | null;
}

async function load(place: Place, cache: string | null, branch = "HEAD"): Promise<Loaded> {
  const plain = nodeGit(place.path);
  let walked: number | null = null;
  const git: Git = async (args, request) => {
    if (args[0] !== "log") return plain(args, request);
    walked = Number(place.git("rev-list", "--count", ...args.filter((arg) => /^\^?[0-9a-f]{40}$/.test(arg))));
    return plain(args, request);
  };
  const clone = await openClone({ git, files, directory: place.path, branch });
  return { entries: entriesIn(await loadIndex(clone, { files, directory: cache, unique: "test" })), walked };
}

function entriesIn({ keys, ids, keyAt }: HistoryIndex): readonly string[] {
  return Array.from(keyAt, (key, at) => `${ids.toString("hex", at * 20, at * 20 + 20)} ${keys[key] ?? "?"}`);
}

function repository(): Place & { readonly cache: string } {
  const place = temporaryPlace();
  mkdirSync(place.path);
  place.git("init", "-q", "--bare", "-b", "main");
  return { ...place, cache: `${place.path}.cache` };
}

/** Commits of changes on top of `parent` (empty: none); returns the last one. */
function commit(place: Place, parent: string, names: readonly string[]): string {
  const tree = place.git("hash-object", "-w", "-t", "tree", "/dev/null");
  return names.reduce((tip, name) => {
    const trailers = `Kubescribe-Resource: apps/v1/deployments shop/${name}\nKubescribe-Cluster: c`;
    const message = `Update deployments.apps shop/${name}\n\n${trailers}\n`;
    return runGit(place.path, ["commit-tree", tree, ...(tip === "" ? [] : ["-p", tip])], message);
  }, parent);
}

function move(place: Place, id: string): void {
  place.git("update-ref", "refs/heads/main", id);
}

test("is read once, then only what is new", async () => {
  using place = repository();
  const tip = commit(place, "", ["a", "b", "a"]);
  move(place, tip);
  const first = await load(place, place.cache);
  expect(first.walked).toBe(3);
  expect(first.entries).toHaveLength(3);
  expect(first.entries.at(-1)).toBe(`${tip} c\nshop/apps/deployments/a`);
  expect(await load(place, place.cache)).toEqual({ ...first, walked: null });
  // HEAD names main, and the work of one is good for the other.
  expect((await load(place, place.cache, "main")).walked).toBe(null);
  const next = commit(place, tip, ["c", "a"]);
  move(place, next);
  const second = await load(place, place.cache);
  expect(second.walked).toBe(2);
  expect(second).toEqual({ ...(await load(place, null)), walked: 2 });
});

test("is read anew where the branch was rewritten, or set back, or its old commits are gone", async () => {
  using place = repository();
  const base = commit(place, "", ["a", "b"]);
  move(place, commit(place, base, ["c", "d"]));
  await load(place, place.cache);
  for (const make of [() => commit(place, base, ["e"]), () => base, () => commit(place, "", ["f"])]) {
    const tip = make();
    move(place, tip);
    place.git("reflog", "expire", "--expire=now", "--all");
    place.git("gc", "-q", "--prune=now");
    const walked = Number(place.git("rev-list", "--count", tip));
    expect(await load(place, place.cache)).toEqual({ ...(await load(place, null)), walked });
  }
});

test("takes in both sides of a merge", async () => {
  using place = repository();
  const base = commit(place, "", ["a"]);
  const left = commit(place, base, ["b"]);
  move(place, left);
  await load(place, place.cache);
  const right = commit(place, base, ["c", "d"]);
  const tree = place.git("rev-parse", `${left}^{tree}`);
  move(place, place.git("commit-tree", tree, "-p", left, "-p", right, "-m", "merge"));
  const merged = await load(place, place.cache);
  expect(merged.walked).toBe(3);
  expect(merged.entries.toSorted()).toEqual((await load(place, null)).entries.toSorted());
});

test("is read anew where what was kept is damaged anywhere", async () => {
  using place = repository();
  move(place, commit(place, "", ["a", "b"]));
  const whole = await load(place, place.cache);
  const [name = ""] = readdirSync(place.cache);
  const path = join(place.cache, name);
  const good = readFileSync(path);
  const damaged = [
    Buffer.alloc(0),
    Buffer.from("{}\n"),
    good.subarray(0, good.length - 1),
    Buffer.concat([good, Buffer.alloc(1)]),
    ...Array.from({ length: good.length }, (_, at) => at)
      .filter((at) => at % 7 === 0)
      .map((at) => flipped(good, at)),
  ];
  for (const bytes of damaged) {
    writeFileSync(path, bytes);
    expect((await load(place, place.cache)).entries).toEqual(whole.entries);
  }
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

test("goes without a cache that cannot be written", async () => {
  using place = repository();
  move(place, commit(place, "", ["a"]));
  writeFileSync(place.cache, "a file where the directory should be");
  expect((await load(place, place.cache)).entries).toHaveLength(1);
});

test("is kept for so many histories, and no more", async () => {
  using place = repository();
  move(place, commit(place, "", ["a"]));
  mkdirSync(place.cache);
  for (let at = 0; at < 30; at++) {
    const path = join(place.cache, `${at}.index`);
    writeFileSync(path, "");
    utimesSync(path, at, at);
  }
  await load(place, place.cache);
  const left = readdirSync(place.cache);
  expect(left).toHaveLength(20);
  expect(left).toContain("29.index");
  expect(left).not.toContain("10.index");
  expect(left.filter((name) => statSync(join(place.cache, name)).size > 0)).toHaveLength(1);
});

test("has no entry for what only looks like a trailer of ours", async () => {
  using place = repository();
  const tree = place.git("hash-object", "-w", "-t", "tree", "/dev/null");
  const messages = [
    "Kubescribe-Resource: apps/v1/deployments shop/a\n\nno trailer",
    "x\n\nkubescribe-kind: snapshot\n",
    "x\n\nKubescribe-Resource: apps/deployments shop/a\nKubescribe-Cluster: c\n",
    "x\n\nKubescribe-Resource: apps/v1/deployments shop/a/b\n",
    "x\n\nkubescribe-kind: x\nKubescribe-Resource: apps/v1/deployments shop/b\nKubescribe-Cluster: c\n",
    `x\n\nKubescribe-Kind: ${"0".repeat(40)}\n ${"1".repeat(40)}\n`,
  ];
  let tip = "";
  for (const message of messages) {
    tip = runGit(place.path, ["commit-tree", tree, ...(tip === "" ? [] : ["-p", tip])], message);
  }
  move(place, tip);
  const entries = [`${place.git("rev-parse", "main^")} c\nshop/apps/deployments/b`, `${tip} \n`];
  expect((await load(place, null)).entries).toEqual(entries);
});
