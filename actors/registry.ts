/**
 * Creates, routes to, passivates and revives the resource actors. Owns the records of all idle resources and the actors awake.
 *
 * 1. A resource is either awake (an actor) or at rest (a record) or unknown; never two of them.
 * 2. An actor that has nothing left to wait for is passivated at once; it comes back with the same answers.
 * 3. For every watch message that is taken in, the outlet gets its change or the progress, before the next one is taken in.
 */
import type { Horizon, SameContent } from "../machines/attribution.ts";
import type {
  BranchMessage,
  Change,
  Correlation,
  Cursor,
  ResourceKey,
  TypeKey,
  WatchEvent,
  WatchMessage,
} from "../machines/messages.ts";
import { cursorAt } from "../machines/cursor.ts";
import { compareCursors, compareResourceVersions, resourceKeyOf } from "../machines/messages.ts";
import type { DropReason, ResourceEffect, ResourceEvent } from "../machines/resource-changes.ts";

import { Cascade } from "./cascade.ts";
import { EvictionMarks } from "./eviction-marks.ts";
import type { CorrelationLedger } from "./correlation-ledger.ts";
import { keyOf } from "./correlation-ledger.ts";
import type { Clock, Log, Meter } from "./ports.ts";
import { ResourceActor } from "./resource-actor.ts";
import type { ResourceRecord } from "./resource-record.ts";

export interface RegistryOptions {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
  readonly ledger: CorrelationLedger;
  readonly horizonOf: (typeKey: TypeKey, nowMs: number) => Horizon;
  readonly sameContent: SameContent;
  readonly outlet: (message: BranchMessage) => void;
  /** Sees every change before it leaves; may give it another verdict or hold it back (the first designs do). */
  readonly review: (change: Change) => Change | null;
  readonly pendingPerResource: number;
  readonly mailboxCapacity: number;
  readonly attempts: number;
  readonly cascadeCapacity: number;
}

/** Of those of which nothing else is kept. */
const markedResources = 10_000;

type ListedMessage = Extract<WatchMessage, { kind: "listed" }>;

