/**
 * What no rule can tell (K50): a write that nobody reviewed, and before it a review, fresh, of the very same, by somebody else, whose
 * write failed. Allowed only where the truth shows just that.
 */

import { fits, isProven } from "./candidates.ts";
import type { Circumstances } from "./circumstances.ts";
import type { TrueWrite } from "./truth.ts";

/** Lags of so long ago may still be allowed for. */
const lagMemoryMs = 60_000;

export function isResidue(write: TrueWrite, user: string, around: Circumstances): boolean {
  if (write.reviewed) return false;
  const { reviews, watches, limits } = around;
  const deliveredMs = watches.deliveryOf(write)?.last.atMs ?? Number.POSITIVE_INFINITY;
  return reviews.onBase(write).some((review) => {
    if (review.user !== user || review.atMs > deliveredMs || !fits(review, write)) return false;
    if (isProven(review)) return true;
    // Whoever takes the event in may be a later process; it then trusts what an earlier one saw (a base above this write).
    if (reviews.blind(review.atMs, Math.max(review.atMs, write.atMs))) return false;
    return write.atMs - review.atMs <= limits.freshnessMs + lagBefore(write, deliveredMs, around);
  });
}

/** The longest time from a review to its event, by the wall clock, of late. */
function lagBefore(write: TrueWrite, deliveredMs: number, { reviews, watches, truth, limits }: Circumstances): number {
  let longestMs = 0;
  for (const delivery of watches.between(deliveredMs - lagMemoryMs, deliveredMs)) {
    for (const each of truth.at(delivery.era, delivery.revision)) {
      if (each === write || each.typeKey !== write.typeKey) continue;
      for (const review of reviews.onBase(each))
        if (review.user === each.user && fits(review, each))
          longestMs = Math.max(longestMs, delivery.wallMs - review.wallMs);
    }
  }
  return Math.min(longestMs, limits.pendingTtlMs);
}
