/** The way to the remote: real mirrors and a real repository behind a remote that fails, lies and is overtaken as the test says. */

import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";

import { UpstreamActor } from "../../actors/upstream-actor.ts";
import type { ArrivedPush } from "../../actors/committed-changes.ts";
import type { Outgoing, RefIds, Remote } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { packFile } from "../../src/remote/pack-file.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { runGit } from "../git/fixtures.ts";
import { branch, fileOf, MirrorWorld, state, target } from "../git/mirror-world.ts";

/** What befalls the next push. */
type Fate = "unreachable" | "repacked" | "cut" | "liesAboutAtomic" | "overtaken" | "refused" | "lacking";

class Distance implements Remote, Disposable {
  readonly world = new MirrorWorld();
  readonly meter = new FakeMeter();
  readonly log = new FakeLog();
  readonly fates: Fate[] = [];
  readonly arrived: ArrivedPush[] = [];
  /** Whether whole packs were asked for, each time. */
  readonly asked: boolean[] = [];
  readonly actor = new UpstreamActor({
    targetId: target,
    mirrors: {
      ...this.world.pool.mirrors,
      outgoing: (targetId, whole) => {
        this.asked.push(whole);
        return this.world.pool.mirrors.outgoing(targetId, whole);
      },
    },
    remote: this,
    intervalMs: 1000,
    clock: this.world.clock,
    random: () => 1,
    meter: this.meter,
    log: this.log,
    arrived: (push) => this.arrived.push(push),
  });

  async fetch(): Promise<RefIds> {
    return this.world.fetch();
  }

  async push(outgoing: Outgoing): Promise<RefIds> {
    const fate = this.fates.shift();
    switch (fate) {
      case undefined:
        break;
      case "unreachable":
        throw new KubescribeError("remote-unreachable", "nobody answers", { retry: "backoff" });
      case "repacked":
        return packFile(createNodeFileSystem(), `${outgoing.packPath}.gone`).then(() => this.world.refs());
      case "lacking":
        throw new KubescribeError("remote-refused", "missing necessary objects", { retry: "backoff" });
      case "refused":
        throw new KubescribeError("remote-gone", "there is no such repository", { retry: "never" });
      case "cut":
        this.world.deliver(outgoing);
        throw new KubescribeError("remote-cut", "the connection broke", { retry: "backoff" });
      case "liesAboutAtomic":
        return this.world.deliver({ ...outgoing, updates: outgoing.updates.filter(({ ref }) => ref === branch) });
      case "overtaken":
        this.world.edit({ [`other-${this.fates.length}.md`]: "mine\n" });
        break;
      default:
        fate satisfies never;
    }
    const here = this.world.refs();
    if (outgoing.updates.some(({ ref, from }) => (here[ref] ?? "") !== from))
      throw new KubescribeError("remote-stale", "the branch is elsewhere", { retry: "backoff" });
    return this.world.deliver(outgoing);
  }

  async commit(name: string, content: string): Promise<void> {
    await this.world.commit(name, content);
    this.actor.moved(1);
  }

  /** With the clock going on until the remote has all there is. */
  async level(): Promise<void> {
    const done = this.actor.drain(AbortSignal.timeout(30_000));
    await done;
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]();
  }
}

describe("the remote gets everything once, in order", () => {
  test.each<[string, readonly Fate[]]>([
    ["at once", []],
    ["after it could not be reached", ["unreachable", "unreachable"]],
    ["though the answer was lost", ["cut"]],
    ["though it moves one ref of two", ["liesAboutAtomic"]],
    ["though somebody else was faster", ["overtaken"]],
    [
      "though somebody else is faster again and again",
      ["overtaken", "overtaken", "overtaken", "overtaken", "overtaken"],
    ],
    ["whatever comes together", ["cut", "overtaken", "liesAboutAtomic", "unreachable", "overtaken", "cut"]],
  ])("%s", async (_, fates) => {
    using distance = new Distance();
    await distance.commit("a", "a1");
    await distance.level();
    distance.fates.push(...fates);
    await distance.commit("a", "a2");
    await distance.commit("b", "b1");
    await distance.level();
    const { world, actor } = distance;
    expect(actor.status()).toMatchObject({ state: "level", unpushed: 0, lastError: null });
    expect(world.log().filter((line) => !line.endsWith("|mine"))).toEqual([
      "alice@example.com|Update configmaps default/a",
      "alice@example.com|Update configmaps default/a",
      "alice@example.com|Update configmaps default/b",
    ]);
    expect(world.log().filter((line) => line.endsWith("|mine"))).toHaveLength(
      fates.filter((fate) => fate === "overtaken").length,
    );
    expect(runGit(world.remote, ["show", `main:${fileOf("a")}`])).toBe("a2");
    const stateTip = (JSON.parse(runGit(world.remote, ["cat-file", "-p", state])) as { tip: string }).tip;
    expect(runGit(world.remote, ["log", "--format=%an", `${stateTip}..main`])).toMatch(/^(mallory)?$/);
    world.check();
  });
});

