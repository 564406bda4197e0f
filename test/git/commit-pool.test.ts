import { expect, test } from "vitest";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import type { Selection } from "../../machines/selection.ts";
import type { BatchHeader } from "../../src/git/batch.ts";
import { createCommitPool, createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { Stages } from "../../src/git/stages.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { MemoryWorld } from "./memory-world.ts";
import {
  allSelections,
  changed,
  configmaps,
  deployments,
  flush,
  plainManifest,
  selectionOf,
  targetAt,
  temporaryPlace,
} from "./fixtures.ts";

const poolAt = (path: string, target = {}) =>
  createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(1_700_001_000_000),
    manifestOf: plainManifest,
    selectionsOf: () => allSelections,
    targets: [targetAt(path, target)],
  });

test("one change is one commit that stock git reads", async () => {
  using place = temporaryPlace();
  await using pool = poolAt(place.path);
  expect((await pool.open("default/history")).tip).toBe("");
  const result = await flush(pool, [changed({ version: 5, operation: "CREATE" })]);
  expect(result.commits).toEqual([1]);
  expect(place.git("fsck", "--strict")).toBe("");
  expect(place.git("rev-parse", "main")).toBe(result.tip);
  expect(place.git("log", "--format=%an <%ae> %at|%cn <%ce> %ct%n%B")).toMatchInlineSnapshot(`
    "alice@example.com <alice@example.com> 1700000000|kubescribe <kubescribe@kubescribe.invalid> 1700001000
    Create configmaps default/web

    Changed-By: alice@example.com
    Kubescribe-Resource: core/v1/configmaps default/web
    Kubescribe-Uid: 4be52ede-8d02-46d4-8af7-43b3cb8e7b11
    Kubescribe-Resource-Version: 5
    Kubescribe-Operation: CREATE
    Kubescribe-Attribution: exact
    Kubescribe-Field-Manager: kubectl
    Kubescribe-Cluster: 0d5a6f0e-0000-4000-8000-000000000001
    "
  `);
  expect(place.git("show", "main:clusters/prod/default/core/configmaps/web.yaml")).toBe("version: 5");
});

test("targets on one branch that flush at once take turns, and one that fails keeps no other from its turn", async () => {
  const world = new MemoryWorld();
  const targets = ["one", "two", "three"].map((id) => targetAt("/repo", { id, path: id }));
  const pool = createInlineCommitPool({
    fs: world.fs,
    clock: world.clock,
    manifestOf: plainManifest,
    selectionsOf: () => allSelections,
    targets,
  });
  for (let version = 1; version <= 5; version += 1) {
    const flushes = targets.map(({ id }) => flush(pool, [changed({ version })], id));
    expect((await Promise.all(flushes)).map(({ commits }) => commits)).toEqual([[1], [1], [1]]);
  }
  world.fs.inject({ at: (_call, name, path) => (name === "write" && path.includes("pack") ? "ENOSPC" : null) });
  const failing = flush(pool, [changed({ version: 6 })], "one");
  const next = flush(pool, [changed({ version: 6 })], "two");
  await expect(failing).rejects.toMatchObject({ code: "git-failed" });
  world.fs.inject({});
  await expect(next.catch(() => flush(pool, [changed({ version: 6 })], "two"))).resolves.toMatchObject({
    commits: [1],
  });
  using place = temporaryPlace();
  world.copyTo(place.path);
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
  expect(place.git("rev-list", "--count", "main")).toBe("16");
});

test("a type that is served later is committed once it is selected; a worker is sent selections only when they change", async () => {
  using place = temporaryPlace();
  const options = {
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(1_700_001_000_000),
    manifestOf: plainManifest,
    targets: [targetAt(place.path)],
  };
  const configMapsOnly = [selectionOf(configmaps)];
  let selections: readonly Selection[] = configMapsOnly;
  let stages = new Stages(options);
  const headers: BatchHeader[] = [];
  await using pool = createCommitPool(
    { ...options, selectionsOf: () => selections },
    {
      parallelChunks: 1,
      open: (targetId) => stages.open(targetId),
      prepare: async (chunk) => stages.prepare(chunk),
      flush: (_targetId, header, prepared) => {
        headers.push(JSON.parse(header) as BatchHeader);
        return stages.flush(header, prepared);
      },
      mirror: (task) => stages.mirror(task),
      tidy: (targetId) => stages.tidy(targetId),
      [Symbol.asyncDispose]: async () => {},
    },
  );
  const flushed = async (version: number): Promise<readonly number[]> =>
    (await flush(pool, [changed({ version }), changed({ version, type: deployments })])).commits;
  expect(await flushed(1)).toEqual([1, 0]);
  expect(await flushed(2)).toEqual([1, 0]);
  selections = [selectionOf(configmaps), selectionOf(deployments, { matchLabels: { keep: "yes" } })];
  const labelled = changed({ version: 3, type: deployments, content: 'labels {"keep":"yes"}\n' });
  expect((await flush(pool, [changed({ version: 3 }), labelled])).commits).toEqual([1, 1]);
  // Another worker: it asks for the selections, and has them with the next attempt.
  stages = new Stages(options);
  await expect(flushed(4)).rejects.toMatchObject({ code: "git-worker-new", retry: "backoff" });
  expect(await flushed(4)).toEqual([1, 1]);
  expect(headers.map((header) => header.selections?.length ?? null)).toEqual([1, null, 2, null, 2]);
});
