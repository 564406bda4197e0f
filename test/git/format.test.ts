/** Files that another version, or other keys, wrote: they are written anew in a commit that credits nobody. */

import { expect, test } from "vitest";
import type { FlushEntry } from "../../actors/ports.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import type { TargetFormat } from "../../src/git/target.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import {
  allSelections,
  changed,
  configmaps,
  cursorOf,
  deployments,
  flush,
  itemOf,
  plainManifest,
  runGit,
  selectionOf,
  targetAt,
  temporaryPlace,
} from "./fixtures.ts";

const first: TargetFormat = { files: "1", secrets: "1" };
const second: TargetFormat = { files: "2", secrets: "2" };

function poolAt(path: string, format: TargetFormat, selections = allSelections) {
  return createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(),
    manifestOf: plainManifest,
    selectionsOf: () => selections,
    targets: [targetAt(path, { format })],
  });
}

/** All that the list shows, as it is written in the second format. */
function relisted(version: number, ...names: readonly string[]): FlushEntry {
  const items = names.map((name) => itemOf({ version, name, content: `${name} in the second format\n` }));
  return { kind: "format", type: configmaps, cursor: cursorOf(version), items };
}

test("files are written anew in one commit by kubescribe, before what changed since", async () => {
  using place = temporaryPlace();
  {
    await using pool = poolAt(place.path, first);
    expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
    await flush(pool, [
      changed({ version: 1, name: "a" }),
      changed({ version: 2, name: "b" }),
      changed({ version: 3, name: "same", content: "same in the second format\n" }),
      changed({ version: 3, name: "web", type: deployments }),
    ]);
    expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
  }
  await using pool = poolAt(place.path, second);
  const { outOfFormat } = await pool.open("default/history");
  expect(outOfFormat).toEqual(new Set([configmaps.key, deployments.key]));
  const change = changed({ version: 4, name: "b", content: "changed\n" });
  const { commits } = await flush(pool, [relisted(3, "a", "b", "same", "never-written"), change]);
  expect(commits).toEqual([1, 1]);
  const log = place.git(
    "log",
    "-2",
    "--format=%an|%cn|%s|%(trailers:key=Kubescribe-Kind,valueonly,separator=)",
    "main",
  );
  expect(log.split("\n")).toEqual([
    "alice@example.com|kubescribe|Update configmaps default/b|",
    "kubescribe|kubescribe|Rewrite 2 files of core/configmaps in another format|format",
  ]);
  expect(place.git("show", "--format=", "--name-only", "main~1").split("\n")).toEqual(
    ["a", "b"].map((name) => `clusters/prod/default/core/configmaps/${name}.yaml`),
  );
  expect(place.git("diff", "--unified=0", "main~1", "main")).toContain("-b in the second format\n+changed");
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
  expect((await pool.open("default/history")).outOfFormat).toEqual(new Set([deployments.key]));
  await using next = poolAt(place.path, second);
  expect((await next.open("default/history")).outOfFormat).toEqual(new Set([deployments.key]));
});

test("files of several types share the commit", async () => {
  using place = temporaryPlace();
  {
    await using pool = poolAt(place.path, first);
    await flush(pool, [changed({ version: 1, name: "a" }), changed({ version: 2, name: "web", type: deployments })]);
  }
  await using pool = poolAt(place.path, second);
  const items = [itemOf({ version: 2, name: "web", content: "web in the second format\n" })];
  const web: FlushEntry = { kind: "format", type: deployments, cursor: cursorOf(2), items };
  const entries = [relisted(1, "a"), web, changed({ version: 3, name: "b" })];
  expect((await flush(pool, entries)).commits).toEqual([0, 1, 1]);
  expect(place.git("log", "-2", "--format=%s", "main").split("\n")).toEqual([
    "Update configmaps default/b",
    "Rewrite 2 files of 2 resource types in another format",
  ]);
  expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
});

test("where nothing differs there is no commit, and it is not asked again", async () => {
  using place = temporaryPlace();
  {
    await using pool = poolAt(place.path, first);
    await flush(pool, [changed({ version: 3, name: "a", content: "a in the second format\n" })]);
  }
  {
    await using pool = poolAt(place.path, second);
    // The state ref moved just now: it is not time for the next one.
    await flush(pool, [changed({ version: 4, name: "web", type: deployments })]);
    expect((await flush(pool, [relisted(3, "a")])).commits).toEqual([0]);
  }
  await using next = poolAt(place.path, second);
  expect((await next.open("default/history")).outOfFormat).toEqual(new Set());
});

test("a flush that is repeated does not bring the old list back", async () => {
  using place = temporaryPlace();
  {
    await using pool = poolAt(place.path, first);
    await flush(pool, [changed({ version: 3, name: "a" })]);
  }
  await using pool = poolAt(place.path, second);
  const entries = [relisted(3, "a"), changed({ version: 4, name: "a", content: "changed\n" })];
  await flush(pool, entries);
  const head = place.git("rev-parse", "main");
  await using again = poolAt(place.path, second);
  await flush(again, entries);
  expect(place.git("rev-parse", "main")).toBe(head);
});

test("a file that no update may touch stays", async () => {
  using place = temporaryPlace();
  const selections = [selectionOf(configmaps, { operations: ["CREATE", "DELETE"] })];
  {
    await using pool = poolAt(place.path, first, selections);
    await flush(pool, [changed({ version: 3, name: "a", operation: "CREATE" })]);
  }
  await using pool = poolAt(place.path, second, selections);
  expect((await flush(pool, [relisted(3, "a")])).commits).toEqual([0]);
});

test("a state of before there were formats says that files are to be compared; one that is lost says nothing", async () => {
  using place = temporaryPlace();
  {
    await using pool = poolAt(place.path, first);
    await flush(pool, [changed({ version: 3, name: "a" })]);
  }
  const ref = place.git("for-each-ref", "--format=%(refname)", "refs/kubescribe");
  const { formats: _, ...older } = JSON.parse(place.git("cat-file", "blob", ref)) as Readonly<Record<string, unknown>>;
  place.git("update-ref", ref, runGit(place.path, ["hash-object", "-w", "--stdin"], JSON.stringify(older)));
  {
    await using pool = poolAt(place.path, first);
    expect((await pool.open("default/history")).outOfFormat).toEqual(new Set([configmaps.key]));
  }
  place.git("update-ref", "-d", ref);
  await using pool = poolAt(place.path, second);
  expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
});
