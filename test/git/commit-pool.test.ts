import { expect, test } from "vitest";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { createSimulatedClock } from "../fakes/clock.ts";
import { changed, flush, plainManifest, targetAt, temporaryPlace } from "./fixtures.ts";

const poolAt = (path: string, target = {}) =>
  createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(1_700_001_000_000),
    manifestOf: plainManifest,
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
