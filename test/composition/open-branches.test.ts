import { expect, test } from "vitest";

import type { CommitPool } from "../../actors/ports.ts";
import type { Cursor, ResourceVersion, Uid, WatchMessage } from "../../machines/messages.ts";
import { parseRunOptions } from "../../src/config/run-options.ts";
import { WatchPeers } from "../../actors/watch-peers.ts";
import { catchUpOf, openBranches, sharedStart } from "../../src/composition/open-branches.ts";
import { RuleView } from "../../src/composition/rule-view.ts";
import { cursor, FakeLog, FakeMeter, memoryFiles } from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { configMaps } from "../fakes/messages.ts";
import { FakeWatchSource } from "../fakes/watch-source.ts";

class OneType extends RuleView {
  override typeOf(): typeof configMaps {
    return configMaps;
  }
}

test("the shared watch begins where a target stopped among the deletions of one version", () => {
  const whole: Cursor = { epoch: 0, resourceVersion: "12" as ResourceVersion };
  const part: Cursor = { ...whole, uids: ["a" as Uid] };
  const higher: Cursor = { ...whole, resourceVersion: "13" as ResourceVersion };
  const branchesAt = (...cursors: readonly (Cursor | undefined)[]) =>
    cursors.map((cursor) => ({ cursorOf: () => cursor }));
  expect(sharedStart(configMaps.key, branchesAt(higher, whole, part, undefined))).toEqual({
    cursor: part,
    seen: higher,
  });
  expect(sharedStart(configMaps.key, branchesAt(part, whole, higher))).toEqual({ cursor: part, seen: higher });
  expect(sharedStart(configMaps.key, branchesAt(higher, whole))).toEqual({ cursor: whole, seen: higher });
  expect(sharedStart(configMaps.key, branchesAt(undefined))).toBeNull();
});

test("a catch-up that begins with a list counts in the shared watch's epochs", async () => {
  const source = new FakeWatchSource();
  const log = new FakeLog();
  const ports = { clock: createSimulatedClock(), random: () => 0.5, meter: new FakeMeter(), log };
  const rules = new OneType({ documents: [], discovery: { read: () => Promise.reject(new Error("not asked")) }, log });
  const said: WatchMessage[] = [];
  const stopping = new AbortController();
  const sink = (message: WatchMessage): void => void said.push(message);
  const start = { typeKey: configMaps.key, from: null, seen: cursor(9, 2) };
  const caughtUp = catchUpOf({ ...ports, rules, source, peers: new WatchPeers() })(start, sink, stopping.signal);
  await (await source.nextVersion()).answer({ kind: "counted", version: "9" as ResourceVersion });
  const stream = await source.nextStream();
  stream.receiver.bookmark("10" as ResourceVersion, true);
  stream.receiver.bookmark("11" as ResourceVersion, false);
  expect(said.map(({ kind, epoch }) => `${kind} ${epoch}`)).toEqual(["listed 2", "bookmarked 2"]);
  stopping.abort();
  await stream.fault("broken");
  await caughtUp;
});

test("files of another format are compared at each target's own cursor, and a list that fails stops nothing", async () => {
  const source = new FakeWatchSource();
  const log = new FakeLog();
  const clock = createSimulatedClock();
  const rules = new OneType({ documents: [], discovery: { read: () => Promise.reject(new Error("not asked")) }, log });
  const pool: CommitPool = {
    open: (targetId) => {
      const cursors = new Map([[configMaps.key, cursor(Number(targetId))]]);
      return Promise.resolve({ tip: "tip", cursors, outOfFormat: new Set([configMaps.key]) });
    },
    flush: () => Promise.reject(new Error("nothing is flushed yet")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const flags = ["--config", "rules", "--tls-cert-file", "crt", "--tls-key-file", "key"];
  const opening = openBranches(["5", "8", "9"], {
    options: parseRunOptions(flags, "/"),
    clusterUid: "cluster",
    rules,
    source,
    peers: new WatchPeers(),
    pool,
    flushed: () => {},
    lateness: () => undefined,
    clock,
    random: () => 0.5,
    files: memoryFiles(),
    meter: new FakeMeter(),
    log,
    signal: new AbortController().signal,
  });
  // What passes by itself is waited for.
  await (await source.nextList()).fault("broken");
  await clock.run(1000);
  for (const version of ["5", "8"] as ResourceVersion[]) {
    await (await source.nextList()).answer({ kind: "listed", version, items: [] });
  }
  await (await source.nextList()).fault("gone");
  const { branches } = await opening;
  const asked = ["5", "5", "8", "9"].map((version) => `list exact ${version}`);
  expect(source.asked).toEqual(asked);
  expect([...branches.values()].map((branch) => branch.status().queueDepth)).toEqual([1, 1, 0]);
  expect([...(branches.get("9")?.outOfFormat ?? [])]).toEqual([configMaps.key]);
  expect([...branches.values()].map((branch) => branch.status().state)).toEqual(["collecting", "collecting", "idle"]);
  expect(log.lines).toEqual(["warn files of another format cannot be compared yet"]);
});
