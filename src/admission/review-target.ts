/** Which requests are reviews: the one decision that keeps others out. */

import { timingSafeEqual } from "node:crypto";

import { reachSuffix } from "../../machines/webhook-credentials.ts";

/** What a request is for: a review to be recorded, or one that only asks whether reviews arrive. */
export type ReviewTarget = "review" | "reach";

interface TakenPath {
  readonly bytes: Buffer;
  readonly target: ReviewTarget;
}

/** The paths that reviews are taken at. Owns them; they may be exchanged. */
export class ReviewPaths {
  #paths: readonly TakenPath[] = [];

  constructor(paths: readonly string[]) {
    this.exchange(paths);
  }

  exchange(paths: readonly string[]): void {
    this.#paths = paths.flatMap((path) => [
      { bytes: Buffer.from(path), target: "review" },
      { bytes: Buffer.from(`${path}${reachSuffix}`), target: "reach" },
    ]);
  }

  /**
   * Of a POST to one of the paths; the API server appends `?timeout=10s`. Null: of nothing that is taken. A path may hold the secret that
   * tells the API server from others: how long the answer takes says nothing about how much of it was right.
   */
  targetOf({ method, url }: { readonly method: string | undefined; readonly url: string }): ReviewTarget | null {
    if (method !== "POST") return null;
    const query = url.indexOf("?");
    const asked = Buffer.from(query < 0 ? url : url.slice(0, query));
    let found: ReviewTarget | null = null;
    for (const { bytes, target } of this.#paths) {
      if (bytes.length === asked.length && timingSafeEqual(bytes, asked)) found = target;
    }
    return found;
  }
}
