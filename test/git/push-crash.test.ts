/**
 * Commits and pushes of a mirror are crashed at the calls of the file system port, and in all that a loss of power may leave; the remote, in
 * memory as well, keeps what it was given. The next process brings it the rest.
 */

import { describe, expect, test } from "vitest";

import type { FlushEntry, Outgoing, RefIds } from "../../actors/ports.ts";
import type { BranchPool } from "../../src/git/commit-pool.ts";
import { indexOfPack } from "../../src/remote/index-pack.ts";
import { diceAt } from "../../src/simulation/dice.ts";
import { aftermathsOf, reading, runs, seed, timeoutMs as timeout } from "./aftermaths.ts";
import { changed, configmaps, cursorOf, flush, temporaryPlace } from "./fixtures.ts";
import { MemoryWorld } from "./memory-world.ts";

const chains = 60 * runs;
const target = "default/history";
const branch = "refs/heads/main";

/** Each is committed and pushed: two packs that become one for the push, one pack as it is, and a cursor alone. */
const rounds: readonly (readonly (readonly FlushEntry[])[])[] = [
  [[changed({ version: 11, name: "a" }), changed({ version: 12, name: "b" })], [changed({ version: 13, name: "a" })]],
  [[changed({ version: 14, name: "b", operation: "DELETE" })]],
  [[{ kind: "resync", type: configmaps, cursor: cursorOf(20, 1), present: [{ namespace: "default", name: "a" }] }]],
];
const subjects = [
  "Delete configmaps default/b",
  "Update configmaps default/a",
  "Update configmaps default/b",
  "Update configmaps default/a",
];

class PlayedRemote {
  readonly world: MemoryWorld;
  readonly refs: RefIds;

  constructor(world = new MemoryWorld(), refs: RefIds = {}) {
    this.world = world;
    this.refs = refs;
  }

  /** What it is after a push, from the bytes that are sent; null: not a fast-forward. */
  async pushed(from: MemoryWorld, { updates, packPath }: Outgoing): Promise<PlayedRemote | null> {
    if (updates.some((each) => each.from !== (this.refs[each.ref] ?? ""))) return null;
    const pack = await from.fs.readFile(packPath);
    const { fs } = this.world;
    const after = new MemoryWorld(fs);
    const name = `/repo/objects/pack/pack-${Buffer.from(pack.subarray(-20)).toString("hex")}`;
    await write(after, `${name}.pack`, pack);
    await write(after, `${name}.idx`, await indexOfPack({ packPath: `${name}.pack`, wants: [] }, after.fs));
    const refs = { ...this.refs };
    for (const { ref, to } of updates) {
      refs[ref] = to;
      await write(after, `/repo/${ref}`, Buffer.from(`${to}\n`));
    }
    return new PlayedRemote(after, refs);
  }
}

async function write({ fs }: MemoryWorld, path: string, bytes: Uint8Array): Promise<void> {
  await fs.makeDirectory(path.slice(0, path.lastIndexOf("/")));
  await using file = await fs.open(path, "create");
  await file.write(bytes);
}

/** As the upstream actor does it, with `delivered` told in the moment in which the remote has it. */
async function push(
  world: MemoryWorld,
  { pool, remote, delivered }: { pool: BranchPool; remote: PlayedRemote; delivered: (remote: PlayedRemote) => void },
): Promise<PlayedRemote> {
  let reached = remote;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const outgoing = await pool.mirrors.outgoing(target, false);
    if (outgoing === null) return reached;
    const after = await reached.pushed(world, outgoing);
    if (after === null) {
      await pool.mirrors.rebuild(target, reached.refs);
      continue;
    }
    reached = after;
    delivered(reached);
    await pool.mirrors.arrived(target, Object.fromEntries(outgoing.updates.map(({ ref, to }) => [ref, to])));
  }
  throw new Error("three pushes, and the remote is not level");
}

interface Progress {
  readonly flushes: number;
  readonly remote: PlayedRemote;
}

/** Goes on from `progress`; each step of it is told. */
async function play(world: MemoryWorld, progress: Progress, told: (progress: Progress) => void): Promise<Progress> {
  const pool = world.pool({ isMirror: true });
  let { flushes, remote } = progress;
  let at = 0;
  for (const round of rounds) {
    for (const entries of round) {
      at += 1;
      if (at <= progress.flushes) continue;
      await flush(pool, entries);
      told({ flushes: (flushes = at), remote });
    }
    const delivered = (reached: PlayedRemote): void => told({ flushes, remote: (remote = reached) });
    if (at >= progress.flushes) await push(world, { pool, remote, delivered });
  }
  return { flushes, remote };
}

