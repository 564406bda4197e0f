/** What a target's branch holds after flushes, others' commits, and stock git's housekeeping. */

import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readBlob, readCommit } from "isomorphic-git";
import { describe, expect, test } from "vitest";
import type { CommitPool, FileSystem, FlushEntry } from "../../actors/ports.ts";
import type { TypeKey } from "../../machines/messages.ts";
import type { Selection } from "../../machines/selection.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { isomorphicFiles } from "../../src/git/isomorphic-files.ts";
import { listTree } from "../../src/git/listing.ts";
import type { TargetOptions } from "../../src/git/target.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import {
  allSelections,
  changed,
  changeOf,
  clusterUid,
  configmaps,
  cursorOf,
  deployments,
  flush,
  itemOf,
  type Place,
  plainManifest,
  runGit,
  selectionOf,
  targetAt,
  temporaryPlace,
  unresolved,
  verdictBy,
} from "./fixtures.ts";

function poolAt(
  path: string,
  options: Partial<TargetOptions> & { selections?: readonly Selection[] } = {},
): CommitPool {
  const { selections = allSelections, ...target } = options;
  return createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(1_700_001_000_000),
    manifestOf: plainManifest,
    selectionsOf: () => selections,
    targets: [targetAt(path, target)],
  });
}

const stateRef = `refs/kubescribe/${clusterUid}/default%2Fhistory`;
const subjectsIn = (place: Place): readonly string[] =>
  place.git("log", "--reverse", "--format=%s", "main").split("\n");
const filesIn = (place: Place): readonly string[] => place.git("ls-tree", "-r", "--name-only", "main").split("\n");
const sound = (place: Place): void => expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");

function snapshot(version: number, names: readonly string[], type = configmaps): FlushEntry {
  const items = names.map((name, index) => itemOf({ version: index + 1, name, type, content: `${name}\n` }));
  return { kind: "snapshot", type, cursor: cursorOf(version), items };
}

describe("entries", () => {
  test("adjacent snapshots share one commit, and what equals the tree makes none", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path);
    expect((await flush(pool, [snapshot(5, ["a", "b"]), snapshot(6, ["x"], deployments)])).commits).toEqual([0, 1]);
    const same = changed({ version: 7, name: "a", content: "a\n" });
    expect((await flush(pool, [same, snapshot(8, ["a", "c"])])).commits).toEqual([0, 1]);
    expect(subjectsIn(place)).toEqual(["Snapshot of 2 resource types", "Snapshot of core/configmaps"]);
    expect(place.git("log", "--format=%an|%(trailers:key=Kubescribe-Kind,valueonly)", "-1")).toBe(
      "kubescribe|snapshot\n",
    );
    expect(filesIn(place)).toEqual([
      "clusters/prod/default/apps/deployments/x.yaml",
      "clusters/prod/default/core/configmaps/a.yaml",
      "clusters/prod/default/core/configmaps/c.yaml",
    ]);
    sound(place);
  });

  test("are named by their commits where somebody asks", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path);
    const entries = [
      snapshot(5, ["a"]),
      changed({ version: 6, name: "a" }),
      changed({ version: 7, name: "a" }),
      changed({ version: 8, name: "a", operation: "DELETE" }),
      changed({ version: 9, name: "a", operation: "DELETE" }),
    ];
    const { commits, ids, tip } = await pool.flush("default/history", {
      entries,
      cursors: new Map([[configmaps.key, cursorOf(9)]]),
      wantsIds: true,
    });
    const made = place.git("log", "--reverse", "--format=%H", "main").split("\n");
    expect(commits).toEqual([1, 1, 1, 1, 0]);
    expect(ids?.map((id) => made.indexOf(id))).toEqual([-1, 1, 2, 3, -1]);
    expect(made[3]).toBe(tip);
    expect(await flush(pool, [changed({ version: 10, name: "b" })])).not.toHaveProperty("ids");
  });

  test("a deletion takes the file and empty directories; one of nothing makes no commit", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path);
    await flush(pool, [changed({ version: 1, name: "a" }), changed({ version: 2, name: "b", namespace: "other" })]);
    const result = await flush(pool, [
      changed({ version: 3, name: "a", operation: "DELETE" }),
      changed({ version: 4, name: "a", operation: "DELETE" }),
    ]);
    expect(result.commits).toEqual([1, 0]);
    expect(filesIn(place)).toEqual(["clusters/prod/other/core/configmaps/b.yaml"]);
    expect(place.git("ls-tree", "-d", "-r", "--name-only", "main").split("\n")).not.toContain("clusters/prod/default");
    sound(place);
  });

  test("what a resync does not find goes one by one, unresolved", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path);
    await flush(pool, [snapshot(5, ["a", "b", "c"])]);
    const resync: FlushEntry = {
      kind: "resync",
      type: configmaps,
      cursor: cursorOf(9),
      present: [{ namespace: "default", name: "b" }],
    };
    expect((await flush(pool, [resync])).commits).toEqual([2]);
    expect((await flush(pool, [resync])).commits).toEqual([0]);
    expect(place.git("log", "-1", "--format=%an|%ae|%s|%(trailers:key=Kubescribe-Uid,valueonly)")).toBe(
      "unresolved|unresolved@kubescribe.invalid|Delete configmaps default/c|unknown\n",
    );
  });

  test("a tie names its candidates, a scale says so, a later epoch and a fault are marked", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path);
    const alice = verdictBy("alice");
    const tie = verdictBy("alice", {
      tier: "tie",
      candidates: [alice.author, verdictBy("bob").author].filter((actor) => actor !== null),
    });
    await flush(pool, [
      changed({ version: 1, verdict: tie }),
      changed({ version: 2, type: deployments, verdict: verdictBy("carol", { tier: "scale" }) }),
      changed({ version: 3, verdict: { ...unresolved, faulted: true }, epoch: 2 }),
    ]);
    const show = (back: string, keys: readonly string[]): string =>
      place.git(
        "log",
        "-1",
        `--format=%s${keys.map((key) => `|%(trailers:key=${key},valueonly,separator=+)`).join("")}`,
        back,
      );
    expect(show("main~2", ["Kubescribe-Candidate"])).toBe("Update configmaps default/web|alice+bob");
    expect(show("main~1", ["Changed-By"])).toBe("Scale deployments.apps default/web|carol");
    expect(show("main", ["Changed-By", "Kubescribe-Epoch", "Kubescribe-Faulted"])).toBe(
      "Update configmaps default/web|unresolved|2|true",
    );
  });
});