export class Registry {
  readonly #options: RegistryOptions;
  readonly #cascade: Cascade;
  readonly #awake = new Map<ResourceKey, ResourceActor>();
  readonly #atRest = new Map<TypeKey, Map<ResourceKey, ResourceRecord>>();
  readonly #marks = new EvictionMarks(markedResources);
  readonly #remembered = new Map<TypeKey, readonly (readonly [ResourceKey, ResourceRecord])[]>();
  /** Changes of the message that is being processed. */
  #changes: Change[] = [];

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#cascade = new Cascade(options.cascadeCapacity);
  }

  get awakeCount(): number {
    return this.#awake.size;
  }

  get atRestCount(): number {
    let count = 0;
    for (const records of this.#atRest.values()) count += records.size;
    return count;
  }

  correlate(correlation: Correlation, sinceMs: number, object: Uint8Array | null): void {
    const { ledger, pendingPerResource: capacity } = this.#options;
    ledger.add(correlation, sinceMs, object);
    const entry = { correlation, sinceMs };
    if (
      !this.#deliver(correlation.typeKey, keyOf(correlation), {
        type: "correlated",
        entry,
        capacity,
      })
    )
      this.#drop([correlation], "evicted");
    this.#enforceBounds();
  }

  /** Others may have been there beside this one: what would be settled on its base is a tie of those that are left. */
  doubt(correlation: Correlation): void {
    this.#deliver(correlation.typeKey, keyOf(correlation), { type: "doubted", correlation });
  }

  watch(message: WatchMessage): void {
    switch (message.kind) {
      case "observed":
        return this.#observe(message.event, message.epoch);
      case "bookmarked": {
        const { type, epoch, resourceVersion } = message;
        return this.#options.outlet({
          kind: "progressed",
          typeKey: type.key,
          cursor: { epoch, resourceVersion },
        });
      }
      case "listed":
        return this.#list(message);
      default:
        return message satisfies never;
    }
  }

  /** Takes out what is over its time or over the bound on all; called by a timer as well. */
  enforceBounds(): void {
    this.#enforceBounds();
  }

  /** What is known of a type's resources, awake or at rest, to be kept over a restart. */
  *recordsOf(typeKey: TypeKey): Iterable<readonly [ResourceKey, ResourceRecord]> {
    yield* this.#atRest.get(typeKey) ?? [];
    const prefix = `${typeKey}/`;
    for (const [key, actor] of this.#awake) {
      const record = key.startsWith(prefix) ? actor.record() : null;
      if (record !== null) yield [key, record];
    }
  }

  /** What an earlier process knew of a type; used if the type's first list comes after a gap, and forgotten with it. */
  restore(typeKey: TypeKey, records: Iterable<readonly [ResourceKey, ResourceRecord]>): void {
    this.#remembered.set(typeKey, [...records]);
  }

  #observe(event: WatchEvent, epoch: number): void {
    const { clock, outlet, horizonOf, sameContent } = this.#options;
    const horizon = horizonOf(event.type.key, clock.monotonicMs());
    const key = resourceKeyOf(event.type.key, event.namespace, event.name);
    this.#changes = [];
    this.#deliver(event.type.key, key, { type: "observed", event, epoch, horizon, sameContent });
    if (this.#changes.length > 0) for (const change of this.#changes) outlet({ kind: "changed", change });
    else {
      outlet({ kind: "progressed", typeKey: event.type.key, cursor: cursorAt(event, epoch) });
    }
  }

  #list(message: ListedMessage): void {
    const { type, epoch, resourceVersion, items, unbroken } = message;
    const shown = new Set<ResourceKey>();
    if (!unbroken) this.#recall(type.key, { epoch, resourceVersion });
    this.#remembered.delete(type.key);
    this.#changes = [];
    for (const event of items) {
      const key = resourceKeyOf(type.key, event.namespace, event.name);
      shown.add(key);
      if (!this.#settleAtRest(key, event, message))
        this.#deliver(type.key, key, { type: "listed", event, epoch, unbroken });
    }
    if (!unbroken) this.#missAllBut(shown, message);
    this.#marks.listed(type.key, resourceVersion);
    const changes = this.#changes.toSorted((a, b) => compareResourceVersions(a.resourceVersion, b.resourceVersion));
    this.#changes = [];
    const cursor = { epoch, resourceVersion };
    this.#options.outlet({ kind: "relisted", type, cursor, items, changes });
  }

  /**
   * A list may be of 100,000 resources, most of which nobody waits for: where the machine could only remember what is shown,
   * the record is written without it. False where there is more to it.
   */
  #settleAtRest(key: ResourceKey, event: WatchEvent, { type, epoch, unbroken }: ListedMessage): boolean {
    if (this.#awake.has(key)) return false;
    const records = this.#recordsFor(type.key);
    const { uid, resourceVersion, objectHash, restHash, replicas, terminating } = event;
    const record = records.get(key);
    if (!unbroken && (record?.resourceVersion !== resourceVersion || record.uid !== uid || record.epoch !== epoch))
      return false;
    const state = terminating ? "terminating" : "live";
    const tie = record?.resourceVersion === resourceVersion ? record.tie : null;
    const markedThrough = record?.markedThrough ?? this.#marks.through(type.key, key);
    records.set(key, { state, epoch, uid, resourceVersion, objectHash, restHash, replicas, markedThrough, tie });
    return true;
  }

  /** A relist that does not show a resource which was seen before its version: it is gone. */
  #missAllBut(shown: ReadonlySet<ResourceKey>, { type, epoch, resourceVersion }: ListedMessage): void {
    const cursor = { epoch, resourceVersion };
    const atMs = this.#options.clock.nowMs();
    const left = Array.from(this.recordsOf(type.key)).filter(([, record]) => compareCursors(record, cursor) <= 0);
    for (const key of [...left.map(([each]) => each), ...this.#goneOf(type.key)]) {
      if (shown.has(key)) continue;
      const [namespace = "", name = ""] = key.slice(type.key.length + 1).split("/");
      this.#deliver(type.key, key, {
        type: "missing",
        resource: type,
        namespace,
        name,
        cursor,
        atMs,
      });
    }
  }

  /** Those for whose names somebody still waits. */
  #goneOf(typeKey: TypeKey): readonly ResourceKey[] {
    const gone = [...this.#awake.values()].filter((actor) => actor.typeKey === typeKey && actor.state === "gone");
    return gone.map(({ key }) => key);
  }

  /** None, where the list is older than what the earlier process saw: a restored backup gives those versions again, with another meaning. */
  #recall(typeKey: TypeKey, listed: Cursor): void {
    const remembered = this.#remembered.get(typeKey) ?? [];
    if (remembered.some(([, record]) => compareCursors(record, listed) > 0)) return;
    for (const [key, record] of remembered) {
      const { state, epoch, uid, resourceVersion, objectHash, restHash, replicas } = record;
      const known = { uid, resourceVersion, objectHash, restHash, replicas };
      this.#deliver(typeKey, key, { type: "remembered", known, epoch, terminating: state === "terminating" });
    }
  }

  #deliver(typeKey: TypeKey, key: ResourceKey, message: ResourceEvent): boolean {
    const records = this.#recordsFor(typeKey);
    const awake = this.#awake.get(key);
    const actor = awake ?? this.#wake(typeKey, key);
    const taken = actor.receive(message);
    const record = actor.passivate();
    if (record === undefined) {
      if (awake === undefined) this.#awake.set(key, actor);
      records.delete(key);
    } else {
      if (awake !== undefined) this.#awake.delete(key);
      if (record === null) records.delete(key);
      else records.set(key, record);
      this.#marks.set(typeKey, key, record === null ? actor.context.pending.markedThrough : "");
    }
    return taken;
  }

  #wake(typeKey: TypeKey, key: ResourceKey): ResourceActor {
    const { mailboxCapacity, attempts } = this.#options;
    return new ResourceActor(this.#recordsFor(typeKey).get(key) ?? null, {
      key,
      typeKey,
      markedThrough: this.#marks.through(typeKey, key),
      mailboxCapacity,
      attempts,
      apply: (effect, actor) => this.#apply(effect, actor),
      onFault: (fault, actor, attempt) => this.#report(fault, actor.key, attempt),
    });
  }

  #recordsFor(typeKey: TypeKey): Map<ResourceKey, ResourceRecord> {
    const records = this.#atRest.get(typeKey) ?? new Map<ResourceKey, ResourceRecord>();
    this.#atRest.set(typeKey, records);
    return records;
  }

  #apply(effect: ResourceEffect, { typeKey }: ResourceActor): void {
    switch (effect.kind) {
      case "commit": {
        const change = this.#options.review(this.#cascade.trace(effect.change));
        if (change !== null) this.#changes.push(change);
        return;
      }
      case "amend": {
        const { uid, resourceVersion, verdict } = effect;
        return this.#options.outlet({ kind: "amended", typeKey, uid, resourceVersion, verdict });
      }
      case "drop":
        return this.#drop(effect.correlations, effect.reason);
      default:
        return effect satisfies never;
    }
  }

  #drop(correlations: readonly Correlation[], reason: DropReason): void {
    const { ledger, meter } = this.#options;
    for (const correlation of correlations) ledger.remove(correlation);
    meter.count("correlations_dropped", { reason }, correlations.length);
  }

  #enforceBounds(): void {
    const { ledger, clock } = this.#options;
    for (const { correlation, why } of ledger.overdue(clock.monotonicMs())) {
      this.#deliver(correlation.typeKey, keyOf(correlation), {
        type: "removed",
        arrival: correlation.arrival,
        why,
      });
      ledger.remove(correlation);
    }
  }

  #report(fault: unknown, key: ResourceKey, attempt: number): void {
    const { meter, log } = this.#options;
    const kind = fault instanceof Error ? fault.name : "unknown";
    meter.count("actor_faults", { kind });
    log.error("a resource actor failed and is restarted from its record", {
      resource: key,
      attempt,
      kind,
    });
  }
}
