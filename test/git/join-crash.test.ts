/** Joining packs is crashed at each call of the file system port, beside a repository that goes on taking commits. */

import { describe, expect, test } from "vitest";

import { joinPacks } from "../../src/git/pack-joining.ts";
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
  test("leaves every object, and is done the next time", { timeout: 60_000 }, async () => {
    for (let at = 0; ; at += 1) {
      const world = await filled();
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
      if (at % 20 === 3 || !struck) {
        using place = temporaryPlace();
        world.copyTo(place.path);
        expect(place.git("fsck", "--strict", "--no-dangling"), `call ${at}`).toBe("");
        expect(place.git("rev-list", "--count", "main"), `call ${at}`).toBe(String(flushes + 1));
      }
      if (struck) continue;
      expect(packsIn(world)).toBeLessThan(flushes);
      return;
    }
  });
});
