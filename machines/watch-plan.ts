/** What a watch needs next after a failure, and how long it waits first. Pure data. */

import type { FaultKind, WatchFault } from "./watch-fault.ts";

/**
 * What comes next: the `first` list (nothing is known); the state at `exact`ly the cursor of the start; after a gap a list
 * `not-older` than what was passed on, or the `latest` (K26: at the last resourceVersion, then at ""); or the `stream`.
 */
export type WatchNeed = "first" | "exact" | "not-older" | "latest" | "stream";

/** The wait is a random share of `ceilingMs` (full jitter), but at least `floorMs`. */
export interface WatchWait {
  readonly reason: FaultKind;
  readonly floorMs: number;
  readonly ceilingMs: number;
}

/** K26. */
const watchBackOff = {
  firstMs: 800,
  factor: 2,
  maxMs: 30_000,
  /** Retry-After is honoured up to here: a server cannot silence a watch for good. */
  maxRetryAfterMs: 300_000,
} as const;

/** A LIST at exactly the cursor may meet a server that lags behind; so often is it asked again before the cursor is given up. */
const maxExactAttempts = 5;

/** `failures` counts this one. */
export function waitFor(fault: WatchFault, failures: number): WatchWait {
  const grownMs = watchBackOff.firstMs * watchBackOff.factor ** Math.min(failures - 1, 16);
  return {
    reason: fault.kind,
    floorMs: Math.min(Math.max(fault.retryAfterMs, 0), watchBackOff.maxRetryAfterMs),
    ceilingMs: Math.min(grownMs, watchBackOff.maxMs),
  };
}

/** `random` in [0, 1). */
export function delayOf(wait: WatchWait, random: number): number {
  return Math.max(wait.floorMs, random * wait.ceilingMs);
}

export function nextNeed(need: WatchNeed, fault: FaultKind, failures: number): WatchNeed {
  // Something was in those bytes. Only the latest list is sure to hold it.
  if (fault === "undecodable") return "latest";
  switch (need) {
    case "first":
    case "latest":
      return need;
    case "stream":
      return fault === "gone" ? "not-older" : "stream";
    case "exact":
      if (fault === "gone" || fault === "rejected" || fault === "unsupported") return "latest";
      return fault === "ahead" && failures >= maxExactAttempts ? "latest" : "exact";
    case "not-older":
      return fault === "gone" || fault === "ahead" || fault === "rejected" || fault === "silent" ? "latest" : need;
    default:
      return need satisfies never;
  }
}
