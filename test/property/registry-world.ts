/** A registry and, beside it, the same resources as actors that never rest: what it says must be what they say. */

import { expect } from "vitest";
import { CorrelationLedger } from "../../actors/correlation-ledger.ts";
import { Registry } from "../../actors/registry.ts";
import { ResourceActor } from "../../actors/resource-actor.ts";
import type { Horizon, SameContent } from "../../machines/attribution.ts";
import { cursorAt } from "../../machines/cursor.ts";
import type { BranchMessage, Change, Correlation, Cursor, WatchMessage } from "../../machines/messages.ts";
import { compareCursors, compareResourceVersions, resourceKeyOf } from "../../machines/messages.ts";
import type { ResourceEffect, ResourceEvent } from "../../machines/resource-changes.ts";
import { cursor, FakeLog, FakeMeter } from "../fakes/branch-world.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { configMaps } from "../fakes/messages.ts";

export const bounds = { pendingPerResource: 3, pendingTotal: 3, ttlMs: 90_000, attempts: 3 };

function horizonAt(nowMs: number): Horizon {
  return { freshSinceMs: nowMs - 10_000, openSinceMs: nowMs - 60_000, witness: null };
}

/** Bytes that differ by a tail are the same content. */
const sameContent: SameContent = ({ objectHash }, event) => objectHash === `${event.objectHash}~`;

/** What the registry is in production, but for a clock that stands still. */
export class RegistryWorld {
  readonly clock = createSimulatedClock(0);
  readonly meter = new FakeMeter();
  readonly log = new FakeLog();
  readonly ledger = new CorrelationLedger({ ...bounds, contentBytes: 1000 });
  readonly registry: Registry;
  said: BranchMessage[] = [];

  constructor() {
    const { clock, meter, log, ledger } = this;
    this.registry = new Registry({
      clock,
      meter,
      log,
      ledger,
      sameContent,
      ...bounds,
      mailboxCapacity: 1,
      cascadeCapacity: 1,
      horizonOf: (_type, nowMs) => horizonAt(nowMs),
      outlet: (message) => this.said.push(message),
      review: (change) => change,
    });
  }
}

interface Waiting {
  readonly correlation: Correlation;
  readonly sinceMs: number;
}

interface Live {
  readonly uid: string;
  readonly version: number;
  readonly terminating: boolean;
  readonly object: string;
  /** Without its status. */
  readonly rest: string;
}

export class RestlessModel {
  /** Names to what is there now, as lists show it. */
  readonly live = new Map<string, Live>();
  version = 10;
  arrivals = 0;
  dropped = 0;
  readonly #actors = new Map<string, ResourceActor>();
  readonly #waiting: Waiting[] = [];
  #changes: Change[] = [];
  #said: BranchMessage[] = [];

  /** What somebody asked for who may be the next to write. */
  wantedOf(name: string): string | undefined {
    const base = String(this.live.get(name)?.version ?? "");
    return this.#waiting.find(({ correlation }) => correlation.name === name && correlation.base === base)?.correlation
      .objectHash;
  }

  correlate(correlation: Correlation, nowMs: number): readonly BranchMessage[] {
    this.#said = [];
    const entry = { correlation, sinceMs: nowMs };
    this.#waiting.push(entry);
    this.#deliver(correlation.name, { type: "correlated", entry, capacity: bounds.pendingPerResource });
    this.enforceBounds(nowMs);
    return this.#said;
  }

