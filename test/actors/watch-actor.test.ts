import { describe, expect, test } from "vitest";

import type { Cursor, ResourceVersion, Uid, WatchMessage } from "../../machines/messages.ts";
import { WatchActor } from "../../actors/watch-actor.ts";
import type { WatchActorOptions } from "../../actors/watch-actor.ts";
import { watchFrom } from "../../actors/watch-from.ts";
import { WatchPeers } from "../../actors/watch-peers.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { createSimulatedClock, settled } from "../../src/simulation/simulated-clock.ts";
import { configMaps, eventOf } from "../fakes/messages.ts";
import { FakeWatchSource } from "../fakes/watch-source.ts";

const version = (text: string): ResourceVersion => text as ResourceVersion;
const at = (text: string, epoch = 0): Cursor => ({ epoch, resourceVersion: version(text) });
const event = (number: number, name = `object-${number}`) =>
  eventOf({ version: number, name, uid: `uid-${name}`, object: `${name}@${number}`, kind: "MODIFIED" });

class World {
  readonly clock = createSimulatedClock();
  readonly source = new FakeWatchSource();
  readonly meter = new FakeMeter();
  readonly log = new FakeLog();
  readonly said: string[] = [];
  /** Thrown by the sink, once. */
  poison: Error | null = null;

  options(cursor: Cursor | null): WatchActorOptions {
    const { clock, source, meter, log } = this;
    return { type: configMaps, cursor, source, clock, meter, log, random: () => 0.5, sink: (m) => this.#take(m) };
  }

  watch(cursor: Cursor | null, more: Partial<WatchActorOptions> = {}): WatchActor {
    return new WatchActor({ ...this.options(cursor), ...more });
  }

  /** A watch whose WatchList is complete at 10. */
  async streaming(): Promise<{ watch: WatchActor; stream: Awaited<ReturnType<FakeWatchSource["nextStream"]>> }> {
    const watch = this.watch(null);
    const stream = await this.source.nextStream();
    stream.receiver.bookmark(version("10"), true);
    this.said.length = 0;
    return { watch, stream };
  }

  #take(message: WatchMessage): void {
    const { poison } = this;
    this.poison = null;
    if (poison !== null) throw poison;
    this.said.push(describeMessage(message));
  }
}

function describeMessage(message: WatchMessage): string {
  switch (message.kind) {
    case "listed": {
      const items = message.items.map(({ kind, name, resourceVersion }) => `${kind} ${name}@${resourceVersion}`);
      return `listed ${message.resourceVersion} epoch ${message.epoch}${message.unbroken ? " unbroken" : ""}: ${items.join(", ")}`;
    }
    case "observed":
      return `${message.event.name}@${message.event.resourceVersion}`;
    case "bookmarked":
      return `bookmarked ${message.resourceVersion}`;
    default:
      return message satisfies never;
  }
}

describe("several deletions in one revision", () => {
  const gone = (name: string) => ({ ...event(12, name), kind: "DELETED" as const });

  test("come again where the stream broke among them, and each is passed on once", async () => {
    const world = new World();
    const { watch, stream } = await world.streaming();
    await using _watch = watch;
    stream.receiver.event(gone("a"));
    await stream.fault("broken");
    await world.clock.run(1000);
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("12") });
    const again = await world.source.nextStream();
    expect(again.request.begin).toEqual({ from: "11" });
    again.receiver.event(gone("a"));
    again.receiver.event(gone("b"));
    expect(watch.cursor).toEqual({ ...at("12"), uids: ["uid-a", "uid-b"] });
    again.receiver.bookmark(version("12"), false);
    expect(world.said).toEqual(["a@12", "b@12", "bookmarked 12"]);
    expect(watch.cursor).toEqual(at("12"));
  });

  test("come again after a restart among them", async () => {
    const world = new World();
    await using _watch = world.watch({ ...at("12"), uids: ["uid-a" as Uid] });
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("12") });
    const list = await world.source.nextList();
    expect(list.request).toMatchObject({ match: "exact", version: "11" });
    await list.answer({ kind: "listed", version: version("11"), items: [event(4, "a"), event(5, "b")] });
    const stream = await world.source.nextStream();
    expect(stream.request.begin).toEqual({ from: "11" });
    for (const name of ["a", "b"]) stream.receiver.event(gone(name));
    expect(world.said).toEqual(["listed 11 epoch 0 unbroken: MODIFIED a@4, MODIFIED b@5", "a@12", "b@12"]);
  });
});