describe("a repository that is taken away while it is in use", () => {
  test("is waited for, never made again, and goes on when it is back", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path);
    await flush(pool, [changed({ version: 1 })]);
    renameSync(place.path, `${place.path}.away`);
    for (const attempt of ["gone", "a mount point that is empty"]) {
      if (attempt !== "gone") mkdirSync(place.path);
      await expect(flush(pool, [changed({ version: 2 })])).rejects.toMatchObject({
        code: "git-repository-gone",
        retry: "backoff",
      });
    }
    expect(readdirSync(place.path)).toEqual([]);
    rmSync(place.path, { recursive: true });
    renameSync(`${place.path}.away`, place.path);
    expect((await flush(pool, [changed({ version: 2 })])).commits).toEqual([1]);
    expect(place.git("rev-list", "--count", "main")).toBe("2");
  });

  test("and made read-only says so, and goes on when it may be written", async () => {
    using place = temporaryPlace();
    const files = createNodeFileSystem();
    let denied = false;
    const denial = (): never => {
      throw Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
    };
    const fs: FileSystem = {
      ...files,
      open: (path, mode) => (denied && mode !== "read" ? denial() : files.open(path, mode)),
      makeDirectory: (path) => (denied ? denial() : files.makeDirectory(path)),
    };
    const pool = createInlineCommitPool({
      fs,
      clock: createSimulatedClock(1_700_001_000_000),
      manifestOf: plainManifest,
      selectionsOf: () => allSelections,
      targets: [targetAt(place.path)],
    });
    await flush(pool, [changed({ version: 1 })]);
    denied = true;
    const entries = [changed({ version: 2 })];
    await expect(flush(pool, entries)).rejects.toMatchObject({
      code: "git-denied",
      retry: "backoff",
      message: expect.stringContaining("mount its file system for writing") as string,
    });
    denied = false;
    expect((await flush(pool, entries)).commits).toEqual([1]);
  });
});

