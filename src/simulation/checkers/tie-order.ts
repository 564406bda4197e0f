/** I3: who of a tie is named as the author is the first who asked; evidence (K37) may put behind the others who came back to change nothing. */

import { fits, isProven } from "./candidates.ts";
import type { Circumstances } from "./circumstances.ts";
import { lossOf } from "./excuses.ts";
import type { TakenReview } from "./reviews.ts";
import type { ToldChange } from "./told-change.ts";
import type { TrueWrite } from "./truth.ts";

/** Null: all is well, or nothing speaks for an order. */
export function tieOrderFault({ candidates }: ToldChange, write: TrueWrite, around: Circumstances): string | null {
  const delivered = around.watches.deliveryOf(write);
  if (delivered === null) return null;
  const { last } = delivered;
  const fitting = around.reviews.onBase(write).filter((review) => review.atMs <= last.atMs && fits(review, write));
  // How fresh those are who have no bytes to prove them comes first.
  if (!fitting.every(isProven)) return null;
  if (fitting.some((review) => lossOf(review, last, around) !== null)) return null;
  const firsts = candidates
    .filter((user) => !cameBack(user, write, around))
    .map((user) => fitting.find((review) => review.user === user));
  const asked = firsts.filter((review): review is TakenReview => review !== undefined);
  const late = asked.find(({ before }, at) => (asked[at - 1]?.before ?? -1) > before);
  return late === undefined ? null : `${late.user} asked earlier, and stands behind another`;
}

function cameBack(user: string, { uid, revision }: TrueWrite, { reviews }: Circumstances): boolean {
  return reviews.onBase({ uid, base: revision }).some((review) => review.user === user && review.changesNothing);
}
