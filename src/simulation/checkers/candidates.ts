/** Which reviews can name the writer of a write, by what the contract lets count: the base, the bytes, the number, the act. */

import type { TakenReview } from "./reviews.ts";
import type { TrueWrite } from "./truth.ts";

/** A DELETE and a Scale have no bytes to prove them. */
export function isProven(review: TakenReview): boolean {
  return review.operation !== "DELETE" && review.subresource !== "scale";
}

export function fits(review: TakenReview, write: TrueWrite): boolean {
  if (review.uid !== write.uid) return false;
  if (write.base === 0) return review.operation === "CREATE";
  if (review.base !== write.base) return false;
  if (write.operation === "DELETE") return review.operation === "DELETE";
  if (review.operation !== "UPDATE") return false;
  if (review.subresource === "scale") return write.scaled && review.replicas === write.replicas;
  return review.content === write.content;
}
