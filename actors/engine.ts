/**
 * Where the two streams meet: correlations and watch messages go in, what the branches have to do comes out. Owns the registry,
 * the ledger of pending correlations and what is known of lag and blindness.
 *
 * 1. A message is taken in whole before the next one, in the order in which the streams deliver (DESIGN section 3).
 * 2. Nothing here waits: not for Git, not for a file.
 */
import type { Observable, Subscription } from "rxjs";
import { merge, map } from "rxjs";

import type { Horizon, SameContent, Witness } from "../machines/attribution.ts";
import type {
  BranchMessage,
  Change,
  Correlation,
  ResourceType,
  TypeKey,
  WatchEvent,
  WatchMessage,
} from "../machines/messages.ts";

import { compareResourceVersions } from "../machines/messages.ts";
import { longestRequestMs } from "../machines/pending.ts";

import { CorrelationLedger } from "./correlation-ledger.ts";
import { LagGauge } from "./lag.ts";
import type { Clock, Log, Meter, Timer } from "./ports.ts";
import { Registry } from "./registry.ts";

export interface EngineBounds {
  readonly pendingPerResource: number;
  readonly pendingTotal: number;
  readonly pendingTtlMs: number;
  readonly contentBytes: number;
  readonly mailboxCapacity: number;
  /** A candidate without bytes to prove it counts for so long beyond the measured lag (K50). */
  readonly freshnessMs: number;
}

export const defaultEngineBounds: EngineBounds = {
  pendingPerResource: 256,
  pendingTotal: 100_000,
  pendingTtlMs: 10 * 60_000,
  contentBytes: 64 * 1024 * 1024,
  mailboxCapacity: 1024,
  freshnessMs: 10_000,
};

/** A review as it enters: `object` is the raw object, where there is one; a view that may be kept. */
export interface CorrelationMessage {
  readonly correlation: Correlation;
  readonly object: Uint8Array | null;
}

export interface EngineOptions {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
  readonly bounds: EngineBounds;
  /** Equal once sanitized, null, [] and {} alike (K36). */
  readonly contentEquals: (a: Uint8Array, b: Uint8Array, type: ResourceType) => boolean;
  readonly correlation$: Observable<CorrelationMessage>;
  readonly watch$: Observable<WatchMessage>;
  readonly outlet: (message: BranchMessage) => void;
  readonly strategy?: AttributionStrategy;
}

export interface Restoring {
  /** Wall clock: beside those who were reviewed until then others are missing, who may have been candidates too. */
  readonly doubtedThroughMs?: number;
  /** Arrivals from here on are of one process, the last one. */
  readonly lastLifeArrival?: number;
  /** Monotonic: reviews have reached this process since then, before this engine was made. Default: from now on. */
  readonly sightSinceMs?: number;
}

/** How the first designs differ: they take the reviews themselves and name the author of each change. */
export interface AttributionStrategy {
  correlate(message: CorrelationMessage): void;
  /** Null: there is nothing left to commit. */
  review(change: Change): Change | null;
}

const lagWindowMs = 30_000;
const sweepMs = 1_000;
const attempts = 3;
const cascadeCapacity = 10_000;

