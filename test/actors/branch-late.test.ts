/** A target whose repository cannot be opened when the shared watch begins. */

import { describe, expect, test } from "vitest";

import { BranchActor } from "../../actors/branch-actor.ts";
import {
  blind,
  changed,
  configmaps,
  cursor,
  event,
  FakeCatchUp,
  FakeLog,
  FakeMeter,
  FakePool,
  memoryFiles,
  progressed,
  secrets,
} from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";

class World {
  readonly pool = new FakePool();
  readonly clock = createSimulatedClock();
  readonly catchUp = new FakeCatchUp();
  readonly log = new FakeLog();
  readonly files = new Map<string, string>();
  readonly branch = new BranchActor(
    {
      targetId: "default/history",
      cluster: "cluster-1",
      types: [configmaps.key, secrets.key],
      pool: this.pool,
      catchUp: this.catchUp.run,
      clock: this.clock,
      random: () => 0.5,
      files: memoryFiles(this.files),
      dataDir: "/data",
      meter: new FakeMeter(),
      log: this.log,
    },
    null,
  );

  /** At version 1 of ConfigMaps, or at none; the shared watch stands as `shared` says. */
  open(shared: number, holds = true): void {
    const cursors = new Map(holds ? [[configmaps.key, cursor(1)]] : []);
    const stands = [configmaps.key, ...(holds ? [] : [secrets.key])].map((key) => [key, cursor(shared)] as const);
    this.branch.openLate({ tip: "tip", cursors }, new Map(stands));
  }

  async observe(...versions: readonly number[]): Promise<void> {
    for (const version of versions) this.catchUp.send({ kind: "observed", event: event({ version }), epoch: 0 });
    await this.clock.run(1000);
  }
}

describe("a target that is opened late", () => {
  test("commits nothing before, and then all of it once, by the authors that were heard of", async () => {
    const world = new World();
    const { branch, pool, clock, catchUp, files } = world;
    branch.receive(changed({ version: 4 }, "alice"));
    branch.receive(changed({ version: 5 }, "bob"));
    await clock.run(120_000);
    expect(branch.status()).toMatchObject({ state: "unopened", supply: "detached", queueDepth: 0 });
    expect([pool.requests.length, catchUp.starts.length, files.size]).toEqual([0, 0, 0]);
    world.open(5);
    expect(catchUp.starts).toEqual([{ typeKey: configmaps.key, from: cursor(1), seen: cursor(5) }]);
    await world.observe(2, 4, 5);
    branch.receive(changed({ version: 6 }, "carol"));
    await clock.run(120_000);
    expect(pool.log).toEqual(["UPDATE a@2 unresolved", "UPDATE a@4 alice", "UPDATE a@5 bob", "UPDATE a@6 carol"]);
    expect(branch.status()).toMatchObject({ state: "idle", supply: "attached", tip: "tip-4" });
    expect(files.size).toBe(1);
  });

  test("catches up though the shared watch has said nothing yet", async () => {
    const world = new World();
    world.open(3);
    await world.observe(2);
    expect(world.pool.log).toEqual(["UPDATE a@2 unresolved"]);
    await world.observe(4);
    expect(world.branch.status().supply).toBe("attached");
    expect(world.branch.cursorOf(configmaps.key)).toEqual(cursor(3));
  });

  test("has nothing to catch up where the shared watch has come no further", async () => {
    const world = new World();
    world.open(1);
    world.branch.receive(progressed(1));
    world.branch.receive(changed({ version: 2 }, "alice"));
    await world.clock.run(1000);
    expect(world.catchUp.starts).toEqual([]);
    expect(world.pool.log).toEqual(["UPDATE a@2 alice"]);
  });

  test("begins with one snapshot of all types where it holds nothing", async () => {
    const world = new World();
    world.branch.receive(changed({ version: 4 }, "alice"));
    world.open(5, false);
    for (const type of [configmaps, secrets])
      world.catchUp.send({ kind: "listed", type, ...cursor(6), unbroken: false, items: [event({ type, version: 4 })] });
    await world.clock.run(1000);
    expect(world.pool.requests.map(({ entries }) => entries.length)).toEqual([2]);
    expect(world.pool.log).toEqual(["snapshot core/configmaps@6 a", "snapshot core/secrets@6 a"]);
    expect(world.branch.status().supply).toBe("attached");
  });

  test("is held against lists at its own cursors, and tells of blind times, before it catches up", async () => {
    const world = new World();
    const { branch, pool, clock } = world;
    branch.receive(blind(7));
    branch.receive(changed({ version: 4 }, "alice"));
    const outOfFormat = new Set([configmaps.key]);
    const cursors = new Map([[configmaps.key, cursor(1)]]);
    const shared = new Map([[configmaps.key, cursor(4)]]);
    branch.openLate({ tip: "tip", cursors, outOfFormat }, shared, [
      { type: configmaps, cursor: cursor(1), items: [event({ version: 1 })] },
    ]);
    await world.observe(4);
    await clock.run(1000);
    expect(pool.log).toEqual(["format core/configmaps a", "blind 7 8", "UPDATE a@4 alice"]);
    expect(branch.status()).toMatchObject({ state: "idle", supply: "attached" });
    expect([...branch.outOfFormat]).toEqual([]);
  });

  test("does not take its own list for a word of the shared watch", async () => {
    const world = new World();
    const { branch, pool, clock } = world;
    const list = { type: configmaps, cursor: cursor(1), items: [event({ version: 1 })] };
    const state = {
      tip: "tip",
      cursors: new Map([[configmaps.key, cursor(1)]]),
      outOfFormat: new Set([configmaps.key]),
    };
    branch.openLate(state, new Map(), [list]);
    branch.receive(changed({ version: 4 }, "alice"));
    await world.observe(2, 4);
    await clock.run(1000);
    expect(pool.log).toEqual(["format core/configmaps a", "UPDATE a@2 unresolved", "UPDATE a@4 alice"]);
  });

  test("is stopped by what keeps it from being opened for good", async () => {
    const world = new World();
    world.branch.openLate(new Error("somebody else has it"), new Map());
    expect(world.branch.status()).toMatchObject({ state: "stopped", lastError: { message: "somebody else has it" } });
    world.branch.receive(changed({ version: 2 }));
    await world.clock.run(1000);
    expect(world.pool.requests).toEqual([]);
  });

  test("does not open behind its end", async () => {
    const world = new World();
    world.branch.receive(changed({ version: 4 }));
    await world.branch[Symbol.asyncDispose]();
    world.open(5);
    expect(world.catchUp.starts).toEqual([]);
    await world.clock.run(120_000);
    expect(world.files.size).toBe(0);
  });
});
