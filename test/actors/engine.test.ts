import { Subject } from "rxjs";
import { describe, expect, it } from "vitest";

import type { CorrelationMessage, EngineBounds } from "../../actors/engine.ts";
import { defaultEngineBounds, Engine } from "../../actors/engine.ts";
import type { BranchMessage, ResourceVersion, WatchMessage } from "../../machines/messages.ts";
import { FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import type { CorrelationSketch, EventSketch } from "../fakes/messages.ts";
import { configMaps, correlationOf, eventOf } from "../fakes/messages.ts";

/** An engine between two streams, and what it says to the branches. */
class World {
  readonly clock = createSimulatedClock();
  readonly meter = new FakeMeter();
  readonly log = new FakeLog();
  readonly correlation$ = new Subject<CorrelationMessage>();
  readonly watch$ = new Subject<WatchMessage>();
  readonly said: string[] = [];
  readonly engine: Engine;
  #arrival = 0;

  constructor(
    bounds: Partial<EngineBounds> = {},
    contentEquals: (a: Uint8Array, b: Uint8Array) => boolean = () => false,
  ) {
    this.engine = new Engine({
      clock: this.clock,
      meter: this.meter,
      log: this.log,
      bounds: { ...defaultEngineBounds, ...bounds },
      contentEquals,
      correlation$: this.correlation$,
      watch$: this.watch$,
      outlet: (message) => this.said.push(say(message)),
    });
  }

  review(sketch: CorrelationSketch): this {
    this.#arrival += 1;
    const correlation = correlationOf({
      ...sketch,
      arrival: this.#arrival,
      atMs: this.clock.nowMs(),
    });
    this.correlation$.next({ correlation, object: new TextEncoder().encode(sketch.object ?? "") });
    return this;
  }

  see(sketch: EventSketch): this {
    const event = eventOf({ ...sketch, atMs: this.clock.nowMs() });
    this.watch$.next({ kind: "observed", event, epoch: sketch.epoch ?? 0 });
    return this;
  }

  list(version: number, items: readonly EventSketch[], unbroken = false, epoch = 0): this {
    const resourceVersion = String(version) as ResourceVersion;
    this.watch$.next({
      kind: "listed",
      type: configMaps,
      resourceVersion,
      epoch,
      unbroken,
      items: items.map(eventOf),
    });
    return this;
  }

  get last(): string | undefined {
    return this.said.at(-1);
  }
}

function say(message: BranchMessage): string {
  switch (message.kind) {
    case "changed": {
      const { operation, name, resourceVersion, verdict } = message.change;
      const fault = verdict.faulted ? " faulted" : "";
      return `${operation} ${name} ${resourceVersion} ${verdict.tier} ${verdict.author?.user ?? "nobody"}${fault}`;
    }
    case "progressed":
      return `progress ${message.cursor.resourceVersion}`;
    case "relisted":
      return `relist ${message.cursor.resourceVersion}: ${message.changes.map((each) => `${each.operation} ${each.name} ${each.verdict.tier}`).join(", ")}`;
    case "amended":
      return `amend ${message.resourceVersion} ${message.verdict.author?.user ?? "nobody"}`;
    case "covered":
      return `blind ${message.time.fromMs}`;
    default:
      return message satisfies never;
  }
}

describe("the engine", () => {
  it("says one thing for every watch message: a change or the progress", () => {
    const world = new World();
    world.review({ operation: "CREATE", user: "ann", object: "a" }).see({ kind: "ADDED", version: 10, object: "a" });
    world.see({ kind: "MODIFIED", version: 11, object: "a ready", rest: "a" });
    world.watch$.next({
      kind: "bookmarked",
      type: configMaps,
      resourceVersion: "20" as ResourceVersion,
      epoch: 0,
    });
    expect(world.said).toEqual(["CREATE a 10 exact ann", "progress 11", "progress 20"]);
  });

  it("keeps who was reviewed after a restored backup, though the name was gone before it and somebody waits for it", () => {
    const world = new World();
    world.see({ kind: "ADDED", version: 10, object: "a" });
    world.review({ operation: "CREATE", user: "late", object: "l", uid: "never" });
    world.see({ kind: "DELETED", version: 11, object: "a" });
    world.list(9, [], false, 1);
    world.review({ operation: "CREATE", user: "cal", object: "c", uid: "another" });
    world.review({ operation: "UPDATE", user: "dan", object: "d", uid: "another", base: 10 });
    world.see({ kind: "ADDED", version: 10, object: "c", uid: "another", epoch: 1 });
    world.see({ kind: "MODIFIED", version: 11, object: "d", uid: "another", epoch: 1 });
    expect(world.said.slice(-2)).toEqual(["CREATE a 10 exact cal", "UPDATE a 11 exact dan"]);
  });

  it("keeps an idle resource as a record that comes back with the same answers", () => {
    const world = new World();
    for (let n = 0; n < 100; n += 1) world.see({ kind: "ADDED", version: 10 + n, object: `o${n}`, name: `n${n}` });
    expect([world.engine.registry.awakeCount, world.engine.registry.atRestCount]).toEqual([0, 100]);
    world.review({ operation: "UPDATE", user: "bob", name: "n7", base: 17, object: "b" });
    expect([world.engine.registry.awakeCount, world.engine.registry.atRestCount]).toEqual([1, 99]);
    world.see({ kind: "MODIFIED", version: 200, object: "b", name: "n7" });
    expect(world.last).toBe("UPDATE n7 200 exact bob");
    expect([world.engine.registry.awakeCount, world.engine.registry.atRestCount]).toEqual([0, 100]);
  });

  it("forgets names that are gone, and names that were never created once their reviews are over time", () => {
    const world = new World();
    world.see({ kind: "ADDED", version: 10, object: "a" }).see({ kind: "DELETED", version: 11, object: "a" });
    world.review({ operation: "CREATE", user: "ann", object: "x", name: "never", uid: "x" });
    expect(world.engine.registry.awakeCount).toBe(1);
    world.clock.advance(defaultEngineBounds.pendingTtlMs + 2_000);
    expect([world.engine.registry.awakeCount, world.engine.registry.atRestCount]).toEqual([0, 0]);
    expect(world.meter.counts.get("correlations_dropped expired")).toBe(1);
  });

  it("keeps no more of a body than the object that it may need", () => {
    const world = new World();
    const body = Buffer.from(`${"x".repeat(10_000)}{"a":1}`);
    const correlation = correlationOf({ operation: "UPDATE", user: "ann", base: 10, object: "b", arrival: 1 });
    world.correlation$.next({ correlation, object: body.subarray(10_000) });
    expect(world.meter.read("pending_object_bytes")).toBe(7);
  });

  it.each(["seen by nobody yet", "gone"])("remembers whom a bound took from a resource that was %s", (what) => {
    const world = new World({ pendingTotal: 1 });
    if (what === "gone")
      world.see({ kind: "ADDED", version: 8, object: "o" }).see({ kind: "DELETED", version: 9, object: "o" });
    world.review({ operation: "DELETE", user: "erin", base: 10, object: "a", uid: "another" });
    world.review({ operation: "UPDATE", user: "grace", base: 5, object: "x", name: "else" });
    world.review({ operation: "DELETE", user: "frank", base: 10, object: "a", uid: "another" });
    if (what === "gone") world.see({ kind: "ADDED", version: 10, object: "a", uid: "another" });
    else world.list(10, [{ kind: "ADDED", version: 10, object: "a", uid: "another" }], true);
    world.see({ kind: "DELETED", version: 12, object: "a", uid: "another" });
    expect(world.last).toBe("DELETE a 12 tie frank");
    world.see({ kind: "ADDED", version: 13, object: "b", uid: "third" });
    world.review({ operation: "DELETE", user: "frank", base: 13, object: "b", uid: "third" });
    world.see({ kind: "DELETED", version: 14, object: "b", uid: "third" });
    expect(world.last).toBe("DELETE a 14 delete frank");
  });

  it("lets the oldest correlation go when there are too many in all, and remembers that it did", () => {
    const world = new World({ pendingTotal: 2 });
    world.see({ kind: "ADDED", version: 10, object: "a" });
    world.review({ operation: "UPDATE", user: "early", base: 10, object: "b" });
    world.review({ operation: "UPDATE", user: "bob", base: 10, object: "b" });
    world.review({ operation: "UPDATE", user: "other", base: 9, object: "z", name: "elsewhere" });
    world.see({ kind: "MODIFIED", version: 11, object: "b" });
    expect(world.last).toBe("UPDATE a 11 tie bob");
  });

  it("lets those who compete with an expired correlation go with it: the one who is left may have lost", () => {
    const world = new World().see({ kind: "ADDED", version: 10, object: "a" });
    world.review({ operation: "UPDATE", user: "winner", base: 10, object: "b" });
    world.clock.advance(5_000);
    world.review({ operation: "UPDATE", user: "loser", base: 10, object: "b" });
    world.clock.advance(defaultEngineBounds.pendingTtlMs - 3_000);
    world.see({ kind: "MODIFIED", version: 11, object: "b" });
    expect(world.last).toBe("UPDATE a 11 unresolved nobody");
  });

  it("names nobody for a deletion that was asked for before a blind time", () => {
    const world = new World().see({ kind: "ADDED", version: 10, object: "a" });
    world.clock.advance(1_000);
    world.review({ operation: "DELETE", user: "denied", base: 10 });
    world.engine.loseSight();
    world.clock.advance(10);
    world.engine.regainSight();
    world.see({ kind: "DELETED", version: 11, object: "a" });
    expect(world.last).toBe("DELETE a 11 unresolved nobody");
  });

  it("allows a late watch its measured lag, and ten seconds more, before a deletion counts as stale", () => {
    const late = (lagMs: number) => {
      const world = new World().see({ kind: "ADDED", version: 10, object: "a" });
      world.clock.advance(1_000);
      world.review({ operation: "UPDATE", user: "bob", base: 10, object: "b" });
      world.review({ operation: "DELETE", user: "dan", base: 11 });
      world.clock.advance(lagMs);
      if (lagMs > 10_000) world.see({ kind: "MODIFIED", version: 11, object: "b" });
      world.see({ kind: "DELETED", version: 12, object: "b" });
      return world.last;
    };
    expect(late(30_000)).toBe("DELETE a 12 delete dan");
    const stale = new World().see({ kind: "ADDED", version: 10, object: "a" });
    stale.clock.advance(1_000);
    stale.review({ operation: "DELETE", user: "denied", base: 10 });
    stale.clock.advance(30_000);
    expect(stale.see({ kind: "DELETED", version: 11, object: "a" }).last).toBe("DELETE a 11 unresolved nobody");
  });

  it("restarts an actor that throws, and commits an event that fails again and again as it stands", () => {
    const world = new World({}, () => {
      throw new RangeError("broken on purpose");
    });
    world.see({ kind: "ADDED", version: 10, object: "a" });
    world.review({ operation: "UPDATE", user: "bob", base: 10, object: "b" });
    world.see({ kind: "MODIFIED", version: 11, object: "other bytes" });
    expect(world.last).toBe("UPDATE a 11 unresolved nobody faulted");
    expect(world.meter.counts.get("actor_faults RangeError")).toBe(3);
    world
      .review({ operation: "UPDATE", user: "cat", base: 11, object: "c" })
      .see({ kind: "MODIFIED", version: 12, object: "c" });
    expect(world.last).toBe("UPDATE a 12 exact cat");
  });

  it("tells what a relist after a gap shows, in the order of versions, the missing last", () => {
    const world = new World();
    world
      .see({ kind: "ADDED", version: 10, object: "a", name: "a" })
      .see({ kind: "ADDED", version: 11, object: "b", name: "b", uid: "b" });
    world.see({ kind: "ADDED", version: 12, object: "c", name: "c", uid: "c" });
    world.review({ operation: "UPDATE", user: "bob", base: 10, object: "a2" });
    world.list(40, [
      { version: 31, object: "new", name: "d", uid: "d" },
      { version: 30, object: "a2", name: "a" },
      { version: 11, object: "b", name: "b", uid: "b" },
    ]);
    expect(world.last).toBe("relist 40: UPDATE a recovered, UPDATE d unresolved, DELETE c unresolved");
  });

  it("begins with the exact state at the cursor, whatever a record says beyond it", () => {
    const world = new World();
    const first = new World()
      .see({ kind: "ADDED", version: 10, object: "a" })
      .see({ kind: "MODIFIED", version: 15, object: "later" });
    world.engine.registry.restore(configMaps.key, first.engine.registry.recordsOf(configMaps.key));
    world.engine.restore([
      correlationOf({
        operation: "UPDATE",
        user: "bob",
        base: 10,
        object: "later",
        restored: true,
        atMs: world.clock.nowMs(),
      }),
    ]);
    world.list(12, [{ version: 10, object: "a" }], true).see({ kind: "MODIFIED", version: 15, object: "later" });
    expect(world.said).toEqual(["relist 12: ", "UPDATE a 15 exact bob"]);
  });

  it("believes no record of a type whose list is older than one of them: a restored backup gives their versions again", () => {
    const world = new World();
    const first = new World()
      .see({ kind: "ADDED", version: 10, object: "a" })
      .see({ kind: "ADDED", version: 11, object: "b", name: "b", uid: "b" })
      .see({ kind: "MODIFIED", version: 15, object: "a15" });
    world.engine.registry.restore(configMaps.key, first.engine.registry.recordsOf(configMaps.key));
    world.list(12, [
      { version: 10, object: "a" },
      { version: 11, object: "another b", name: "b", uid: "b" },
    ]);
    world.see({ kind: "MODIFIED", version: 13, object: "b", name: "b", uid: "b" });
    world.see({ kind: "MODIFIED", version: 15, object: "another a15" });
    expect(world.said.slice(-2)).toEqual(["UPDATE b 13 unresolved nobody", "UPDATE a 15 unresolved nobody"]);
  });

  it("lets a review of the earlier process bear witness for its deletions, but not across a gap, nor in a restored cluster", () => {
    const restarted = (unbroken: boolean, epoch = 0) => {
      const world = new World();
      const atMs = world.clock.nowMs() - 100;
      world.engine.restore([
        correlationOf({ arrival: 1, operation: "DELETE", user: "dan", base: 10, restored: true, atMs }),
        correlationOf({ arrival: 2, operation: "UPDATE", user: "bob", name: "b", base: 30, restored: true, atMs }),
      ]);
      world.list(12, [{ version: 10, object: "a" }], unbroken, epoch);
      world.see({ kind: "DELETED", version: 15, object: "a", epoch });
      return world.last;
    };
    // The witness may have seen a 30 that the restore undid.
    expect(restarted(true, 1)).toBe("DELETE a 15 unresolved nobody");
    expect(restarted(true)).toBe("DELETE a 15 delete dan");
    expect(restarted(false)).toBe("DELETE a 15 unresolved nobody");
  });

  it("lets no review bear witness for what was asked of the process before the last", () => {
    const restarted = (lastLifeArrival: number) => {
      const world = new World();
      const atMs = world.clock.nowMs() - 100;
      const correlations = [
        correlationOf({ arrival: 1, operation: "DELETE", user: "denied", base: 10, restored: true, atMs }),
        correlationOf({
          arrival: 2,
          operation: "UPDATE",
          user: "bob",
          name: "b",
          base: 30,
          restored: true,
          atMs: atMs + 50,
        }),
      ];
      world.engine.restore(correlations, { lastLifeArrival });
      // Between the two somebody else, unreviewed.
      world.list(12, [{ version: 10, object: "a" }], true).see({ kind: "DELETED", version: 15, object: "a" });
      return world.last;
    };
    expect(restarted(1)).toBe("DELETE a 15 delete denied");
    expect(restarted(2)).toBe("DELETE a 15 unresolved nobody");
  });

  it("settles nothing by a journal with gaps", () => {
    const world = new World();
    const atMs = world.clock.nowMs() - 100;
    const loser = correlationOf({
      arrival: 2,
      operation: "UPDATE",
      user: "loser",
      base: 10,
      object: "b",
      restored: true,
      atMs,
    });
    world.engine.restore([loser], { doubtedThroughMs: atMs });
    world.list(12, [{ version: 10, object: "a" }], true).see({ kind: "MODIFIED", version: 15, object: "b" });
    expect(world.last).toBe("UPDATE a 15 tie loser");
  });

  it("keeps all whom it doubts, however many the bound allows", () => {
    const world = new World({ pendingPerResource: 2 });
    world.list(12, [{ version: 10, object: "a" }], true);
    world.review({ operation: "UPDATE", user: "first", base: 10, object: "b" });
    world.review({ operation: "UPDATE", user: "second", base: 15, object: "c" });
    world.engine.miss();
    world.see({ kind: "MODIFIED", version: 15, object: "b" });
    expect(world.last).toBe("UPDATE a 15 tie first");
    world.see({ kind: "MODIFIED", version: 16, object: "c" });
    expect(world.last).toBe("UPDATE a 16 tie second");
  });

  it("settles nothing of those who come while a lost review's request may be under way, and all after that", () => {
    const world = new World();
    world.engine.restore([], { doubtedThroughMs: world.clock.nowMs() + 60_000 });
    world.list(12, [{ version: 10, object: "a" }], true);
    world.clock.advance(60_000);
    world.review({ operation: "UPDATE", user: "late", base: 10, object: "b" });
    world.see({ kind: "MODIFIED", version: 15, object: "b" });
    expect(world.last).toBe("UPDATE a 15 tie late");
    world.clock.advance(1);
    world.review({ operation: "UPDATE", user: "later", base: 15, object: "c" });
    world.see({ kind: "MODIFIED", version: 16, object: "c" });
    expect(world.last).toBe("UPDATE a 16 exact later");
  });
});
