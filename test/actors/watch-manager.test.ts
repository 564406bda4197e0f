import { describe, expect, test } from "vitest";

import { WatchGate } from "../../actors/watch-gate.ts";
import { WatchManager } from "../../actors/watch-manager.ts";
import type { TypeSelection, WatchStart } from "../../actors/watch-manager.ts";
import type { ResourceType, ResourceVersion } from "../../machines/messages.ts";
import { typeKeyOf } from "../../machines/messages.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { createSimulatedClock, settled } from "../../src/simulation/simulated-clock.ts";
import { configMaps } from "../fakes/messages.ts";
import { FakeWatchSource } from "../fakes/watch-source.ts";

const widgets: ResourceType = {
  ...configMaps,
  key: typeKeyOf("example.com", "widgets"),
  group: "example.com",
  resource: "widgets",
  kind: "Widget",
};

class World {
  readonly clock = createSimulatedClock();
  readonly source = new FakeWatchSource();
  readonly log = new FakeLog();
  readonly manager: WatchManager;
  selection: TypeSelection | Error;
  start: WatchStart | null = null;
  scans = 0;

  constructor(...types: readonly ResourceType[]) {
    this.selection = { types, uncertain: () => false };
    this.manager = this.#manage();
  }

  get watched(): readonly string[] {
    return this.manager.watches.map(({ type }) => `${type.key} ${type.version}`);
  }

  #manage(): WatchManager {
    return new WatchManager({
      select: () => {
        this.scans += 1;
        return this.selection instanceof Error ? Promise.reject(this.selection) : Promise.resolve(this.selection);
      },
      source: this.source,
      cursorOf: () => this.start,
      sink: () => undefined,
      clock: this.clock,
      random: () => 0.5,
      meter: new FakeMeter(),
      log: this.log,
      listConcurrency: 1,
    });
  }
}

const complete = async (source: FakeWatchSource, at = "10") => {
  const stream = await source.nextStream();
  stream.receiver.bookmark(at as ResourceVersion, true);
  return stream;
};

test("who gives up at the gate of lists takes nobody's place", async () => {
  const gate = new WatchGate(1);
  const first = await gate.enter(new AbortController().signal);
  const leaving = new AbortController();
  const second = gate.enter(leaving.signal);
  const third = gate.enter(new AbortController().signal);
  leaving.abort();
  expect(await second).toBeNull();
  first?.[Symbol.dispose]();
  expect(await third).not.toBeNull();
});

describe("the watch manager", () => {
  test("is synced when each type's first list was passed on; so many lists at a time", async () => {
    const world = new World(configMaps, widgets);
    await using manager = world.manager;
    const first = await world.source.nextStream();
    await expect(world.source.nextStream()).rejects.toThrow("Nothing is asked");
    expect(manager.synced).toBe(false);
    first.receiver.bookmark("10" as ResourceVersion, true);
    await complete(world.source);
    expect(manager.synced).toBe(true);
  });

  test("holds a server against the highest cursor, though the watch begins at the lowest", async () => {
    const world = new World(configMaps);
    const at = (version: string) => ({ epoch: 0, resourceVersion: version as ResourceVersion });
    world.start = { cursor: at("7"), seen: at("9") };
    await using _ = world.manager;
    await (await world.source.nextVersion()).answer({ kind: "counted", version: "8" as ResourceVersion });
    await world.source.nextStream();
    expect(world.source.asked).toEqual(["version", "stream latest"]);
  });

  test("begins anew where somebody who comes later has seen more than the watch, and nowhere else", async () => {
    const world = new World(configMaps);
    const at = (version: string, epoch = 0) => ({ epoch, resourceVersion: version as ResourceVersion });
    await using manager = world.manager;
    await complete(world.source, "10");
    manager.heed(configMaps.key, at("10"));
    manager.heed(widgets.key, at("99"));
    await settled();
    expect(world.source.asked).toEqual(["stream latest"]);
    world.start = { cursor: at("10"), seen: at("3", 1) };
    manager.heed(configMaps.key, at("3", 1));
    await settled();
    await (await world.source.nextVersion()).answer({ kind: "counted", version: "12" as ResourceVersion });
    await complete(world.source, "12");
    expect(world.source.asked).toEqual(["stream latest", "version", "stream latest"]);
    expect(manager.watches.map(({ cursor }) => cursor)).toEqual([at("12", 1)]);
  });

  test("starts and stops watches as types come and go", async () => {
    const world = new World(configMaps);
    await using _ = world.manager;
    await settled();
    world.selection = { types: [configMaps, widgets], uncertain: () => false };
    await world.clock.run(10_000);
    expect(world.watched).toEqual(["core/configmaps v1", "example.com/widgets v1"]);
    world.selection = { types: [widgets], uncertain: () => false };
    world.manager.rescan();
    await settled();
    expect(world.watched).toEqual(["example.com/widgets v1"]);
  });

  test("keeps what may only be out of sight", async () => {
    const world = new World(widgets);
    await using _ = world.manager;
    await settled();
    world.selection = { types: [], uncertain: (group) => group === "example.com" };
    await world.clock.run(10_000);
    expect(world.watched).toEqual(["example.com/widgets v1"]);
    world.selection = new Error("the server is down");
    await world.clock.run(20_000);
    expect(world.watched).toEqual(["example.com/widgets v1"]);
  });

  test("watches the other version from where the first one was", async () => {
    const world = new World(configMaps);
    await using _ = world.manager;
    await complete(world.source, "10");
    world.selection = { types: [{ ...configMaps, version: "v2" }], uncertain: () => false };
    world.manager.rescan();
    await settled();
    await (await world.source.nextVersion()).answer({ kind: "counted", version: "12" as ResourceVersion });
    expect((await world.source.nextList()).request).toMatchObject({ match: "exact", version: "10" });
    expect(world.watched).toEqual(["core/configmaps v2"]);
  });

  test("looks again at once when a type is not served", async () => {
    const world = new World(configMaps);
    await using _ = world.manager;
    const stream = await complete(world.source);
    const { scans } = world;
    await stream.fault("missing");
    expect(world.scans).toBe(scans + 1);
  });

  test("its heart beats only while every watch is alive", async () => {
    const world = new World(configMaps);
    await using manager = world.manager;
    const stream = await complete(world.source);
    await world.clock.run(60_000);
    expect(manager.heartbeatMs).toBe(world.clock.nowMs());
    const aliveMs = manager.heartbeatMs;
    await stream.fault("unavailable", 50_000);
    await world.clock.run(40_000);
    expect(manager.heartbeatMs).toBe(aliveMs);
  });
});
