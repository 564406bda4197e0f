import { describe, expect, test } from "vitest";

import type { BlindTime } from "../../machines/blind-time.ts";
import { CoverageKeeper } from "../../src/composition/coverage-keeper.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";

const startMs = 1_700_000_000_000;

class World {
  readonly clock = createSimulatedClock(startMs);
  readonly files = new MemoryFileSystem(this.clock);
  readonly log = new FakeLog();
  readonly meter = new FakeMeter();
  readonly told: string[] = [];

  readonly sink = ({ fromMs, toMs, reasons }: BlindTime): void => {
    const to = toMs === null ? "on" : String(toMs - startMs);
    this.told.push(`${fromMs - startMs} ${to} ${reasons.map(({ code }) => code).join(" ")}`);
  };

  async life(): Promise<CoverageKeeper> {
    const { clock, files, log, meter } = this;
    return CoverageKeeper.open({ dataDir: "/data", clock, files, log, meter });
  }

  /** Takes reviews for so long, and is killed: nothing more is written. */
  async killedAfter(ms: number): Promise<void> {
    const keeper = await this.life();
    keeper.found();
    await this.clock.run(ms);
    const left = this.files.copy(this.clock);
    await keeper[Symbol.asyncDispose]();
    // What it did at its end never happened.
    for (const [path, bytes] of left.files()) {
      await using file = await this.files.open(path, "create");
      await file.write(bytes);
    }
  }
}

describe("blind times of processes", () => {
  test("the first process of all has missed nothing", async () => {
    const world = new World();
    await using keeper = await world.life();
    keeper.found();
    keeper.connect(world.sink);
    await world.clock.run(60_000);
    expect(world.told).toEqual([]);
    expect(world.meter.read("blind")).toBe(0);
  });

  test("one that was killed was seen last by its last sign of life", async () => {
    const world = new World();
    await world.killedAfter(12_000);
    await world.clock.run(8_000);
    await using keeper = await world.life();
    expect(world.meter.read("blind")).toBe(1);
    keeper.connect(world.sink);
    expect(world.told).toEqual([]);
    keeper.found();
    expect(world.told).toEqual(["10000 20000 process-down"]);
  });

  test("one that was stopped, when its listener closed", async () => {
    const world = new World();
    {
      await using keeper = await world.life();
      keeper.found();
      await world.clock.run(12_345);
      keeper.lost("closed");
      await world.clock.run(1_000);
    }
    await world.clock.run(1_000);
    await using keeper = await world.life();
    keeper.found();
    keeper.connect(world.sink);
    expect(world.told).toEqual(["12345 14345 process-down"]);
  });

  test("one that ended while it was blind already", async () => {
    const world = new World();
    {
      await using keeper = await world.life();
      keeper.found();
      keeper.connect(world.sink);
      keeper.lost("EMFILE");
      await world.clock.run(30_000);
      expect(world.told).toEqual(["0 on listener-failed"]);
    }
    await world.clock.run(1_000);
    world.told.length = 0;
    await using keeper = await world.life();
    keeper.connect(world.sink);
    keeper.found();
    expect(world.told).toEqual(["0 on listener-failed", "0 31000 listener-failed process-down"]);
  });

  test("several that never took a review are one time", async () => {
    const world = new World();
    await world.killedAfter(5_000);
    for (let lives = 3; lives > 0; lives -= 1) {
      await using keeper = await world.life();
      keeper.connect(world.sink);
      await world.clock.run(1_000);
    }
    await using keeper = await world.life();
    keeper.connect(world.sink);
    keeper.found();
    expect(world.told).toEqual(["5000 8000 process-down"]);
  });

  test("what was told lately is told again by the next process: it may not have become a commit", async () => {
    const world = new World();
    await world.killedAfter(0);
    await world.killedAfter(0);
    await world.clock.run(1_000);
    {
      await using keeper = await world.life();
      keeper.found();
      await world.clock.run(1);
    }
    await using keeper = await world.life();
    keeper.found();
    keeper.connect(world.sink);
    expect(world.told).toEqual(["0 1 process-down", "0 1000 process-down", "1001 1002 process-down"]);
  });

  test("what was told long ago is not", async () => {
    const world = new World();
    await world.killedAfter(0);
    await world.killedAfter(0);
    await world.clock.run(700_000);
    await using keeper = await world.life();
    keeper.found();
    keeper.connect(world.sink);
    expect(world.told).toEqual(["0 700000 process-down"]);
  });

  test("between two sets of branches nothing is lost", async () => {
    const world = new World();
    await using keeper = await world.life();
    keeper.found();
    const first = keeper.connect(world.sink);
    keeper.lost("EMFILE");
    keeper.found();
    first[Symbol.dispose]();
    await world.clock.run(10);
    keeper.lost("EMFILE");
    keeper.found();
    expect(world.told).toEqual(["0 1 listener-failed"]);
    keeper.connect(world.sink);
    expect(world.told).toEqual(["0 1 listener-failed", "0 1 listener-failed", "10 11 listener-failed"]);
  });

  test("a disk without room makes more blind, and is said in the log", async () => {
    const world = new World();
    const keeper = await world.life();
    keeper.found();
    await world.clock.run(1);
    const open = world.files.open.bind(world.files);
    world.files.open = () => Promise.reject(new Error("no space left"));
    await world.clock.run(10_000);
    expect(world.log.lines).toHaveLength(2);
    await keeper[Symbol.asyncDispose]();
    world.files.open = open;
    await using next = await world.life();
    next.connect(world.sink);
    next.found();
    expect(world.told).toEqual(["0 10001 process-down"]);
  });

  test("a file that is torn or foreign is none", async () => {
    const world = new World();
    await world.files.makeDirectory("/data");
    for (const text of ["", "{", "null", '{"aliveMs":"x"}']) {
      {
        await using file = await world.files.open("/data/coverage.json", "create");
        await file.write(Buffer.from(text));
      }
      await using keeper = await world.life();
      keeper.found();
      keeper.connect(world.sink);
      expect(world.told).toEqual([]);
    }
  });
});
