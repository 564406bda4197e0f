import { expect, test } from "vitest";
import { createPiscinaCommitPool } from "../../src/git/piscina-pool.ts";
import { lockTarget } from "../../src/composition/target-lock.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createProcessTable } from "../../src/composition/process-table.ts";
import { createSimulatedClock } from "../fakes/clock.ts";
import { allSelections, changed, configmaps, cursorOf, flush, itemOf, targetAt, temporaryPlace } from "./fixtures.ts";

const workerUrl = new URL("../../src/composition/commit-worker.ts", import.meta.url).href;

const contentOf = (name: string, data: string): string =>
  JSON.stringify({
    kind: "ConfigMap",
    apiVersion: "v1",
    metadata: { name, namespace: "default", resourceVersion: "1" },
    data: { data },
  });

test("worker threads make the same commits, and their errors keep code and retry", async () => {
  using place = temporaryPlace();
  const fs = createNodeFileSystem();
  const processes = await createProcessTable();
  const clock = createSimulatedClock();
  const pool = createPiscinaCommitPool({
    targets: [targetAt(place.path)],
    selectionsOf: () => allSelections,
    workerUrl,
    prepareThreads: 1,
    lock: (target) => lockTarget(target, { fs, clock, processes }),
  });
  expect(await pool.open("default/history")).toEqual({ tip: "", cursors: new Map() });
  const items = Array.from({ length: 300 }, (_, index) =>
    itemOf({ version: 1, name: `n${index}`, content: contentOf(`n${index}`, "x") }),
  );
  const entries = [
    { kind: "snapshot", type: configmaps, cursor: cursorOf(5), items } as const,
    changed({ version: 6, name: "n7", content: contentOf("n7", "changed") }),
    changed({ version: 7, name: "n8", operation: "DELETE" }),
    changed({ version: 8, name: "n9", content: contentOf("n9", "x") }),
  ];
  const { commits } = await flush(pool, entries);
  expect(commits).toEqual([1, 1, 1, 0]);
  expect(place.git("ls-tree", "-r", "--name-only", "main").split("\n")).toHaveLength(299);
  expect(place.git("show", "main:clusters/prod/default/core/configmaps/n7.yaml")).toContain("data: changed");
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
  await expect(lockTarget(targetAt(place.path), { fs, clock, processes })).rejects.toMatchObject({ code: "locked" });
  place.git("update-ref", "refs/heads/main", "main~1");
  await expect(flush(pool, [changed({ version: 9, operation: "DELETE" })])).rejects.toMatchObject({
    code: "git-history-rewritten",
    retry: "never",
  });
  await expect(pool.open("nobody")).rejects.toMatchObject({ code: "git-target-unknown" });
  await pool[Symbol.asyncDispose]();
  await (await lockTarget(targetAt(place.path), { fs, clock, processes }))[Symbol.asyncDispose]();
}, 20_000);
