/** `--ingestion dual` from the two streams to a repository: what it is known for, and that it ends with the cluster's state. */

import { Subject } from "rxjs";
import { describe, expect, test } from "vitest";
import { openBranchActor } from "../../actors/branch-actor.ts";
import { DualIngestion } from "../../actors/dual-ingestion.ts";
import { defaultEngineBounds, Engine } from "../../actors/engine.ts";
import type { CorrelationMessage } from "../../actors/engine.ts";
import type { BranchMessage, ResourceVersion, WatchMessage } from "../../machines/messages.ts";
import { FakeCatchUp, FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import type { CorrelationSketch, EventSketch } from "../fakes/messages.ts";
import { configMaps, correlationOf, eventOf } from "../fakes/messages.ts";
import { cursorOf, temporaryPlace } from "../git/fixtures.ts";
import { MemoryWorld } from "../git/memory-world.ts";

/** One target behind an engine; the target begins with an empty list at version 9. */
async function openWorld() {
  const world = new MemoryWorld();
  const { clock, fs } = world;
  const [meter, log] = [new FakeMeter(), new FakeLog()];
  const correlation$ = new Subject<CorrelationMessage>();
  const watch$ = new Subject<WatchMessage>();
  const branch = await openBranchActor({
    targetId: "default/history",
    cluster: "cluster-1",
    types: [configMaps.key],
    pool: world.pool(),
    catchUp: new FakeCatchUp().run,
    clock,
    random: () => 0.5,
    files: fs,
    dataDir: "/data",
    meter,
    log,
  });
  const outlet = (message: BranchMessage): void => branch.receive(message);
  const strategy = new DualIngestion({
    clock,
    meter,
    log,
    outlet,
    contentKey: (object) => Buffer.from(object).toString("utf8"),
    isTerminating: (object) => Buffer.from(object).toString("utf8").startsWith("terminating"),
    typeOf: () => configMaps,
  });
  const bounds = defaultEngineBounds;
  const contentEquals = (): boolean => false;
  using stack = new DisposableStack();
  stack.use(new Engine({ clock, meter, log, bounds, contentEquals, correlation$, watch$, outlet, strategy }));
  const resourceVersion = "9" as ResourceVersion;
  watch$.next({ kind: "listed", type: configMaps, resourceVersion, epoch: 0, unbroken: false, items: [] });
  const owned = stack.move();
  return {
    branch,
    meter,
    clock,
    review: (sketch: CorrelationSketch): void => {
      const object = sketch.object === undefined ? null : Buffer.from(sketch.object);
      correlation$.next({ correlation: correlationOf(sketch), object });
    },
    see: (sketch: EventSketch): void => watch$.next({ kind: "observed", event: eventOf(sketch), epoch: 0 }),
    async history(): Promise<readonly string[]> {
      await branch.drain(AbortSignal.timeout(5000));
      using place = temporaryPlace();
      world.copyTo(place.path);
      const tier = "%(trailers:key=Kubescribe-Attribution,valueonly,separator=)";
      const version = "%(trailers:key=Kubescribe-Resource-Version,valueonly,separator=)";
      return place.git("log", "--reverse", `--format=%s @${version} ${tier} %an`).split("\n");
    },
    [Symbol.asyncDispose]: async () => {
      owned.dispose();
      await branch[Symbol.asyncDispose]();
    },
  };
}

describe("dual ingestion", () => {
  test("the webhook's changes are committed, once, by whoever asked; the watch's doubles are not", async () => {
    await using world = await openWorld();
    world.review({ operation: "CREATE", user: "ann", object: "one" });
    world.see({ kind: "ADDED", version: 10, object: "one" });
    expect(await world.history()).toHaveLength(1);
    world.review({ operation: "UPDATE", user: "bob", base: 10, object: "two" });
    world.see({ kind: "MODIFIED", version: 11, object: "two" });
    world.review({ operation: "DELETE", user: "cat", base: 11, oldObject: "two" });
    world.see({ kind: "DELETED", version: 12, object: "two" });
    expect(await world.history()).toEqual([
      "Create configmaps default/a @0 dual ann",
      "Update configmaps default/a @10 dual bob",
      "Delete configmaps default/a @11 dual cat",
    ]);
    expect(world.branch.cursorOf(configMaps.key)).toEqual({ ...cursorOf(12), uids: ["first"] });
    expect(world.meter.counts.get("dual_watch_only")).toBeUndefined();
  });

  test("an attempt moves no cursor: what the watch says afterwards is not old", async () => {
    await using world = await openWorld();
    world.see({ kind: "ADDED", version: 10, object: "one" });
    world.review({ operation: "UPDATE", user: "bob", base: 40, object: "denied" });
    expect(await world.history()).toHaveLength(2);
    expect(world.branch.cursorOf(configMaps.key)).toEqual(cursorOf(10));
    world.see({ kind: "MODIFIED", version: 11, object: "two" });
    expect((await world.history()).slice(1)).toEqual([
      "Update configmaps default/a @40 dual bob",
      "Update configmaps default/a @11 unresolved unresolved",
    ]);
  });

  test("says what only one side saw", async () => {
    await using world = await openWorld();
    world.see({ kind: "ADDED", version: 10, object: "one" });
    world.review({ operation: "UPDATE", user: "mallory", base: 10, object: "denied" });
    world.clock.advance(60_001);
    world.see({ kind: "MODIFIED", version: 11, object: "two" });
    expect(world.meter.counts.get("dual_watch_only")).toBe(2);
    expect(world.meter.counts.get("dual_webhook_only")).toBe(1);
  });

  test("an update of an object that is being deleted brings no file back", async () => {
    await using world = await openWorld();
    world.see({ kind: "ADDED", version: 10, object: "one" });
    world.review({ operation: "DELETE", user: "cat", base: 10, oldObject: "one" });
    world.see({ kind: "MODIFIED", version: 11, object: "terminating", terminating: true });
    world.review({ operation: "UPDATE", user: "controller", base: 11, object: "terminating, no finalizers" });
    world.see({ kind: "DELETED", version: 12, object: "terminating, no finalizers" });
    expect(await world.history()).toEqual([
      "Create configmaps default/a @10 unresolved unresolved",
      "Delete configmaps default/a @10 dual cat",
    ]);
  });
});