  watch(message: WatchMessage, nowMs: number): readonly BranchMessage[] {
    this.#said = [];
    this.#changes = [];
    if (message.kind === "observed") {
      const { event, epoch } = message;
      this.#deliver(event.name, { type: "observed", event, epoch, horizon: horizonAt(nowMs), sameContent });
      if (this.#changes.length === 0) return [...this.#said, progressed(cursorAt(event, epoch))];
      return [...this.#said, ...this.#changes.map((change): BranchMessage => ({ kind: "changed", change }))];
    }
    if (message.kind === "bookmarked") return [progressed(cursor(Number(message.resourceVersion)))];
    const { items, epoch, unbroken, resourceVersion, type } = message;
    for (const event of items) this.#deliver(event.name, { type: "listed", event, epoch, unbroken });
    const at = { epoch, resourceVersion };
    for (const [name, actor] of this.#actors) {
      const record = actor.record();
      if (unbroken || record === null || items.some((item) => item.name === name)) continue;
      if (compareCursors(record, at) > 0) continue;
      this.#deliver(name, { type: "missing", resource: type, namespace: "default", name, cursor: at, atMs: nowMs });
    }
    const changes = this.#changes.toSorted((a, b) => compareResourceVersions(a.resourceVersion, b.resourceVersion));
    return [...this.#said, { kind: "relisted", type, cursor: at, items, changes }];
  }

  /** The oldest go first: who is over his time, and then as many as are too many. */
  enforceBounds(nowMs: number): void {
    let excess = this.#waiting.length - bounds.pendingTotal;
    const overdue = this.#waiting.filter(({ sinceMs }) => {
      if (excess <= 0 && nowMs - sinceMs <= bounds.ttlMs) return false;
      excess -= 1;
      return true;
    });
    for (const { correlation, sinceMs } of overdue) {
      const why = nowMs - sinceMs > bounds.ttlMs ? "expired" : "evicted";
      this.#deliver(correlation.name, { type: "removed", arrival: correlation.arrival, why });
    }
  }

  expectSame({ registry, ledger, meter }: RegistryWorld): void {
    const actors = [...this.#actors.values()];
    expect(registry.awakeCount).toBe(actors.filter(({ pendingCount }) => pendingCount > 0).length);
    expect(registry.atRestCount).toBe(actors.filter((actor) => isAtRest(actor)).length);
    expect(ledger.size).toBe(this.#waiting.length);
    expect(ledger.size).toBe(actors.reduce((sum, { pendingCount }) => sum + pendingCount, 0));
    expect(ledger.size).toBeLessThanOrEqual(bounds.pendingTotal);
    const counted = [...meter.counts].flatMap(([name, count]) =>
      name.startsWith("correlations_dropped") ? count : [],
    );
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(this.dropped);
    expect([...registry.recordsOf(configMaps.key)]).toHaveLength(
      actors.filter((actor) => actor.record() !== null).length,
    );
  }

  #deliver(name: string, message: ResourceEvent): void {
    const actor = this.#actors.get(name) ?? this.#newActor(name);
    this.#actors.set(name, actor);
    actor.receive(message);
    // Names that are gone and that nobody waits for are forgotten, and so is what was known of them.
    if (actor.record() === null && actor.pendingCount === 0) this.#actors.delete(name);
  }

  #newActor(name: string): ResourceActor {
    return new ResourceActor(null, {
      key: resourceKeyOf(configMaps.key, "default", name),
      typeKey: configMaps.key,
      markedThrough: "",
      mailboxCapacity: 1,
      attempts: 1,
      apply: (effect) => this.#apply(effect),
      onFault: (fault) => {
        throw fault;
      },
    });
  }

  #apply(effect: ResourceEffect): void {
    switch (effect.kind) {
      case "commit":
        this.#changes.push(effect.change);
        return;
      case "amend": {
        const { uid, resourceVersion, verdict } = effect;
        this.#said.push({ kind: "amended", typeKey: configMaps.key, uid, resourceVersion, verdict });
        return;
      }
      case "drop":
        this.dropped += effect.correlations.length;
        for (const correlation of effect.correlations) {
          const at = this.#waiting.findIndex((one) => one.correlation === correlation);
          if (at >= 0) this.#waiting.splice(at, 1);
        }
        return;
      default:
        return effect satisfies never;
    }
  }
}

function isAtRest(actor: ResourceActor): boolean {
  return actor.pendingCount === 0 && actor.record() !== null;
}

function progressed(to: Cursor): BranchMessage {
  return { kind: "progressed", typeKey: configMaps.key, cursor: to };
}
