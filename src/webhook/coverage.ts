/**
 * Whether everything that is watched is reviewed, and since when. A log owns the last judgement of the webhook's configuration.
 *
 * C1 Between two looks the worst is assumed: what is found wrong may have been so since the last look that found it right. A look counts
 *    from when it began.
 * C2 The configuration's uid and generation prove what happened between two looks. The same ones: nothing. Others, which are
 *    not of our own writing: it may have been anything, for a time.
 */

import type { Observable } from "rxjs";
import { BehaviorSubject } from "rxjs";

import type { UncoveredReason } from "./configuration-judge.ts";
import type { Reach } from "./reach-probe.ts";

/** Times are of the wall clock, ms since 1970. */
export type Coverage =
  /** A `sinceMs` that is not later than that of the uncovered time before: nothing was missed after all. */
  | { readonly covered: true; readonly sinceMs: number }
  /** From `sinceMs` on changes may have come without a review. */
  | { readonly covered: false; readonly sinceMs: number; readonly reasons: readonly UncoveredReason[] };

/** What the configuration says and what the probe says, in one. A process that does not probe believes the configuration. */
export function joinedCoverage(configuration: Coverage, reach: Reach): Coverage {
  if (reach.kind === "unknown") return configuration;
  if (reach.kind === "reached") {
    return configuration.covered
      ? { covered: true, sinceMs: Math.max(configuration.sinceMs, reach.sinceMs) }
      : configuration;
  }
  const message = "The webhook's configuration is as it should be, and reviews do not arrive.";
  const unreachable = { code: "unreachable", message } as const;
  const { covered, sinceMs } = configuration;
  if (covered) return { covered: false, sinceMs: Math.max(sinceMs, reach.sinceMs), reasons: [unreachable] };
  return { covered, sinceMs: Math.min(sinceMs, reach.sinceMs), reasons: [...configuration.reasons, unreachable] };
}

/** Which state of the configuration was seen; null: there was none. */
export interface SeenState {
  readonly uid: string;
  readonly generation: number;
}

export interface Look {
  readonly state: SeenState | null;
  readonly reasons: readonly UncoveredReason[];
  /** Wall clock. */
  readonly beganMs: number;
  readonly endedMs: number;
}

interface Good {
  readonly state: SeenState;
  /** Since when it has been known to be good, without a gap. */
  readonly sinceMs: number;
  /** When the latest look that found it so began. */
  readonly lookedMs: number;
}

export class CoverageLog {
  readonly coverage$: Observable<Coverage>;
  readonly #coverage$: BehaviorSubject<Coverage>;
  #good: Good | null = null;

  constructor(nowMs: number) {
    const message = "The webhook's configuration is not known yet.";
    const reasons = [{ code: "pending", message } as const];
    this.#coverage$ = new BehaviorSubject<Coverage>({ covered: false, sinceMs: nowMs, reasons });
    this.coverage$ = this.#coverage$.asObservable();
  }

  get current(): Coverage {
    return this.#coverage$.value;
  }

  looked({ state, reasons, beganMs, endedMs }: Look): void {
    if (reasons.length > 0 || state === null) {
      this.#lose(reasons, this.#good?.lookedMs ?? beganMs);
      return;
    }
    const last = this.#good;
    const unbroken = last !== null && isSameState(last.state, state);
    if (!unbroken && last !== null && this.current.covered) {
      const message = "The webhook's configuration was changed and changed back between two looks.";
      this.#lose([{ code: "changed", message }], last.lookedMs);
    }
    this.#good = { state, sinceMs: unbroken ? last.sinceMs : endedMs, lookedMs: beganMs };
    if (!this.current.covered) this.#coverage$.next({ covered: true, sinceMs: this.#good.sinceMs });
  }

  /** We made `state` out of the one that was looked at last, and nobody came between. */
  wrote(state: SeenState): void {
    if (this.#good !== null) this.#good = { ...this.#good, state };
  }

  /** Something else is needed from now on: what was good until now is so no more. */
  needed(reasons: readonly UncoveredReason[], nowMs: number): void {
    if (reasons.length > 0) this.#lose(reasons, nowMs);
  }

  /** It cannot be read, and has not been for too long. What is proven later counts. */
  unobserved(message: string): void {
    const good = this.#good;
    if (!this.current.covered || good === null) return;
    const sinceMs = Math.max(good.lookedMs, good.sinceMs);
    this.#coverage$.next({ covered: false, sinceMs, reasons: [{ code: "unobserved", message }] });
  }

  [Symbol.dispose](): void {
    this.#coverage$.complete();
  }

  /** An uncovered time that goes on keeps its beginning. */
  #lose(reasons: readonly UncoveredReason[], sinceMs: number): void {
    const { current } = this;
    this.#good = null;
    if (current.covered) this.#coverage$.next({ covered: false, sinceMs, reasons });
    else if (!sameReasons(current.reasons, reasons)) this.#coverage$.next({ ...current, reasons });
  }
}

export function isSameState(a: SeenState, b: SeenState): boolean {
  return a.uid === b.uid && a.generation === b.generation;
}

function sameReasons(a: readonly UncoveredReason[], b: readonly UncoveredReason[]): boolean {
  return a.length === b.length && a.every(({ message }, index) => message === b[index]?.message);
}