test("of one that has ended nothing is told any more", async () => {
  using distance = new Distance();
  distance.fates.push("refused");
  await distance.commit("a", "a1");
  await distance.level();
  const told = (): readonly unknown[] =>
    ["unpushed_commits", "remote_stopped"].map((name) => distance.meter.read(name));
  expect(told()).toEqual([1, 1]);
  await distance.actor[Symbol.asyncDispose]();
  expect(told()).toEqual([Number.NaN, Number.NaN]);
});

test("only a push that arrived is told of", async () => {
  using distance = new Distance();
  distance.fates.push("unreachable", "liesAboutAtomic");
  await distance.commit("a", "a1");
  await distance.level();
  expect(distance.fates).toEqual([]);
  expect(distance.arrived).toHaveLength(1);
  const [push] = distance.arrived;
  expect(push?.startedAtMs).toBeLessThanOrEqual(push?.endedAtMs ?? 0);
  expect(push?.whole).toBe(true);
});

test("a remote that lacks something gets whole packs, once", async () => {
  using distance = new Distance();
  distance.fates.push("lacking");
  await distance.commit("a", "a1");
  await distance.level();
  await distance.commit("a", "a2");
  await distance.level();
  expect(distance.asked.slice(0, 2)).toEqual([false, true]);
  expect(distance.asked.slice(2)).not.toContain(true);
});

test("a push of which one ref of two arrived is not believed, though nothing comes after it", async () => {
  using distance = new Distance();
  distance.fates.push("liesAboutAtomic");
  await distance.commit("a", "a1");
  await distance.level();
  const { world } = distance;
  const { tip } = JSON.parse(runGit(world.remote, ["cat-file", "-p", state])) as { tip: string };
  expect(tip).toBe(world.refs()[branch]);
});

test("what comes while a push is under way is pushed after it", async () => {
  using distance = new Distance();
  const first = distance.commit("a", "a1");
  await first;
  await distance.commit("b", "b1");
  await distance.level();
  expect(distance.world.log()).toHaveLength(2);
});

test("a remote that is gone for good is told of, and commits go on", async () => {
  using distance = new Distance();
  distance.fates.push("refused");
  await distance.commit("a", "a1");
  await distance.level();
  expect(distance.actor.status()).toMatchObject({ state: "stopped", unpushed: 1, lastError: { code: "remote-gone" } });
  await distance.commit("a", "a2");
  expect(runGit(distance.world.place.path, ["show", `main:${fileOf("a")}`])).toBe("a2");
});

test("packs that are joined before they are read are asked for again, and that is no failure", async () => {
  using distance = new Distance();
  distance.fates.push("repacked", "repacked", "repacked");
  await distance.commit("a", "a1");
  await distance.level();
  const { actor, world, log, meter } = distance;
  expect(actor.status()).toMatchObject({ state: "level", unpushed: 0, lastError: null });
  expect([log.lines, [...meter.counts]]).toEqual([[], [["pushes pushed", 1]]]);
  expect(world.log()).toHaveLength(1);
});

test("a pack that is gone again and again is a failure like others", async () => {
  using distance = new Distance();
  distance.fates.push("repacked", "repacked", "repacked", "repacked");
  await distance.commit("a", "a1");
  await distance.level();
  expect(distance.log.lines).toEqual(["warn A push did not get through."]);
  expect(distance.world.log()).toHaveLength(1);
});

test("whoever waits for the remote to be level leaves nothing on his signal", async () => {
  using distance = new Distance();
  const patience = new AbortController();
  distance.fates.push(...Array.from({ length: 20 }, (): Fate => "unreachable"));
  await distance.commit("a", "a1");
  const drained = distance.actor.drain(patience.signal);
  await distance.world.clock.run(0);
  expect(getEventListeners(patience.signal, "abort").length).toBe(1);
  await drained;
  expect(getEventListeners(patience.signal, "abort")).toEqual([]);
});
