/** Commits that tell of a time in which authors were not seen: no files, once, and nothing in them can be forged. */

import { expect, test } from "vitest";
import type { FlushEntry } from "../../actors/ports.ts";
import type { BlindTime } from "../../machines/blind-time.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { allSelections, changed, flush, plainManifest, targetAt, temporaryPlace } from "./fixtures.ts";
import { MirrorWorld, target } from "./mirror-world.ts";

const fromMs = Date.parse("2026-11-26T12:03:11.250Z");
const toMs = Date.parse("2026-11-26T12:05:40.000Z");
const missing = { code: "webhook-missing", message: "the webhook configuration was missing" };

function blind(time: Partial<BlindTime> = {}): FlushEntry {
  return { kind: "coverage", time: { fromMs, toMs, reasons: [missing], ...time } };
}

function poolAt(path: string, ...ids: readonly string[]) {
  return createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(),
    manifestOf: plainManifest,
    selectionsOf: () => allSelections,
    targets: (ids.length === 0 ? ["history"] : ids).map((id) => targetAt(path, { id: `default/${id}`, path: id })),
  });
}

test("is a commit of kubescribe's own that changes no file and says when and why", async () => {
  using place = temporaryPlace();
  await using pool = poolAt(place.path);
  await flush(pool, [changed({ version: 1, name: "a" })]);
  const entries = [blind(), changed({ version: 2, name: "a", content: "b\n" })];
  expect((await flush(pool, entries)).commits).toEqual([1, 1]);
  expect(place.git("log", "-1", "--format=%an|%ae|%cn|%aI%n%n%B", "main~1")).toBe(
    `kubescribe|kubescribe@kubescribe.invalid|kubescribe|2026-11-26T12:05:40+00:00

Attribution was blind from 2026-11-26 12:03:11 to 12:05:40 UTC: the webhook configuration was missing

Kubescribe-Kind: coverage
Kubescribe-Blind-From: 2026-11-26T12:03:11.250Z
Kubescribe-Blind-To: 2026-11-26T12:05:40.000Z
Kubescribe-Blind-Reason: webhook-missing
Kubescribe-Cluster: 0d5a6f0e-0000-4000-8000-000000000001
`,
  );
  expect(place.git("diff", "--name-only", "main~2", "main~1")).toBe("");
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
});

test.each([
  ["that goes on", { toMs: null }, "Attribution is blind since 2026-11-26 12:03:11 UTC: "],
  ["of a moment", { toMs: fromMs }, "Less is attributed since 2026-11-26 12:03:11 UTC: "],
  [
    "of days",
    { toMs: toMs + 86_400_000 },
    "Attribution was blind from 2026-11-26 12:03:11 to 2026-11-27 12:05:40 UTC: ",
  ],
  [
    "of no calendar",
    { fromMs: Number.NaN, toMs: 1e99 },
    "Attribution was blind from 1970-01-01 00:00:00 to 9999-12-31 23:59:59 UTC: ",
  ],
])("one %s says so", async (_what, time, subject) => {
  using place = temporaryPlace();
  await using pool = poolAt(place.path);
  await flush(pool, [changed({ version: 1 })]);
  await flush(pool, [blind(time)]);
  expect(place.git("log", "-1", "--format=%s", "main")).toBe(subject + missing.message);
});

