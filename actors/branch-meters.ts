/** What a branch tells the meter; names and meanings stand in docs/METRICS.md. */

import type { Tier } from "../machines/messages.ts";
import type { BranchEntry } from "../machines/branch-queue.ts";
import type { Clock, Labels, Meter } from "./ports.ts";

export interface BranchGauges {
  readonly depth: () => number;
  readonly bytes: () => number;
  readonly oldestAgeSeconds: () => number;
  readonly detached: () => number;
  readonly stopped: () => number;
}

export class BranchMeters {
  readonly #meter: Meter;
  readonly #clock: Clock;
  readonly #labels: Labels;
  readonly #verdicts = new Map<Tier, number>();

  constructor(
    options: { readonly meter: Meter; readonly clock: Clock; readonly targetId: string },
    gauges: BranchGauges,
  ) {
    this.#meter = options.meter;
    this.#clock = options.clock;
    this.#labels = { target: options.targetId };
    this.#show(gauges);
  }

  /** Of a branch that has ended nothing can be said: what it was when it ended would be an alarm for ever. */
  close(): void {
    this.#show({ depth: unknown, bytes: unknown, oldestAgeSeconds: unknown, detached: unknown, stopped: unknown });
  }

  /** Changes that were committed, by how their authors are known. */
  get verdicts(): ReadonlyMap<Tier, number> {
    return this.#verdicts;
  }

  /** `commits`: for each entry how many it made. Only what made one is counted, attributed and timed. */
  flushed(entries: readonly BranchEntry[], commits: readonly number[], seconds: number): void {
    const nowMs = this.#clock.nowMs();
    let total = 0;
    for (const [at, { item }] of entries.entries()) {
      const made = commits[at] ?? 0;
      total += made;
      if (made === 0 || item.kind !== "change") continue;
      const { verdict, observedAtMs, type } = item.change;
      this.#meter.count(verdict.author === null ? "watch_enrich_misses" : "watch_enrich_hits");
      this.#meter.count("attributions", { tier: verdict.tier });
      this.#verdicts.set(verdict.tier, (this.#verdicts.get(verdict.tier) ?? 0) + 1);
      this.#meter.count("changes_by_type", { type: type.key });
      if (verdict.author !== null) this.#meter.count("changes_by_account", { account: verdict.author.user });
      this.#meter.record("change_to_commit_seconds", Math.max(0, nowMs - observedAtMs) / 1000);
    }
    if (total > 0) this.#meter.count("commits", this.#labels, total);
    this.#flush("committed", seconds);
  }

  failed(outcome: "failed" | "refused", seconds: number): void {
    this.#flush(outcome, seconds);
  }

  verdictsLost(count: number): void {
    this.#meter.count("verdicts_lost", this.#labels, count);
  }

  objectsFaulted(count: number): void {
    this.#meter.count("objects_faulted", this.#labels, count);
  }

  amendedLate(): void {
    this.#meter.count("amendments_late", this.#labels);
  }

  catchUp(outcome: "caughtUp" | "held" | "crowded" | "failed"): void {
    this.#meter.count("catch_ups", { ...this.#labels, outcome });
  }

  #show(gauges: BranchGauges): void {
    this.#meter.gauge("queue_depth", gauges.depth, this.#labels);
    this.#meter.gauge("queue_bytes", gauges.bytes, this.#labels);
    this.#meter.gauge("oldest_uncommitted_age_seconds", gauges.oldestAgeSeconds, this.#labels);
    this.#meter.gauge("detached", gauges.detached, this.#labels);
    this.#meter.gauge("target_stopped", gauges.stopped, this.#labels);
  }

  #flush(outcome: string, seconds: number): void {
    this.#meter.count("flushes", { ...this.#labels, outcome });
    this.#meter.record("flush_duration_seconds", seconds, this.#labels);
  }
}

const unknown = (): number => Number.NaN;
