/** A flush is crashed at the calls of the file system port, in each way that files can fail, and in all that a loss of power may leave. */

import { describe, expect, test } from "vitest";
import type { FlushEntry } from "../../actors/ports.ts";
import { aftermathsOf, timeoutMs as timeout } from "./aftermaths.ts";
import { changed, cursorOf, flush, itemOf, temporaryPlace, configmaps } from "./fixtures.ts";
import { MemoryWorld } from "./memory-world.ts";

const snapshot: FlushEntry = {
  kind: "snapshot",
  type: configmaps,
  cursor: cursorOf(10),
  items: [itemOf({ version: 3, name: "a" }), itemOf({ version: 4, name: "b" })],
};
const first = [
  changed({ version: 11, name: "a", content: "one\n" }),
  changed({ version: 12, name: "c", content: "two\n" }),
];
const second = [
  changed({ version: 13, name: "b", operation: "DELETE" }),
  changed({ version: 14, name: "a", content: "three\n" }),
  changed({ version: 15, name: "a", content: "four\n" }),
];
const flushes = [[snapshot], first, second];
const subjects = [
  "Update configmaps default/a",
  "Update configmaps default/a",
  "Delete configmaps default/b",
  "Update configmaps default/c",
  "Update configmaps default/a",
  "Snapshot of core/configmaps",
];

const faults = [
  { fault: "crash", loss: "power", from: 0, stride: 1 },
  { fault: "crash", loss: "process", from: 0, stride: 1 },
  { fault: "torn", loss: "power", from: 0, stride: 1 },
  { fault: "ENOSPC", loss: null, from: 0, stride: 1 },
  // Into an existing history only: fewer calls, so that more of them are told apart below.
  { fault: "EIO", loss: null, from: 2, stride: 1 },
] as const;

/** Returns how many calls there were, and whether the fault struck. */
async function runCrashedAt(
  at: number,
  { fault, loss, from }: (typeof faults)[number],
  world: MemoryWorld,
): Promise<boolean> {
  let pool = world.pool();
  for (const entries of flushes.slice(0, from)) await flush(pool, entries);
  let struck = false;
  world.fs.inject({
    at: (call) => {
      if (call !== at) return null;
      struck = true;
      return fault;
    },
  });
  for (const entries of flushes.slice(from)) {
    for (let attempt = 0; ; attempt++) {
      try {
        await flush(pool, entries);
        if (attempt === 0) break;
        // What is told as durable after a failure is no less durable: an earlier attempt's leftovers may never have been synced.
        world.fs.restart("power");
        pool = world.pool();
        break;
      } catch (error) {
        if (attempt > 2) throw error;
        if (loss !== null) {
          world.fs.restart(loss);
          pool = world.pool();
        }
        // Beyond the age at which a lock of a dead process is taken over.
        world.clock.advance(60_000);
      }
    }
  }
  return struck;
}

describe.each(faults)("$fault, then $loss loss, from flush $from on", (fault) => {
  test("leaves each change in one commit, once repeated, and what stock git calls sound", async () => {
    for (let at = 0; ; at += fault.stride) {
      const world = new MemoryWorld();
      const struck = await runCrashedAt(at, fault, world);
      world.fs.inject({});
      const state = await world.pool().open("default/history");
      expect(state.cursors.get(configmaps.key), `call ${at}`).toEqual(cursorOf(15));
      expect(await world.subjects(), `call ${at}`).toEqual(subjects);
      // Stock git is slow to start: it looks at some, and at the last.
      if (at % 40 === 6 || !struck) {
        using place = temporaryPlace();
        world.copyTo(place.path);
        expect(place.git("fsck", "--strict", "--no-dangling"), `call ${at}`).toBe("");
        expect(place.git("log", "--format=%s").split("\n"), `call ${at}`).toEqual(subjects);
      }
      if (!struck) return;
    }
  });

  test("leaves a sound repository even before it is repeated", async () => {
    if (fault.loss === null) return;
    for (let at = 5; ; at += 29) {
      const world = new MemoryWorld();
      const pool = world.pool();
      let struck = false;
      world.fs.inject({ at: (call) => (call === at ? ((struck = true), fault.fault) : null) });
      for (const entries of flushes) await flush(pool, entries).catch(() => {});
      if (!struck) return;
      world.fs.restart(fault.loss);
      using place = temporaryPlace();
      world.copyTo(place.path);
      if (!world.fs.files().has("/repo/HEAD")) continue;
      expect(place.git("fsck", "--strict", "--no-dangling"), `call ${at}`).toBe("");
    }
  });
});

/** How many commits there are after so many flushes. */
const commitsAfter = [0, 1, 3, 6];

test(
  "whatever of it reached the disk when the power went, what is missing is committed, and nothing else",
  { timeout },
  async () => {
    const world = new MemoryWorld();
    const { states, counts } = await aftermathsOf(world.fs, 1500, async (acknowledge) => {
      const pool = world.pool();
      for (const entries of flushes) {
        await flush(pool, entries);
        acknowledge();
      }
    });
    console.log(`flushes: ${counts}`);
    for (const [index, { fs, at, acknowledged }] of states.entries()) {
      const after = new MemoryWorld(fs);
      // Beyond the age at which a lock of a dead process is taken over.
      after.clock.advance(60_000);
      const before = (await after.subjects()).length;
      expect(commitsAfter.slice(acknowledged, acknowledged + 2), at).toContain(before);
      if (index % 100 === 0 && fs.files().has("/repo/HEAD")) expectSound(after, at);
      const pool = after.pool();
      await pool.open("default/history");
      for (const entries of flushes.slice(acknowledged)) await flush(pool, entries);
      // What the recovery built on is as durable as what it wrote itself.
      after.fs.restart("power");
      expect((await after.pool().open("default/history")).cursors.get(configmaps.key), at).toEqual(cursorOf(15));
      expect(await after.readAll(), at).toEqual(subjects);
      if (index % 100 === 50) expectSound(after, at);
    }
  },
);

test(
  "what a killed process left unsynced, and the next one built on, survives a loss of power",
  { timeout },
  async () => {
    let tried = 0;
    let kills = 0;
    for (let at = 0, struck = true; struck; at += 1) {
      const world = new MemoryWorld();
      struck = false;
      world.fs.inject({ at: (call) => (call === at ? ((struck = true), "crash") : null) });
      const pool = world.pool();
      for (const entries of flushes) await flush(pool, entries).catch(() => {});
      world.fs.restart("process");
      world.clock.advance(60_000);
      kills += 1;
      const next = world.pool();
      for (const entries of flushes) await flush(next, entries);
      const { states } = await aftermathsOf(world.fs, 6, async () => {});
      for (const { fs } of states) {
        const after = new MemoryWorld(fs);
        expect(await after.readAll(), `call ${at}`).toEqual(subjects);
        tried += 1;
      }
    }
    console.log(`flushes: ${kills} kills, ${tried} states after a loss of power behind the next process`);
  },
);

function expectSound(world: MemoryWorld, at: string): void {
  using place = temporaryPlace();
  world.copyTo(place.path);
  expect(place.git("fsck", "--strict", "--no-dangling"), at).toBe("");
}