describe("a watch", () => {
  test("passes on the initial events only once they are complete, and as one list", async () => {
    const world = new World();
    await using watch = world.watch(null);
    const { receiver, request } = await world.source.nextStream();
    expect(request.timeoutSeconds).toBe(450);
    receiver.event(event(3, "a"));
    receiver.event(event(4, "b"));
    receiver.event(event(5, "a"));
    receiver.event({ ...event(6, "b"), kind: "DELETED" });
    expect([world.said, watch.synced]).toEqual([[], false]);
    receiver.bookmark(version("9"), true);
    expect(world.said).toEqual(["listed 9 epoch 0: ADDED a@5"]);
    expect([watch.synced, watch.phase, watch.cursor]).toEqual([true, "streaming", at("9")]);
  });

  test("never passes on a part of a list", async () => {
    const world = new World();
    await using _ = world.watch(null);
    const stream = await world.source.nextStream();
    stream.receiver.event(event(3));
    await stream.answer({ kind: "ended" });
    await world.clock.run(400);
    const again = await world.source.nextStream();
    again.receiver.event(event(4));
    again.receiver.bookmark(version("9"), true);
    expect(world.said).toEqual(["listed 9 epoch 0: ADDED object-4@4"]);
  });

  test("drops repeats, and counts them; one etcd revision may delete several objects", async () => {
    const world = new World();
    const { watch, stream } = await world.streaming();
    await using _ = watch;
    const { receiver } = stream;
    for (const one of [event(10), event(11), event(11), event(12, "a"), event(12, "b"), event(12, "a")])
      receiver.event(one);
    receiver.bookmark(version("12"), false);
    receiver.event(event(12, "c"));
    receiver.bookmark(version("15"), false);
    receiver.alive();
    expect(world.said).toEqual(["object-11@11", "a@12", "b@12", "bookmarked 15"]);
    expect(world.meter.counts.get("watch_repeats core/configmaps")).toBe(4);
    expect(world.meter.counts.get("watch_events core/configmaps")).toBe(3);
    expect(watch.cursor).toEqual(at("15"));
  });

  test("goes on from the last bookmark when the stream ends, once the server was asked where it counts", async () => {
    const world = new World();
    const { watch, stream } = await world.streaming();
    await using _ = watch;
    stream.receiver.bookmark(version("20"), false);
    await stream.answer({ kind: "ended" });
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("20") });
    const next = await world.source.nextStream();
    expect(next.request.begin).toEqual({ from: "20" });
    next.receiver.event(event(21));
    expect(world.said).toEqual(["bookmarked 20", "object-21@21"]);
  });

  test("with a cursor lists exactly there and goes on from there", async () => {
    const world = new World();
    await using watch = world.watch(at("7", 3));
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("9") });
    const list = await world.source.nextList();
    await list.answer({ kind: "listed", version: version("7"), items: [eventOf({ version: 5, object: "x" })] });
    const stream = await world.source.nextStream();
    stream.receiver.event(event(8));
    expect(world.source.asked).toEqual(["version", "list exact 7", "stream from 7"]);
    expect(world.said).toEqual(["listed 7 epoch 3 unbroken: ADDED a@5", "object-8@8"]);
    expect(watch.cursor).toEqual(at("8", 3));
  });

  test("begins a new epoch when a restored server counts lower, though its numbers come again", async () => {
    const world = new World();
    const { watch, stream } = await world.streaming();
    await using _ = watch;
    stream.receiver.event(event(20));
    await stream.fault("broken");
    await world.clock.run(400);
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("15") });
    const relist = await world.source.nextStream();
    relist.receiver.event(event(14));
    relist.receiver.bookmark(version("15"), true);
    relist.receiver.event(event(16));
    expect(world.said).toEqual(["object-20@20", "listed 15 epoch 1: ADDED object-14@14", "object-16@16"]);
    expect(watch.cursor).toEqual(at("16", 1));
  });

  test("does not pass on a relist that is older than what it passed on", async () => {
    const world = new World();
    const { watch, stream } = await world.streaming();
    await using _ = watch;
    stream.receiver.event(event(20));
    await stream.fault("gone");
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("30") });
    const stale = await world.source.nextStream();
    expect(stale.request.begin).toEqual({ initial: { match: "not-older", version: "20" } });
    stale.receiver.bookmark(version("19"), true);
    stale.receiver.event(event(25));
    expect(stale.signal.aborted).toBe(true);
    await world.clock.run(800);
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("30") });
    const fresh = await world.source.nextStream();
    fresh.receiver.bookmark(version("30"), true);
    expect(world.said).toEqual(["object-20@20", "listed 30 epoch 0: "]);
  });

  test("cuts a stream that is silent for 150 s, and is not alive while it waits", async () => {
    const world = new World();
    const { watch, stream } = await world.streaming();
    await using _ = watch;
    await world.clock.run(100_000);
    stream.receiver.alive();
    await world.clock.run(149_999);
    expect([stream.signal.aborted, watch.alive()]).toEqual([false, true]);
    await world.clock.run(1);
    expect([stream.signal.aborted, watch.alive(), watch.phase]).toEqual([true, false, "backingOff"]);
    await world.clock.run(400);
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("10") });
    expect((await world.source.nextStream()).request.begin).toEqual({ from: "10" });
    expect(watch.alive()).toBe(true);
    expect(world.meter.counts.get("watch_restarts silent")).toBe(1);
  });

  test("a sink that throws is named, and gets the event again", async () => {
    const world = new World();
    const { watch, stream } = await world.streaming();
    await using _ = watch;
    stream.receiver.event(event(11));
    world.poison = new Error("full");
    let thrown: unknown;
    try {
      stream.receiver.event(event(12));
    } catch (error) {
      thrown = error;
    }
    await stream.crash(thrown as Error);
    await world.clock.run(400);
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("12") });
    const next = await world.source.nextStream();
    next.receiver.event(event(12));
    expect(world.said).toEqual(["object-11@11", "object-12@12"]);
    expect(next.request.begin).toEqual({ from: "11" });
    expect(world.meter.counts.get("watch_faults core/configmaps")).toBe(1);
    expect(world.log.lines.join()).toContain("unexpectedly");
  });

  test("a list that the sink throws at is read again, not streamed past", async () => {
    const world = new World();
    await using _ = world.watch(at("7"));
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("9") });
    world.poison = new Error("full");
    const list = await world.source.nextList();
    await list.answer({ kind: "listed", version: version("7"), items: [] });
    await world.clock.run(400);
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("9") });
    await (await world.source.nextList()).answer({ kind: "listed", version: version("7"), items: [] });
    expect(world.said).toEqual(["listed 7 epoch 0 unbroken: "]);
  });

  test("a new epoch's list that the sink throws at is read again, in the same epoch", async () => {
    const world = new World();
    await using _ = world.watch(at("20"));
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("15") });
    const relist = await world.source.nextStream();
    world.poison = new Error("full");
    let thrown: unknown;
    try {
      relist.receiver.bookmark(version("15"), true);
    } catch (error) {
      thrown = error;
    }
    await relist.crash(thrown as Error);
    await world.clock.run(400);
    const again = await world.source.nextStream();
    again.receiver.bookmark(version("16"), true);
    expect(world.said).toEqual(["listed 16 epoch 1: "]);
  });

  test("bytes that cannot be decoded are counted and lead to the latest list", async () => {
    const world = new World();
    const { watch, stream } = await world.streaming();
    await using _ = watch;
    await stream.fault("undecodable");
    await world.clock.run(400);
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("12") });
    expect((await world.source.nextStream()).request.begin).toEqual({ initial: { match: "latest" } });
    expect(world.meter.counts.get("watch_decode_failures core/configmaps")).toBe(1);
  });

  test("passes nothing on once it was disposed of", async () => {
    const world = new World();
    const { watch, stream } = await world.streaming();
    await watch[Symbol.asyncDispose]();
    stream.receiver.event(event(11));
    expect([world.said, watch.phase, world.clock.armed]).toEqual([[], "stopped", 0]);
  });

  test("an outage is one line in the log", async () => {
    const world = new World();
    await using _ = world.watch(at("7"));
    for (const waitMs of [400, 800, 1600]) {
      await (await world.source.nextVersion()).fault("refused");
      await world.clock.run(waitMs);
    }
    expect(world.log.lines).toHaveLength(1);
  });

  test("serves one who catches up, until a message that it names", async () => {
    const world = new World();
    const until = (message: WatchMessage): boolean =>
      message.kind === "observed" && message.event.uid === ("uid-b" as Uid);
    const done = watchFrom({ ...world.options(at("7")), until }, new AbortController().signal);
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("9") });
    await (await world.source.nextList()).answer({ kind: "listed", version: version("7"), items: [] });
    const { receiver } = await world.source.nextStream();
    for (const one of [event(8, "a"), event(9, "b"), event(10, "c")]) receiver.event(one);
    await done;
    expect(world.said).toEqual(["listed 7 epoch 0 unbroken: ", "a@8", "b@9"]);
  });

  test("a watch that another one has outread sees a restored backup that is above itself", async () => {
    const world = new World();
    const peers = new WatchPeers();
    await using shared = world.watch(at("12"), { peers });
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("12") });
    await (await world.source.nextList()).answer({ kind: "listed", version: version("12"), items: [] });
    const stream = await world.source.nextStream();
    const catchUp = world.watch(null, { peers, sink: () => undefined });
    (await world.source.nextStream()).receiver.bookmark(version("20"), true);
    const ended = catchUp[Symbol.asyncDispose]();
    await stream.fault("broken");
    await world.clock.run(1000);
    await (await world.source.nextVersion()).answer({ kind: "counted", version: version("15") });
    (await world.source.nextStream()).receiver.bookmark(version("15"), true);
    expect(world.said.at(-1)).toBe("listed 15 epoch 1: ");
    expect(shared.cursor).toEqual(at("15", 1));
    void ended;
  });

  test("what another one reads while the server is asked how far it has come is no restored backup", async () => {
    const world = new World();
    const peers = new WatchPeers();
    await using _ = world.watch(at("12"), { peers });
    const probe = await world.source.nextVersion();
    peers.join(configMaps.key, { cursor: at("20") });
    await probe.answer({ kind: "counted", version: version("15") });
    expect((await world.source.nextList()).request).toMatchObject({ match: "exact", version: "12" });
  });

  test("ends at once when its signal is aborted", async () => {
    const world = new World();
    const stop = new AbortController();
    const done = watchFrom(world.options(null), stop.signal);
    await settled();
    stop.abort();
    await done;
    expect(world.clock.armed).toBe(0);
  });
});
