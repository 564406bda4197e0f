/**
 * The correlations of one resource that no write has answered yet, in FIFO order. Pure: every function returns a new list.
 *
 * 1. A correlation whose base is older than the resource's resourceVersion can never win (K6) and is not kept (K41).
 * 2. What a bound evicted leaves a mark: verdicts on bases up to the mark are at most a `tie`. One resourceVersion is enough
 *    for all of them: it marks too much rather than too little.
 */
import type { Correlation, ResourceVersion, Uid } from "./messages.ts";
import { compareResourceVersions } from "./messages.ts";

export interface PendingCorrelation {
  readonly correlation: Correlation;
  /** Monotonic clock at arrival: wall clocks jump. */
  readonly sinceMs: number;
}

export interface Pending {
  /** Oldest first. */
  readonly fifo: readonly PendingCorrelation[];
  /** The newest base among the evicted; empty when there were none since. */
  readonly markedThrough: ResourceVersion | "";
}

export const nothingPending: Pending = { fifo: [], markedThrough: "" };

/** The two halves of a pending list: what stays, and what goes (to be counted and forgotten). */
export interface Sifted {
  readonly pending: Pending;
  readonly dropped: readonly Correlation[];
}

/** Adds the newest; beyond `capacity` the oldest go and leave their mark. */
export function append(pending: Pending, entry: PendingCorrelation, capacity: number): Sifted {
  const fifo = [...pending.fifo, entry];
  const excess = fifo.length - capacity;
  if (excess <= 0) return { pending: { fifo, markedThrough: pending.markedThrough }, dropped: [] };
  const dropped = fifo.slice(0, excess).map((each) => each.correlation);
  return {
    pending: { fifo: fifo.slice(excess), markedThrough: marked(pending, dropped) },
    dropped,
  };
}

/** No request takes longer: the API server's own limit. */
export const longestRequestMs = 60_000;

/**
 * Takes out one correlation by its arrival number; a bound leaves its mark, the TTL does not: its request is long over. Those that
 * competed with it go with it: the watch may be so late that one of them has won, and whoever is left would look like the only one.
 */
export function remove(pending: Pending, arrival: number, why: "evicted" | "expired"): Sifted {
  if (why === "expired") return expire(pending, arrival);
  const sifted = sift(pending, (correlation) => correlation.arrival !== arrival);
  return {
    pending: { fifo: sifted.pending.fifo, markedThrough: marked(pending, sifted.dropped) },
    dropped: sifted.dropped,
  };
}

function expire(pending: Pending, arrival: number): Sifted {
  const expired = pending.fifo.find(({ correlation }) => correlation.arrival === arrival);
  if (expired === undefined) return { pending, dropped: [] };
  const { uid, base } = expired.correlation;
  const competitors = pending.fifo.filter(
    ({ correlation, sinceMs }) =>
      correlation.uid === uid && correlation.base === base && sinceMs - expired.sinceMs <= longestRequestMs,
  );
  const gone = new Set(competitors.map(({ correlation }) => correlation));
  return sift(pending, (correlation) => !gone.has(correlation));
}

/** Drops all that can no longer win once `uid` has reached `version`; all of `uid` when it is gone. */
export function retire(pending: Pending, uid: Uid, version: ResourceVersion, gone: boolean): Sifted {
  if (pending.fifo.length === 0 && pending.markedThrough === "") return { pending, dropped: [] };
  const sifted = sift(pending, (correlation) =>
    correlation.uid === uid
      ? !gone && compareResourceVersions(correlation.base, version) >= 0
      : correlation.base === "" || compareResourceVersions(correlation.base, version) >= 0,
  );
  const outlived = compareResourceVersions(pending.markedThrough, version) < 0;
  return {
    pending: { fifo: sifted.pending.fifo, markedThrough: outlived ? "" : pending.markedThrough },
    dropped: sifted.dropped,
  };
}

/** Without all of it, and with a mark of what went: nobody can say who else was there. */
export function forget(pending: Pending): Pending {
  const gone = pending.fifo.map((each) => each.correlation);
  return { fifo: [], markedThrough: marked(pending, gone) };
}

/** With the mark of a correlation that was never taken in. */
export function overlook(pending: Pending, correlation: Correlation): Pending {
  return { fifo: pending.fifo, markedThrough: marked(pending, [correlation]) };
}

function sift(pending: Pending, keep: (correlation: Correlation) => boolean): Sifted {
  const dropped = pending.fifo.filter((each) => !keep(each.correlation)).map((each) => each.correlation);
  if (dropped.length === 0) return { pending, dropped };
  const fifo = pending.fifo.filter((each) => keep(each.correlation));
  return { pending: { fifo, markedThrough: pending.markedThrough }, dropped };
}

function marked(pending: Pending, evicted: readonly Correlation[]): ResourceVersion | "" {
  return evicted.reduce(
    (through, { base }) => (compareResourceVersions(base, through) > 0 ? base : through),
    pending.markedThrough,
  );
}