test("an attempt of the dual ingestion is never old, and its version says nothing of how far the branch has come", async () => {
  using place = temporaryPlace();
  const pool = poolAt(place.path);
  const attempt = verdictBy("bob", { tier: "dual" });
  await flush(pool, [changed({ version: 12 })]);
  const cursors = new Map([[configmaps.key, cursorOf(12)]]);
  const entries = [changed({ version: 5, content: "a", verdict: attempt }), changed({ version: 40, verdict: attempt })];
  expect((await pool.flush("default/history", { entries, cursors })).commits).toEqual([1, 1]);
  place.git("update-ref", "-d", stateRef);
  expect((await poolAt(place.path).open("default/history")).cursors).toEqual(cursors);
});

describe("selection", () => {
  const labelled = (labels: Readonly<Record<string, string>>, rest: string): string =>
    `labels ${JSON.stringify(labels)}\n${rest}\n`;

  test("an object that leaves a selector loses its file in that change, one that comes back gets it back", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path, { selections: [selectionOf(configmaps, { matchLabels: { keep: "yes" } })] });
    const result = await flush(pool, [
      changed({ version: 1, content: labelled({ keep: "yes" }, "1"), operation: "CREATE" }),
      changed({ version: 2, content: labelled({}, "2") }),
      changed({ version: 3, content: labelled({}, "3") }),
      changed({ version: 4, content: labelled({ keep: "yes" }, "4") }),
      changed({ version: 5, content: labelled({ keep: "yes" }, "5"), type: deployments }),
    ]);
    expect(result.commits).toEqual([1, 1, 0, 1, 0]);
    const log = place.git(
      "log",
      "--reverse",
      "--name-status",
      "--format=%(trailers:key=Kubescribe-Operation,valueonly)",
    );
    const file = "clusters/prod/default/core/configmaps/web.yaml";
    expect(log.replaceAll(/\s+/g, " ")).toBe(`CREATE A ${file} UPDATE D ${file} UPDATE A ${file}`);
  });

  test("a rule without DELETE keeps the file; other namespaces and operations make no commit", async () => {
    using place = temporaryPlace();
    const selections = [selectionOf(configmaps, { namespaces: ["default"], operations: ["CREATE"] })];
    const pool = poolAt(place.path, { selections });
    const result = await flush(pool, [
      changed({ version: 1, operation: "CREATE" }),
      changed({ version: 2 }),
      changed({ version: 3, operation: "DELETE" }),
      changed({ version: 4, operation: "CREATE", namespace: "other" }),
    ]);
    expect(result.commits).toEqual([1, 0, 0, 0]);
    expect((await flush(pool, [snapshot(9, [])])).commits).toEqual([0]);
    expect(filesIn(place)).toEqual(["clusters/prod/default/core/configmaps/web.yaml"]);
  });
});

test("the end of an object of which nobody knows whether it was there is a commit only where a file was", async () => {
  using place = temporaryPlace();
  const pool = poolAt(place.path);
  await flush(pool, [snapshot(5, ["a"])]);
  const born = (name: string, version: number): readonly FlushEntry[] => [
    {
      kind: "change",
      change: { ...changeOf({ version, name, uid: "unknown", operation: "DELETE" }), bytes: new Uint8Array() },
    },
    changed({ version, name, uid: `new-${name}`, operation: "CREATE" }),
  ];
  expect((await flush(pool, [...born("a", 7), ...born("b", 8)])).commits).toEqual([1, 1, 0, 1]);
  expect(subjectsIn(place)).toEqual([
    "Snapshot of core/configmaps",
    "Delete configmaps default/a",
    "Create configmaps default/a",
    "Create configmaps default/b",
  ]);
});

