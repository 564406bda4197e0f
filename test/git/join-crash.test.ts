/** Joining packs is crashed at each call of the file system port, beside a repository that goes on taking commits. */

import { describe, expect, test } from "vitest";

import { joinPacks } from "../../src/git/pack-joining.ts";
import { aftermathsOf, timeoutMs as timeout } from "./aftermaths.ts";
import { changed, configmaps, cursorOf, flush, temporaryPlace } from "./fixtures.ts";
import { MemoryWorld } from "./memory-world.ts";

const options = { gitDirectory: "/repo", owner: "default%2Fhistory", sync: true, atOnce: 4 };
const flushes = 5;

async function filled(): Promise<MemoryWorld> {
  const world = new MemoryWorld();
  const pool = world.pool();
  for (let version = 1; version <= flushes; version += 1)
    await flush(pool, [changed({ version, name: `n${version % 2}` })]);
  return world;
}

const packsIn = (world: MemoryWorld): number =>
  [...world.fs.files().keys()].filter((name) => name.endsWith(".idx")).length;

describe.each([
  { fault: "crash", loss: "power" },
  { fault: "crash", loss: "process" },
  { fault: "torn", loss: "power" },
  { fault: "ENOSPC", loss: "process" },
  { fault: "EIO", loss: "power" },
] as const)("$fault, then $loss loss", ({ fault, loss }) => {
  test("leaves every object, and is done the next time", async () => {
    const { fs } = await filled();
    for (let at = 0; ; at += 1) {
      const world = new MemoryWorld(fs);
      let struck = false;
      world.fs.inject({ at: (call) => (call === at ? ((struck = true), fault) : null) });
      await joinPacks({ ...options, fs: world.fs }).catch(() => {});
      world.fs.restart(loss);
      world.fs.inject({});
      world.clock.advance(60_000);
      const pool = world.pool();
      expect((await pool.open("default/history")).cursors.get(configmaps.key), `call ${at}`).toEqual(cursorOf(flushes));
      expect((await flush(pool, [changed({ version: flushes + 1, name: "n0" })])).commits).toEqual([1]);
      await joinPacks({ ...options, fs: world.fs });
      const packs = packsIn(world);
      // What the one before left unsynced is as durable as what was built on it.
      world.fs.restart("power");
      expect((await world.readAll()).length, `call ${at}`).toBe(flushes + 1);
      if (at % 20 === 3 || !struck) {
        using place = temporaryPlace();
        world.copyTo(place.path);
        expect(place.git("fsck", "--strict", "--no-dangling"), `call ${at}`).toBe("");
        expect(place.git("rev-list", "--count", "main"), `call ${at}`).toBe(String(flushes + 1));
      }
      if (struck) continue;
      expect(packs).toBeLessThan(flushes);
      return;
    }
  });
});

test(
  "whatever of it reached the disk when the power went, every object is there, and it is done the next time",
  { timeout },
  async () => {
    const world = await filled();
    // What the flushes left unsynced has arrived meanwhile.
    world.fs.restart("power", () => 0.999);
    const { states, counts } = await aftermathsOf(world.fs, 1500, () => joinPacks({ ...options, fs: world.fs }));
    console.log(`a joining of packs: ${counts}`);
    for (const [index, { fs, at }] of states.entries()) {
      const after = new MemoryWorld(fs);
      expect((await after.readAll()).length, at).toBe(flushes);
      const pool = after.pool();
      expect((await pool.open("default/history")).cursors.get(configmaps.key), at).toEqual(cursorOf(flushes));
      expect((await pool.mirrors.outgoing("default/history", false))?.commits, at).toBe(flushes);
      expect((await flush(pool, [changed({ version: flushes + 1, name: "n0" })])).commits, at).toEqual([1]);
      await joinPacks({ ...options, fs: after.fs });
      expect(packsIn(after), at).toBeLessThan(flushes);
      after.fs.restart("power");
      expect((await after.readAll()).length, at).toBe(flushes + 1);
      if (index % 100 !== 0) continue;
      using place = temporaryPlace();
      after.copyTo(place.path);
      expect(place.git("fsck", "--strict", "--no-dangling"), at).toBe("");
    }
  },
);