export class Engine implements Disposable {
  readonly registry: Registry;
  readonly #options: EngineOptions;
  readonly #ledger: CorrelationLedger;
  readonly #witnesses = new Map<TypeKey, Witness>();
  readonly #lags = new Map<TypeKey, LagGauge>();
  readonly #subscription: Subscription;
  #sweep: Timer;
  #sightSinceMs: number;
  /** As in Restoring. */
  #doubtedThroughMs = Number.NEGATIVE_INFINITY;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { bounds, clock, meter, log, outlet } = options;
    this.#sightSinceMs = clock.monotonicMs();
    this.#ledger = new CorrelationLedger({
      pendingTotal: bounds.pendingTotal,
      ttlMs: bounds.pendingTtlMs,
      contentBytes: bounds.contentBytes,
    });
    this.registry = new Registry({
      clock,
      meter,
      log,
      outlet,
      ledger: this.#ledger,
      horizonOf: (typeKey, nowMs) => this.#horizonOf(typeKey, nowMs),
      sameContent: this.#sameContent,
      review: (change) => this.#review(change),
      pendingPerResource: bounds.pendingPerResource,
      mailboxCapacity: bounds.mailboxCapacity,
      attempts,
      cascadeCapacity,
    });
    this.#watchGauges();
    this.#sweep = this.#armSweep();
    this.#subscription = merge(
      options.correlation$.pipe(map((message) => () => this.#correlate(message))),
      options.watch$.pipe(map((message) => () => this.#watch(message))),
    ).subscribe((take) => take());
  }

  /** The correlations of earlier processes, in their order, before any stream begins. */
  restore(
    correlations: readonly Correlation[],
    { doubtedThroughMs = Number.NEGATIVE_INFINITY, lastLifeArrival = 0, sightSinceMs }: Restoring = {},
  ): void {
    if (sightSinceMs !== undefined) this.#sightSinceMs = sightSinceMs;
    this.#doubtedThroughMs = doubtedThroughMs;
    const { clock, bounds } = this.#options;
    const nowMs = clock.monotonicMs();
    // Before that there was a time in which nobody looked.
    const lifeSinceMs = correlations.find(({ arrival }) => arrival >= lastLifeArrival)?.atMs ?? clock.nowMs();
    for (const correlation of correlations) {
      this.#call(correlation, Math.max(lifeSinceMs, correlation.atMs - bounds.freshnessMs));
      const sinceMs = nowMs - Math.max(0, clock.nowMs() - correlation.atMs);
      this.registry.correlate(correlation, sinceMs, null);
      if (correlation.atMs <= doubtedThroughMs) this.registry.doubt(correlation);
    }
  }

  /**
   * Reviews are missing that somebody else took and could not hand on: who is pending, or comes while their requests may still be under
   * way, may have had rivals.
   */
  miss(): void {
    this.regainSight();
    const { clock } = this.#options;
    this.#doubtedThroughMs = Math.max(this.#doubtedThroughMs, clock.nowMs() + longestRequestMs);
    for (const { correlation } of this.#ledger.pending()) this.registry.doubt(correlation);
  }

  /** Reviews can no longer reach this process: nothing without proof counts across this time. */
  loseSight(): void {
    this.#sightSinceMs = Number.POSITIVE_INFINITY;
  }

  regainSight(): void {
    this.#sightSinceMs = this.#options.clock.monotonicMs();
  }

  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
    this.#sweep[Symbol.dispose]();
  }

  #correlate(message: CorrelationMessage): void {
    const { strategy, clock } = this.#options;
    if (strategy !== undefined) return strategy.correlate(message);
    const { correlation, object } = message;
    const sinceMs = clock.monotonicMs();
    this.registry.correlate(correlation, sinceMs, object);
    if (correlation.atMs <= this.#doubtedThroughMs) this.registry.doubt(correlation);
  }

  #watch(message: WatchMessage): void {
    if (message.kind === "observed") this.#options.meter.count("events_processed");
    // Behind a gap nothing ties an event to what an earlier process saw. A restored backup counts from anew, and the journal does not
    // tell on which side of it a review was: its versions may be of a time that the restore undid.
    if (message.kind === "listed" && (!message.unbroken || message.epoch > 0)) this.#witnesses.delete(message.type.key);
    this.registry.watch(message);
  }

  #review(original: Change): Change | null {
    const { strategy, meter, clock } = this.#options;
    const change = strategy === undefined ? original : strategy.review(original);
    if (change === null) return null;
    const { tier, author } = change.verdict;
    if (author === null) meter.count("correlation_misses");
    if (tier === "exact" && author !== null) {
      const lagMs = Math.max(0, change.observedAtMs - author.atMs);
      meter.record("watch_lag_seconds", lagMs / 1000);
      this.#lagOf(change.type.key).record(lagMs, clock.monotonicMs());
    }
    return change;
  }

  /** Takes a restored correlation as a witness if it is the newest of its type. */
  #call({ typeKey, base }: Correlation, freshSinceMs: number): void {
    const known = this.#witnesses.get(typeKey);
    if (base === "" || (known !== undefined && compareResourceVersions(base, known.base) <= 0)) return;
    this.#witnesses.set(typeKey, { base, freshSinceMs });
  }

  #horizonOf(typeKey: TypeKey, nowMs: number): Horizon {
    const { bounds } = this.#options;
    const lagMs = Math.min(this.#lagOf(typeKey).maximumMs(nowMs), bounds.pendingTtlMs);
    return {
      freshSinceMs: Math.max(this.#sightSinceMs, nowMs - lagMs - bounds.freshnessMs),
      openSinceMs: nowMs - lagMs - longestRequestMs,
      witness: this.#witnesses.get(typeKey) ?? null,
    };
  }

  #lagOf(typeKey: TypeKey): LagGauge {
    const lag = this.#lags.get(typeKey) ?? new LagGauge(lagWindowMs);
    this.#lags.set(typeKey, lag);
    return lag;
  }

  readonly #sameContent: SameContent = (candidate: Correlation, event: WatchEvent) => {
    const object = this.#ledger.objectOf(candidate);
    return object !== null && this.#options.contentEquals(object, event.bytes, event.type);
  };

  #armSweep(): Timer {
    return this.#options.clock.after(sweepMs, () => {
      this.registry.enforceBounds();
      this.#sweep = this.#armSweep();
    });
  }

  #watchGauges(): void {
    const { meter } = this.#options;
    meter.gauge("pending_correlations", () => this.#ledger.size);
    meter.gauge("pending_object_bytes", () => this.#ledger.objectBytes);
    meter.gauge("actors", () => this.registry.awakeCount, { state: "awake" });
    meter.gauge("actors", () => this.registry.atRestCount, { state: "at-rest" });
  }
}
