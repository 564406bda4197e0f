/** Why a write whose review was answered may be nobody's, or a tie without its writer. Each excuse is of this write, not of the run. */

import { longestRequestMs } from "../../../machines/pending.ts";
import { fits, isProven } from "./candidates.ts";
import type { Circumstances } from "./circumstances.ts";
import type { TakenReview } from "./reviews.ts";
import type { ToldChange } from "./told-change.ts";
import type { TrueWrite } from "./truth.ts";
import type { Delivery } from "./watches.ts";

export type Excuse =
  /** Nobody was asked in its words: K39, an update that removes. */
  | "unasked"
  /** Several writes may be in one difference. */
  | "gap"
  /** A DELETE or a Scale that is older than they may be. */
  | "stale"
  /** A DELETE or a Scale across a time in which nobody was looking. */
  | "blind"
  /** The TTL took it, or one that competed with it. */
  | "expired"
  | "evicted"
  /** A full disk kept it from the journal, and its process ended. */
  | "unkept"
  /** The target was behind, and its log of verdicts too small. */
  | "unlogged";

export function excuseOf(told: ToldChange, write: TrueWrite, around: Circumstances): Excuse | null {
  if (isInGap(told, write, around)) return "gap";
  const delivered = around.watches.deliveryOf(write);
  if (delivered === null) return null;
  const { first, last } = delivered;
  const own = around.reviews
    .onBase(write)
    .filter((review) => review.user === write.user && review.atMs <= last.atMs && fits(review, write));
  if (own.length === 0) return write.operation === "DELETE" ? "unasked" : null;
  const lost = own.map((review) => lossOf(review, last, around));
  // One that nothing took away is enough.
  if (lost.includes(null)) return isUnlogged(told, first.atMs, around) ? "unlogged" : null;
  return lost[0] ?? null;
}

/** Between a review's arrival and its answer, at most. */
const keepingMs = 1_000;

/** A review of this write may have been lost on its way through kubescribe's own bounds. */
export function lossOf(
  review: TakenReview,
  { atMs: deliveredMs, wallMs }: Delivery,
  { reviews, limits, refusals }: Circumstances,
): "stale" | "blind" | "expired" | "evicted" | "unkept" | null {
  if (!isProven(review)) {
    if (deliveredMs - review.atMs > limits.freshnessMs) return "stale";
    if (reviews.blind(review.atMs, deliveredMs)) return "blind";
  }
  const expired = reviews.onBase(review).some((competitor) => {
    // A later process knows its age by the wall clock, which may have jumped.
    const later = reviews.blind(competitor.atMs, deliveredMs);
    const ageMs = Math.max(deliveredMs - competitor.atMs, later ? wallMs - competitor.wallMs : 0);
    return ageMs > limits.pendingTtlMs;
  });
  if (expired) return "expired";
  if (mayBeEvicted(review, deliveredMs, { reviews, limits })) return "evicted";
  const unkept = reviews.blind(review.atMs, deliveredMs) && refusals.within(review.atMs, review.atMs + keepingMs);
  return unkept ? "unkept" : null;
}

/** As many others came behind it as a bound lets wait. */
export function mayBeEvicted(
  review: TakenReview,
  deliveredMs: number,
  { reviews, limits }: Pick<Circumstances, "reviews" | "limits">,
): boolean {
  const { ofObject, ofAll } = reviews.behind(review, deliveredMs);
  return ofObject >= limits.pendingPerResource || ofAll >= limits.pendingTotal;
}

/**
 * A process that has a journal with gaps doubts those whom it has from there, and those who come in its first minute: whoever is missing
 * may have asked for the same. It does not know how old a gap is that could not be written down.
 */
export function mayBeDoubted(
  review: TakenReview,
  deliveredMs: number,
  { reviews, refusals, limits }: Pick<Circumstances, "reviews" | "refusals" | "limits">,
): boolean {
  const sightSinceMs = reviews.sightSinceMs(review);
  const rivalMs = Math.min(limits.pendingTtlMs, longestRequestMs);
  const isFirst = review.atMs <= sightSinceMs + rivalMs;
  if (isFirst && refusals.within(Number.NEGATIVE_INFINITY, sightSinceMs)) return true;
  if (review.wallMs <= refusals.newestWallMs(sightSinceMs) + rivalMs) return true;
  // One TTL for the missing line, and one for the process after it.
  const sinceMs = review.atMs - 2 * limits.pendingTtlMs;
  return reviews.blind(review.atMs, deliveredMs) && refusals.within(sinceMs, deliveredMs);
}

export function isInGap({ commit }: ToldChange, write: TrueWrite, { truth, watches }: Circumstances): boolean {
  if (watches.gapsAt(write).length > 0) return true;
  // What was written before a backup was made is listed again after it was restored.
  return watches
    .gapsOf(write.typeKey)
    .some(
      ({ restored, era, sinceWallMs }) =>
        restored && era > write.era && truth.holds(write, era) && (commit.committedAt + 1) * 1000 > sinceWallMs,
    );
}

/** As many other changes were read before this one was committed as the log of a detached target holds. */
function isUnlogged({ commit }: ToldChange, deliveredMs: number, { truth, watches, limits }: Circumstances): boolean {
  const untilWallMs = (commit.committedAt + 1) * 1000;
  const objectsOf = (typeKey: string): number => truth.countOf(typeKey);
  return watches.hasReadMore(limits.verdictLogEntries, { sinceMs: deliveredMs, untilWallMs }, objectsOf);
}