test("names every reason, and none of them can pass for a trailer", async () => {
  using place = temporaryPlace();
  await using pool = poolAt(place.path);
  const reasons = [
    { code: "a", message: "x\n\nKubescribe-Kind: snapshot\nChanged-By: bob" },
    { code: "b\nChanged-By: bob", message: "Changed-By: bob\u2028Changed-By: eve" },
    ...Array.from({ length: 20 }, (_, at) => ({ code: `c${at}`, message: "Kubescribe-Uid: 1" })),
  ];
  await flush(pool, [changed({ version: 1 })]);
  await flush(pool, [blind({ reasons })]);
  const trailers = place.git("log", "-1", "--format=%(trailers:unfold)", "main").split("\n").filter(Boolean);
  expect(trailers.map((line) => line.split(": ")[0])).toEqual([
    "Kubescribe-Kind",
    "Kubescribe-Blind-From",
    "Kubescribe-Blind-To",
    ...reasons.slice(0, 10).map(() => "Kubescribe-Blind-Reason"),
    "Kubescribe-Cluster",
  ]);
  expect(trailers).toContain("Kubescribe-Blind-Reason: b\\u{a}Changed-By: bob");
  expect(place.git("log", "-1", "--format=%s", "main")).toContain(
    "Kubescribe-Kind: snapshot\\u{a}Changed-By: bob, and 21 more",
  );
  expect(place.git("log", "-1", "--format=%b", "main").split("\n")).toContain(
    "- Changed-By: bob\\u{2028}Changed-By: eve",
  );
});

test("is told once, whoever repeats it: this process, the next, or one whose state ref stayed behind", async () => {
  using place = temporaryPlace();
  const entries = [blind({ toMs: null }), blind()];
  let before = "";
  let stateRef = "";
  {
    await using pool = poolAt(place.path);
    await flush(pool, [changed({ version: 1 })]);
    stateRef = place.git("for-each-ref", "--format=%(refname)", "refs/kubescribe");
    before = place.git("rev-parse", stateRef);
    expect((await flush(pool, [...entries, blind()])).commits).toEqual([1, 1, 0]);
    expect((await flush(pool, entries)).commits).toEqual([0, 0]);
  }
  {
    await using pool = poolAt(place.path);
    expect((await flush(pool, entries)).commits).toEqual([0, 0]);
  }
  place.git("update-ref", stateRef, before);
  await using pool = poolAt(place.path);
  expect((await flush(pool, [...entries, blind({ toMs: toMs + 1 })])).commits).toEqual([0, 0, 1]);
  expect(place.git("rev-list", "--count", "main")).toBe("4");
});

test("a history that has not begun tells of none", async () => {
  using place = temporaryPlace();
  await using pool = poolAt(place.path);
  expect((await flush(pool, [blind()])).commits).toEqual([0]);
  expect((await flush(pool, [blind(), changed({ version: 1 })])).commits).toEqual([0, 1]);
  expect((await flush(pool, [blind()])).commits).toEqual([1]);
});

test("one tells all targets of a branch", async () => {
  using place = temporaryPlace();
  const [one, two] = ["default/one", "default/two"];
  {
    await using pool = poolAt(place.path, "one", "two");
    await flush(pool, [changed({ version: 1 })], one);
    await flush(pool, [changed({ version: 2 })], two);
    expect((await flush(pool, [blind()], one)).commits).toEqual([1]);
    // Its state ref has passed that commit when its own turn comes.
    await flush(pool, [changed({ version: 3, content: "c\n" })], two);
    expect((await flush(pool, [blind()], two)).commits).toEqual([0]);
  }
  await using pool = poolAt(place.path, "one", "two");
  for (const id of [one, two]) expect((await flush(pool, [blind()], id)).commits).toEqual([0]);
  expect(place.git("rev-list", "--count", "main")).toBe("4");
});

test("is pushed, and kept where the branch is built anew on somebody else's commit", async () => {
  using world = new MirrorWorld();
  await world.commit("a", "one");
  await world.push();
  await flush(world.pool, [blind()]);
  await world.commit("b", "two");
  world.edit({ "README.md": "mine\n" });
  expect(await world.pool.mirrors.rebuild(target, world.fetch())).toBe(2);
  expect((await flush(world.pool, [blind()])).commits).toEqual([0]);
  await world.push();
  expect(world.log("%an|%s|%(trailers:key=Kubescribe-Blind-Reason,valueonly,separator=)").slice(1)).toEqual([
    "mallory|mine|",
    `kubescribe|Attribution was blind from 2026-11-26 12:03:11 to 12:05:40 UTC: ${missing.message}|webhook-missing`,
    "alice@example.com|Update configmaps default/b|",
  ]);
  world.check();
});
