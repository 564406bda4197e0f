/** Objects that cannot be read never stop the line: committed as they stand, and marked; a Secret is never shown. */

import { expect, test } from "vitest";
import type { ResourceType, TypeKey } from "../../machines/messages.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { changed, configmaps, cursorOf, flush, itemOf, selectionOf, targetAt, temporaryPlace } from "./fixtures.ts";

const secrets: ResourceType = {
  ...configmaps,
  key: "core/secrets" as TypeKey,
  resource: "secrets",
  kind: "Secret",
};
const cut = '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"web"},"data":{"k":"v"';
const whole = `${cut}}}`;

test("a cut object is committed as it stands and marked, and what follows it is committed as ever", async () => {
  using place = temporaryPlace();
  await using pool = createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(1_700_001_000_000),
    manifestOf,
    selectionsOf: () => [selectionOf(configmaps), selectionOf(secrets)],
    targets: [targetAt(place.path)],
  });
  const hidden = '{"kind": "Secret","apiVersion":"v1","data":{"k":"c2VjcmV0"';
  const listed = [itemOf({ version: 1, name: "listed", content: "[]" }), itemOf({ version: 1, content: whole })];
  const result = await flush(pool, [
    { kind: "snapshot", type: configmaps, cursor: cursorOf(1), items: listed },
    changed({ version: 2, content: cut }),
    changed({ version: 3, content: whole }),
    changed({ version: 4, name: "by-its-word", content: hidden }),
    changed({ version: 4, name: "by-its-type", content: '{"data":{"k":"c2VjcmV0"', type: secrets }),
    changed({ version: 5, name: "by-its-type", content: '{"data":{"k":"bmV3"', type: secrets }),
  ]);
  expect(result).toMatchObject({ commits: [1, 1, 1, 1, 1, 0], faults: 4 });
  const faulted = "%(trailers:key=Kubescribe-Faulted,valueonly,separator=)";
  expect(place.git("log", "--reverse", `--format=${faulted}`).split("\n")).toEqual(["", "true", "", "true", "true"]);
  expect(place.git("show", "main~3:clusters/prod/default/core/configmaps/web.yaml")).toBe(cut);
  expect(place.git("show", "main~2:clusters/prod/default/core/configmaps/web.yaml")).toContain("kind: ConfigMap\n");
  expect(place.git("show", "main:clusters/prod/default/core/configmaps/listed.yaml")).toBe("[]");
  for (const file of ["configmaps/by-its-word", "secrets/by-its-type"])
    expect(place.git("show", `main:clusters/prod/default/core/${file}.yaml`)).toMatch(
      /^# This Secret could not be read/,
    );
  expect(place.git("log", "-p")).not.toContain("c2VjcmV0");
});

test("a deletion that nobody saw has no bytes, and takes the file of a labelled object with it", async () => {
  using place = temporaryPlace();
  await using pool = createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(1_700_001_000_000),
    manifestOf,
    selectionsOf: () => [selectionOf(configmaps, { matchLabels: { app: "web" } })],
    targets: [targetAt(place.path)],
  });
  const content = '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"web","labels":{"app":"web"}}}';
  const entries = [changed({ version: 1, content }), changed({ version: 2, operation: "DELETE", content: "" })];
  expect(await flush(pool, entries)).toEqual({ tip: place.git("rev-parse", "main"), commits: [1, 1] });
});
