import { Subject } from "rxjs";
import { describe, expect, test } from "vitest";

import { KnownStore } from "../../actors/known-store.ts";
import type { ResourceRecord } from "../../actors/resource-record.ts";
import type { ObjectHash, ResourceKey, ResourceVersion, TypeKey, Uid, WatchMessage } from "../../machines/messages.ts";
import { KnownKeeper } from "../../src/composition/known-keeper.ts";
import { FakeLog } from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { configMaps } from "../fakes/messages.ts";

const key = "core/configmaps/default/a" as ResourceKey;

describe("what is known of the resources", () => {
  test("is on disk a second after something was seen, and untouched while nothing is", async () => {
    const { clock, files, log, observe, store, keeper } = world();
    observe("7");
    await clock.run(1000);
    expect(await versions(store)).toEqual(["7"]);
    observe("8");
    await files.remove("/data/known/core%2Fconfigmaps.jsonl");
    await clock.run(2000);
    expect(await versions(store)).toEqual(["8"]);
    await files.remove("/data/known/core%2Fconfigmaps.jsonl");
    await clock.run(10_000);
    expect(await versions(store)).toEqual([]);
    expect(log.lines).toEqual([]);
    keeper[Symbol.dispose]();
    expect(clock.armed).toBe(0);
  });

  test("is tried again when it could not be written, and said in the log", async () => {
    const { clock, files, log, observe, store } = world();
    let full = true;
    const open = files.open.bind(files);
    files.open = (path, mode) => (full ? Promise.reject(new Error("no space left")) : open(path, mode));
    observe("7");
    await clock.run(1000);
    expect(log.lines).toHaveLength(1);
    full = false;
    await clock.run(2000);
    expect(await versions(store)).toEqual(["7"]);
  });
});

function world() {
  const clock = createSimulatedClock();
  const files = new MemoryFileSystem(clock);
  const log = new FakeLog();
  const watch$ = new Subject<WatchMessage>();
  let resourceVersion = "";
  const store = new KnownStore(files, "/data", log);
  const recordsOf = (): readonly (readonly [ResourceKey, ResourceRecord])[] => [[key, recordAt(resourceVersion)]];
  const keeper = new KnownKeeper({ store, clock, log, watch$, recordsOf });
  const observe = (version: string): void => {
    resourceVersion = version;
    watch$.next({
      kind: "listed",
      type: configMaps,
      resourceVersion: version as ResourceVersion,
      epoch: 0,
      unbroken: true,
      items: [],
    });
  };
  return { clock, files, log, store, keeper, observe };
}

async function versions(store: KnownStore): Promise<readonly string[]> {
  const records = await store.load("core/configmaps" as TypeKey);
  return records.map(([, { resourceVersion }]) => resourceVersion);
}

function recordAt(resourceVersion: string): ResourceRecord {
  return {
    state: "live",
    epoch: 0,
    uid: "u" as Uid,
    resourceVersion: resourceVersion as ResourceVersion,
    objectHash: "h" as ObjectHash,
    restHash: "r" as ObjectHash,
    replicas: null,
    markedThrough: "",
    tie: null,
  };
}