async function expectLevel(world: MemoryWorld, remote: PlayedRemote, at: string): Promise<void> {
  expect(await world.subjects(), at).toEqual(subjects);
  expect(await remote.world.readAll(), at).toEqual(subjects);
  const pool = world.pool({ isMirror: true });
  expect((await pool.open(target)).cursors.get(configmaps.key), at).toEqual(cursorOf(20, 1));
  expect(await pool.mirrors.outgoing(target, false), at).toBeNull();
  // A second cluster's process that starts from the remote alone would go on from there.
  await write(remote.world, "/repo/HEAD", Buffer.from(`ref: ${branch}\n`));
  expect((await remote.world.pool().open(target)).cursors.get(configmaps.key), at).toEqual(cursorOf(20, 1));
}

function expectSound(world: MemoryWorld, at: string): void {
  using place = temporaryPlace();
  world.copyTo(place.path);
  expect(place.git("fsck", "--strict", "--no-dangling"), at).toBe("");
}

describe.each([
  // A process that dies before it reads leaves what it leaves at its next write.
  { fault: "crash", loss: "process", strikes: (name: string) => !reading.has(name) },
  { fault: "ENOSPC", loss: "process", strikes: (name: string) => /^(open|write|makeDirectory|rename)$/.test(name) },
  { fault: "EIO", loss: "power", strikes: () => true },
] as const)("$fault, then $loss loss", ({ fault, loss, strikes }) => {
  test("loses and doubles nothing on either side, and the next process brings the rest", { timeout }, async () => {
    for (let at = 0; ; at += 1) {
      const world = new MemoryWorld();
      let candidates = 0;
      let struck = false;
      const isNext = (name: string): boolean => strikes(name) && candidates++ === at;
      world.fs.inject({ at: (_call, name) => (isNext(name) ? ((struck = true), fault) : null) });
      let progress: Progress = { flushes: 0, remote: new PlayedRemote() };
      await play(world, progress, (reached) => (progress = reached)).catch(() => {});
      world.fs.restart(loss);
      world.clock.advance(60_000);
      const { remote } = await play(world, progress, () => {});
      await expectLevel(world, remote, `call ${at}`);
      if (at % 60 === 7 || !struck) expectSound(remote.world, `call ${at}`);
      if (!struck) return;
    }
  });
});

test(
  "whatever reached the disk when the power went, both sides end level, with each change once",
  { timeout },
  async () => {
    const world = new MemoryWorld();
    const reached: Progress[] = [{ flushes: 0, remote: new PlayedRemote() }];
    const { states, counts } = await aftermathsOf(world.fs, 400, async (acknowledge) => {
      await play(world, { flushes: 0, remote: new PlayedRemote() }, (progress) => {
        reached.push(progress);
        acknowledge();
      });
    });
    console.log(`commits and pushes: ${counts}`);
    for (const [index, { fs, at, acknowledged }] of states.entries()) {
      const after = new MemoryWorld(fs);
      after.clock.advance(60_000);
      const progress = reached[acknowledged] ?? { flushes: 0, remote: new PlayedRemote() };
      const { remote } = await play(after, progress, () => {});
      after.fs.restart("power");
      await expectLevel(after, remote, at);
      if (index % 100 !== 0) continue;
      expectSound(after, at);
      expectSound(remote.world, at);
    }
  },
);

test("the power may go again and again, also while the last loss is being mended", { timeout }, async () => {
  let losses = 0;
  for (let chain = 0; chain < chains; chain += 1) {
    const dice = diceAt(seed, chain);
    let world = new MemoryWorld();
    let progress: Progress = { flushes: 0, remote: new PlayedRemote() };
    for (let loss = dice.below(5); loss >= 0; loss -= 1) {
      const last = loss === 0 ? Number.POSITIVE_INFINITY : dice.below(200);
      world.fs.inject({ at: (call) => (call === last ? "crash" : null) });
      await play(world, progress, (reached) => (progress = reached)).catch((error: unknown) => {
        if (loss === 0) throw error;
      });
      if (loss > 0) losses += 1;
      world.fs.restart("power", dice.next);
      world = new MemoryWorld(world.fs);
      world.clock.advance(60_000);
    }
    await expectLevel(world, progress.remote, `chain ${chain} (seed ${seed})`);
  }
  console.log(`commits and pushes: ${losses} losses of power, one after the other, in ${chains} chains (seed ${seed})`);
});
