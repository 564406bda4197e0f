import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { KubescribeError } from "../../machines/error.ts";
import { createPiscinaCommitPool } from "../../src/git/piscina-pool.ts";
import { lockedPool, lockTarget } from "../../src/composition/target-lock.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createProcessTable } from "../../src/composition/node-process-table.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { allSelections, changed, configmaps, cursorOf, flush, itemOf, targetAt, temporaryPlace } from "./fixtures.ts";

const workerUrl = new URL("../../src/composition/commit-worker.ts", import.meta.url).href;

const contentOf = (name: string, data: string): string =>
  JSON.stringify({
    kind: "ConfigMap",
    apiVersion: "v1",
    metadata: { name, namespace: "default", resourceVersion: "1" },
    data: { data },
  });

test.each(["before", "within", "idle"])(
  "a worker that dies (%s) has a successor that reads the repository anew",
  async (when) => {
    using place = temporaryPlace();
    const fs = createNodeFileSystem();
    const processes = await createProcessTable();
    const targets = [targetAt(place.path)];
    const threads = createPiscinaCommitPool({
      targets,
      selectionsOf: () => allSelections,
      workerUrl: new URL("mortal-worker.ts", import.meta.url).href,
      prepareThreads: 1,
    });
    await using pool = lockedPool(threads, { targets, fs, clock: createSimulatedClock(), processes });
    const write = (version: number) => [changed({ version, content: contentOf("web", `${version}`) })];
    await flush(pool, write(1));
    writeFileSync(join(dirname(place.path), "die"), when);
    const failures: string[] = [];
    for (const version of [2, 3]) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await flush(pool, write(version));
          break;
        } catch (error) {
          expect(attempt).toBeLessThan(4);
          expect(error).toMatchObject({ retry: "backoff" });
          failures.push(error instanceof KubescribeError ? error.code : "unknown");
        }
      }
    }
    if (when !== "idle") expect(failures).toEqual(["git-worker-ended"]);
    expect(place.git("log", "--format=%(trailers:key=Kubescribe-Resource-Version,valueonly,separator=)")).toBe(
      "3\n2\n1",
    );
    expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
  },
  20_000,
);

test("worker threads make the same commits, and their errors keep code and retry", async () => {
  using place = temporaryPlace();
  const fs = createNodeFileSystem();
  const processes = await createProcessTable();
  const clock = createSimulatedClock();
  const targets = [targetAt(place.path)];
  const threads = createPiscinaCommitPool({ targets, selectionsOf: () => allSelections, workerUrl, prepareThreads: 1 });
  const pool = lockedPool(threads, { targets, fs, clock, processes });
  expect(await pool.open("default/history")).toEqual({ tip: "", cursors: new Map(), outOfFormat: new Set() });
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
});
