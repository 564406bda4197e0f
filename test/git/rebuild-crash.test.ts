/** Building anew on a remote that has moved is crashed at each call of the file system port; the next process goes on from there. */

import { describe, expect, test } from "vitest";

import type { RefIds } from "../../actors/ports.ts";
import { readCommit } from "../../src/git/history.ts";
import { ObjectReader } from "../../src/git/object-reader.ts";
import { PackBuilder, writePack } from "../../src/git/pack.ts";
import { TreeCache } from "../../src/git/tree-cache.ts";
import { aftermathsOf, timeoutMs as timeout } from "./aftermaths.ts";
import { changed, configmaps, cursorOf, flush, temporaryPlace } from "./fixtures.ts";
import { MemoryWorld } from "./memory-world.ts";

const target = "default/history";
const branch = "refs/heads/main";
const directories = ["clusters", "prod", "default", "core", "configmaps"];

const pushed = [changed({ version: 11, name: "a", content: "one\n" }), changed({ version: 12, name: "b" })];
const unpushed = [
  [changed({ version: 13, name: "b", operation: "DELETE" }), changed({ version: 14, name: "c", content: "two\n" })],
  [changed({ version: 15, name: "c", content: "three\n" })],
];
const ours = [
  "Update configmaps default/c",
  "Update configmaps default/c",
  "Delete configmaps default/b",
  "Update configmaps default/b",
  "Update configmaps default/a",
];
const rebuilt = [...ours.slice(0, 3), "Take over 1 file that others changed", "theirs", ...ours.slice(3)];

/** Two changes are pushed, three are not, and somebody else has pushed an edit of `a` meanwhile, which was fetched. */
async function overtaken(world: MemoryWorld): Promise<RefIds> {
  const pool = world.pool();
  await flush(pool, pushed);
  const outgoing = await pool.mirrors.outgoing(target, false);
  const remote = Object.fromEntries((outgoing?.updates ?? []).map(({ ref, to }) => [ref, to]));
  await pool.mirrors.arrived(target, remote);
  for (const entries of unpushed) await flush(pool, entries);
  const reader = await ObjectReader.open(world.fs, "/repo");
  const head = remote[branch] ?? "";
  const tree = await TreeCache.read(reader, (await readCommit(reader, head)).tree);
  const pack = new PackBuilder();
  await tree.load(directories);
  tree.set(directories, "a.yaml", pack.add("blob", Buffer.from("edited\n")));
  const by = "mallory <mallory@example.com> 1700002000 +0000";
  const body = `tree ${tree.write(pack).toString("hex")}\nparent ${head}\nauthor ${by}\ncommitter ${by}\n\ntheirs\n`;
  const theirs = pack.add("commit", Buffer.from(body)).toString("hex");
  const options = { fs: world.fs, directory: "/repo/objects/pack", sync: true, owner: "fetch" };
  await writePack(pack, { ...options, announce: async () => {} });
  return { ...remote, [branch]: theirs };
}

describe.each([
  { fault: "crash", loss: "power" },
  { fault: "crash", loss: "process" },
  { fault: "torn", loss: "power" },
  { fault: "ENOSPC", loss: "process" },
  { fault: "EIO", loss: "power" },
] as const)("$fault, then $loss loss", ({ fault, loss }) => {
  test("loses and doubles nothing, and the next attempt arrives", async () => {
    const before = new MemoryWorld();
    const remote = await overtaken(before);
    for (let at = 0; ; at += 1) {
      const world = new MemoryWorld(before.fs);
      let struck = false;
      world.fs.inject({ at: (call) => (call === at ? ((struck = true), fault) : null) });
      await world
        .pool()
        .mirrors.rebuild(target, remote)
        .catch(() => {});
      world.fs.restart(loss);
      world.fs.inject({});
      // Beyond the age at which a lock of a dead process is taken over.
      world.clock.advance(60_000);
      const pool = world.pool();
      const opened = await pool.open(target);
      expect(opened.cursors.get(configmaps.key), `call ${at}`).toEqual(cursorOf(15));
      expect([ours, rebuilt], `call ${at}`).toContainEqual(await world.subjects());
      await pool.mirrors.rebuild(target, remote);
      // What the one before left unsynced is as durable as what was built on it.
      world.fs.restart("power");
      expect(await world.readAll(), `call ${at}`).toEqual(rebuilt);
      const after = await world.pool().open(target);
      expect(after.cursors.get(configmaps.key), `call ${at}`).toEqual(cursorOf(15));
      // The state ref may wait for the next flush: trailers complete it.
      expect((await world.pool().mirrors.outgoing(target, false))?.updates[0]?.ref).toBe(branch);
      if (at % 40 === 6 || !struck) {
        using place = temporaryPlace();
        world.copyTo(place.path);
        expect(place.git("fsck", "--strict", "--no-dangling"), `call ${at}`).toBe("");
        expect(place.git("show", "main:clusters/prod/default/core/configmaps/a.yaml")).toBe("one");
      }
      if (!struck) return;
    }
  });
});

test(
  "whatever of it reached the disk when the power went, nothing is lost, and the next attempt arrives",
  { timeout },
  async () => {
    const world = new MemoryWorld();
    const remote = await overtaken(world);
    // What the flushes left unsynced has arrived meanwhile.
    world.fs.restart("power", () => 0.999);
    const pool = world.pool();
    const { states, counts } = await aftermathsOf(world.fs, 1000, async (acknowledge) => {
      await pool.mirrors.rebuild(target, remote);
      acknowledge();
    });
    console.log(`a rebuilding: ${counts}`);
    for (const [index, { fs, at, acknowledged }] of states.entries()) {
      const after = new MemoryWorld(fs);
      after.clock.advance(60_000);
      expect(acknowledged === 1 ? [rebuilt] : [ours, rebuilt], at).toContainEqual(await after.subjects());
      const pool = after.pool();
      expect((await pool.open(target)).cursors.get(configmaps.key), at).toEqual(cursorOf(15));
      await pool.mirrors.rebuild(target, remote);
      after.fs.restart("power");
      expect(await after.readAll(), at).toEqual(rebuilt);
      const again = after.pool();
      expect((await again.open(target)).cursors.get(configmaps.key), at).toEqual(cursorOf(15));
      expect((await again.mirrors.outgoing(target, false))?.updates[0]?.ref, at).toBe(branch);
      if (index % 100 !== 0) continue;
      using place = temporaryPlace();
      after.copyTo(place.path);
      expect(place.git("fsck", "--strict", "--no-dangling"), at).toBe("");
    }
  },
);