describe("cursors", () => {
  test("a repeated flush commits nothing again, in this process or the next", async () => {
    using place = temporaryPlace();
    const entries = [snapshot(5, ["a"]), changed({ version: 6, name: "a" }), changed({ version: 10, name: "a" })];
    const pool = poolAt(place.path);
    const { tip } = await flush(pool, entries);
    expect(await flush(pool, entries)).toEqual({ tip, commits: [0, 0, 0] });
    expect(await flush(poolAt(place.path), entries)).toMatchObject({ tip });
    expect((await poolAt(place.path).open("default/history")).cursors).toEqual(
      new Map([[configmaps.key, cursorOf(10)]]),
    );
  });

  test("a state ref that stayed behind, or is gone, is completed from the trailers", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path);
    await flush(pool, [snapshot(5, ["a"])]);
    const behind = place.git("rev-parse", stateRef);
    const entries = [
      changed({ version: 6, name: "a" }),
      changed({ version: 8, name: "b", epoch: 1, type: deployments }),
    ];
    const { tip } = await flush(pool, entries);
    const expected = new Map<TypeKey, unknown>([
      [configmaps.key, cursorOf(6)],
      [deployments.key, cursorOf(8, 1)],
    ]);
    place.git("update-ref", stateRef, behind);
    expect((await poolAt(place.path).open("default/history")).cursors).toEqual(expected);
    expect(await flush(poolAt(place.path), entries)).toEqual({ tip, commits: [1, 1] });
    place.git("update-ref", "-d", stateRef);
    expect((await poolAt(place.path).open("default/history")).cursors).toEqual(expected);
  });

  test("of two deletions at one version the second is committed by a later flush, each once", async () => {
    using place = temporaryPlace();
    const gone = (name: string): FlushEntry => changed({ version: 6, name, uid: name, operation: "DELETE" });
    const partly = (...uids: readonly string[]) => new Map([[configmaps.key, { ...cursorOf(6), uids }]]);
    const pool = poolAt(place.path);
    await flush(pool, [snapshot(5, ["a", "b", "c", "d"])]);
    const behind = place.git("rev-parse", stateRef);
    await flush(pool, [gone("a")]);
    expect((await poolAt(place.path).open("default/history")).cursors).toEqual(partly("a"));
    place.git("update-ref", stateRef, behind);
    const next = poolAt(place.path);
    expect((await next.open("default/history")).cursors).toEqual(partly("a"));
    expect((await flush(next, [gone("a"), gone("b")])).commits).toEqual([1, 1]);
    expect((await flush(next, [gone("a"), gone("b")])).commits).toEqual([0, 0]);
    expect((await poolAt(place.path).open("default/history")).cursors).toEqual(partly("a", "b"));
    expect(subjectsIn(place)).toHaveLength(3);
    expect(filesIn(place)).toHaveLength(2);
    const present = [{ namespace: "default", name: "d" }];
    await flush(next, [{ kind: "resync", type: configmaps, cursor: cursorOf(6), present }]);
    expect(filesIn(place)).toEqual(["clusters/prod/default/core/configmaps/d.yaml"]);
    expect((await poolAt(place.path).open("default/history")).cursors).toEqual(
      new Map([[configmaps.key, cursorOf(6)]]),
    );
    sound(place);
  });

  test("a flush without entries keeps a new type's cursor", async () => {
    using place = temporaryPlace();
    await poolAt(place.path).flush("default/history", {
      entries: [],
      cursors: new Map([[configmaps.key, cursorOf(3)]]),
    });
    expect(await poolAt(place.path).open("default/history")).toEqual({
      tip: "",
      cursors: new Map([[configmaps.key, cursorOf(3)]]),
      outOfFormat: new Set(),
    });
  });

  test("two targets on one branch keep to their own trailers and files", async () => {
    using place = temporaryPlace();
    const targets = [
      targetAt(place.path, { id: "one", path: "one" }),
      targetAt(place.path, { id: "two", path: "two" }),
    ];
    const make = (): CommitPool =>
      createInlineCommitPool({
        fs: createNodeFileSystem(),
        clock: createSimulatedClock(),
        manifestOf: plainManifest,
        selectionsOf: () => allSelections,
        targets,
      });
    const pool = make();
    await flush(pool, [changed({ version: 5 })], "one");
    await flush(pool, [changed({ version: 9 })], "two");
    await flush(pool, [changed({ version: 7, name: "b" })], "one");
    for (const [target, version] of [
      ["one", 7],
      ["two", 9],
    ] as const) {
      expect((await make().open(target)).cursors.get(configmaps.key)).toEqual(cursorOf(version));
    }
    expect(subjectsIn(place)).toHaveLength(3);
    sound(place);
  });
});

/** Somebody else's clone, change and push. */
function pushFrom(place: Place, edit: (work: string) => void): void {
  using clone = temporaryPlace("clone");
  runGit(join(clone.path, ".."), ["clone", "-q", place.path, "clone"]);
  edit(clone.path);
  clone.git("add", "-A");
  clone.git("commit", "-q", "-m", "By hand");
  clone.git("push", "-q", "origin", "HEAD:main");
}

const fileOf = (name: string): string => `clusters/prod/default/core/configmaps/${name}.yaml`;

