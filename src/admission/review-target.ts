/** Which requests are reviews: the one decision that keeps others out. */

import { timingSafeEqual } from "node:crypto";

/** The paths that reviews are taken at. Owns them; they may be exchanged. */
export class ReviewPaths {
  #paths: readonly Buffer[] = [];

  constructor(paths: readonly string[]) {
    this.exchange(paths);
  }

  exchange(paths: readonly string[]): void {
    this.#paths = paths.map((path) => Buffer.from(path));
  }

  /**
   * POST to one of the paths; the API server appends `?timeout=10s`. A path may hold the secret that tells the API server from
   * others: how long the answer takes says nothing about how much of it was right.
   */
  isReview({ method, url }: { readonly method: string | undefined; readonly url: string }): boolean {
    if (method !== "POST") return false;
    const query = url.indexOf("?");
    const asked = Buffer.from(query < 0 ? url : url.slice(0, query));
    let found = false;
    for (const path of this.#paths) {
      if (path.length === asked.length && timingSafeEqual(path, asked)) found = true;
    }
    return found;
  }
}
