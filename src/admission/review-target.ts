/** Which requests are reviews: the one decision that keeps others out. */

import { reachSuffix } from "../../machines/webhook-credentials.ts";

/** What a request is for: a review to be recorded, or one that only asks whether reviews arrive. */
export type ReviewTarget = "review" | "reach";

/** The paths that reviews are taken at. Owns them; they may be exchanged. */
export class ReviewPaths {
  #paths: readonly string[] = [];

  constructor(paths: readonly string[]) {
    this.exchange(paths);
  }

  exchange(paths: readonly string[]): void {
    this.#paths = [...paths];
  }

  /** Of a POST to one of the paths; the API server appends `?timeout=10s`. Null: of nothing that is taken. */
  targetOf({ method, url }: { readonly method: string | undefined; readonly url: string }): ReviewTarget | null {
    if (method !== "POST") return null;
    const query = url.indexOf("?");
    const length = query < 0 ? url.length : query;
    const asksForReach = url.endsWith(reachSuffix, length);
    let found: ReviewTarget | null = null;
    for (const path of this.#paths) {
      if (begins(url, length, path)) found = "review";
      else if (asksForReach && begins(url, length - reachSuffix.length, path)) found = "reach";
    }
    return found;
  }
}

/**
 * Whether the first `length` characters are the path. A path may hold the secret that tells the API server from others: how long the
 * answer takes says nothing about how much of it was right. By hand, since a copy into a buffer for timingSafeEqual costs twenty times as
 * much, and this is asked of each review.
 */
function begins(url: string, length: number, path: string): boolean {
  if (length !== path.length) return false;
  let difference = 0;
  for (let index = 0; index < length; index += 1) difference |= url.charCodeAt(index) ^ path.charCodeAt(index);
  return difference === 0;
}

/** See peer-client.ts. */
export function isHandedOn(url: string): boolean {
  return url.endsWith("?handed-on");
}