describe("others", () => {
  test.each(["in this process", "after a restart"])(
    "ours goes over a foreign edit, foreign files stay: %s",
    async (when) => {
      using place = temporaryPlace();
      let pool = poolAt(place.path);
      await flush(pool, [snapshot(5, ["a", "b", "c"])]);
      pushFrom(place, (work) => {
        writeFileSync(join(work, fileOf("a")), "edited\n");
        rmSync(join(work, fileOf("b")));
        writeFileSync(join(work, "README.md"), "mine\n");
      });
      if (when === "after a restart") pool = poolAt(place.path);
      await flush(pool, [changed({ version: 6, name: "c" })]);
      expect(subjectsIn(place)).toEqual([
        "Snapshot of core/configmaps",
        "By hand",
        "Take over 2 files that others changed",
        "Update configmaps default/c",
      ]);
      expect(place.git("show", `main:${fileOf("a")}`)).toBe("a");
      expect(filesIn(place)).toEqual(["README.md", fileOf("a"), fileOf("b"), fileOf("c")]);
      expect(place.git("log", "-1", "--format=%an", "main~1")).toBe("kubescribe");
      sound(place);
    },
  );

  test("a rewritten history stops the target, and says how to go on", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path);
    await flush(pool, [snapshot(5, ["a"]), changed({ version: 6, name: "a" })]);
    place.git("update-ref", "refs/heads/main", "main~1");
    const rewritten = { code: "git-history-rewritten", retry: "never" };
    await expect(flush(pool, [changed({ version: 7, name: "a" })])).rejects.toMatchObject(rewritten);
    await expect(poolAt(place.path).open("default/history")).rejects.toMatchObject(rewritten);
    place.git("update-ref", "-d", "refs/heads/main");
    await expect(poolAt(place.path).open("default/history")).rejects.toMatchObject(rewritten);
    place.git("update-ref", "-d", stateRef);
    expect((await poolAt(place.path).open("default/history")).tip).toBe("");
  });

  test("a rewritten history of a copy is mended in its remote, and the error says so", async () => {
    using place = temporaryPlace();
    await flush(poolAt(place.path), [snapshot(5, ["a"]), changed({ version: 6, name: "a" })]);
    const tip = place.git("rev-parse", "main");
    place.git("update-ref", "refs/heads/main", "main~1");
    const opening = poolAt(place.path, { isMirror: true }).open("default/history");
    await expect(opening).rejects.toThrow(`"git push --force REMOTE ${tip}:refs/heads/main"`);
    await expect(opening).rejects.toThrow(`"git push REMOTE --delete '${stateRef}'"`);
  });

  test("git gc may pack refs and objects away under our feet", async () => {
    using place = temporaryPlace();
    const pool = poolAt(place.path);
    for (let version = 1; version < 6; version++) {
      await flush(pool, [changed({ version, content: `${"same line\n".repeat(50)}${version}\n` })]);
      place.git("gc", "-q", "--prune=now");
    }
    await flush(poolAt(place.path), [changed({ version: 6, name: "b" })]);
    place.git("pack-refs", "--all");
    expect((await flush(pool, [changed({ version: 7, name: "c" })])).commits).toEqual([1]);
    expect(subjectsIn(place)).toHaveLength(7);
    sound(place);
  });

  test("an existing repository keeps its work tree, its files and its refs", async () => {
    using place = temporaryPlace("work");
    runGit(join(place.path, ".."), ["init", "-q", "-b", "trunk", "work"]);
    writeFileSync(join(place.path, "code.txt"), "code\n");
    place.git("add", "-A");
    place.git("commit", "-q", "-m", "Code");
    await flush(poolAt(place.path, { branch: "trunk", path: "" }), [changed({ version: 1 })]);
    expect(place.git("ls-tree", "-r", "--name-only", "trunk").split("\n")).toEqual([
      "code.txt",
      "default/core/configmaps/web.yaml",
    ]);
    expect(readdirSync(place.path).toSorted()).toEqual([".git", "code.txt"]);
    sound(place);
  });

  test("a directory of something else is refused", async () => {
    using place = temporaryPlace();
    cpSync(import.meta.filename, join(place.path, "something.ts"));
    const inside = join(place.path, "something.ts/inside");
    await expect(poolAt(inside).open("default/history")).rejects.toMatchObject({
      code: "git-denied",
      retry: "backoff",
    });
    await expect(poolAt(place.path).open("default/history")).rejects.toMatchObject({
      code: "git-not-a-repository",
      retry: "never",
    });
    await expect(async () => poolAt(place.path, { path: "a/../b" }).open("default/history")).rejects.toMatchObject({
      code: "git-path-invalid",
    });
  });
});

test("many flushes leave few packs, and every object", async () => {
  using place = temporaryPlace();
  const pool = poolAt(place.path, { durability: "none" });
  for (let version = 1; version <= 120; version++) await flush(pool, [changed({ version, name: `n${version % 7}` })]);
  await pool[Symbol.asyncDispose]();
  const packs = readdirSync(join(place.path, "objects/pack")).filter((name) => name.endsWith(".pack"));
  expect(packs.length).toBeLessThan(50);
  expect(subjectsIn(place)).toHaveLength(120);
  expect((await poolAt(place.path).open("default/history")).cursors.get(configmaps.key)).toEqual(cursorOf(120));
  sound(place);
});

test("a branch whose last file goes is read and cloned by stock git: no delta is as short as an empty tree's would be", async () => {
  using place = temporaryPlace();
  await flush(poolAt(place.path), [
    changed({ version: 1, operation: "CREATE" }),
    changed({ version: 2, operation: "DELETE" }),
    changed({ version: 3, operation: "CREATE", uid: "next" }),
  ]);
  expect(subjectsIn(place).length).toBe(3);
  expect(place.git("ls-tree", "-r", "--name-only", "main~1")).toBe("");
  sound(place);
  place.git("clone", "--quiet", "--no-local", place.path, `${place.path}.clone`);
  expect(runGit(`${place.path}.clone`, ["rev-list", "--count", "HEAD"])).toBe("3");
});

test("trees that are deltas are joined, and read again", async () => {
  using place = temporaryPlace();
  const pool = poolAt(place.path, { durability: "none" });
  const names = Array.from({ length: 40 }, (_, at) => `n${at}`);
  await flush(
    pool,
    names.map((name, at) => changed({ version: at + 1, name })),
  );
  // What was there before comes again, as an object between a delta and its base, and as a base: joining leaves it out.
  for (let version = 41; version <= 250; version += 3) {
    await flush(pool, [
      changed({ version, name: "n0", content: `${version % 2}` }),
      changed({ version: version + 1, name: "n1", content: `new ${version}` }),
      changed({ version: version + 2, name: "n1", content: "as ever" }),
    ]);
  }
  await pool[Symbol.asyncDispose]();
  const packs = readdirSync(join(place.path, "objects/pack")).filter((name) => name.endsWith(".pack"));
  expect(packs.length).toBeLessThan(30);
  const deltas = place.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(deltabase)");
  expect(deltas.match(/^tree (?!0{40})/gm)?.length).toBeGreaterThan(60);
  expect(subjectsIn(place)).toHaveLength(250);
  expect((await flush(poolAt(place.path), [changed({ version: 251, name: "n5" })])).commits).toEqual([1]);
  sound(place);
  // Copies entries as they are, by the checksums of the index.
  place.git("repack", "-q", "-a", "-d");
  sound(place);
});

test("isomorphic-git reads the same as stock git, before and after git gc", async () => {
  using place = temporaryPlace();
  const target = targetAt(place.path);
  const { tip } = await flush(poolAt(place.path), [
    snapshot(5, ["a", "b"]),
    changed({ version: 6, name: "a", content: "new\n" }),
  ]);
  const fs = createNodeFileSystem();
  for (const step of ["as written", "gc"]) {
    if (step === "gc") place.git("gc", "-q");
    const { commit } = await readCommit({ fs: isomorphicFiles(fs), gitdir: place.path, oid: tip });
    expect(commit.author.email).toBe("alice@example.com");
    const { blob } = await readBlob({ fs: isomorphicFiles(fs), gitdir: place.path, oid: tip, filepath: fileOf("a") });
    expect(Buffer.from(blob).toString()).toBe("new\n");
    const files = new Map<string, string>();
    for await (const { path, bytes } of listTree(fs, target)) files.set(path, Buffer.from(bytes).toString());
    expect(files).toEqual(
      new Map([
        [fileOf("a"), "new\n"],
        [fileOf("b"), "b\n"],
      ]),
    );
  }
});
