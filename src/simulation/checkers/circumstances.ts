/** What befell a run, as far as it excuses something: filled in while the run goes on, read by the checkers when it is over. */

import type { RefusalRecord } from "./refusals.ts";
import type { ReviewRecord } from "./reviews.ts";
import type { SightRecord } from "./sights.ts";
import type { Truth } from "./truth.ts";
import type { WatchRecord } from "./watches.ts";

export interface Circumstances {
  readonly truth: Truth;
  readonly reviews: ReviewRecord;
  readonly watches: WatchRecord;
  readonly refusals: RefusalRecord;
  readonly sights: SightRecord;
  readonly limits: Limits;
}

/** As kubescribe was told. */
export interface Limits {
  readonly pendingPerResource: number;
  readonly pendingTotal: number;
  readonly pendingTtlMs: number;
  /** How old a DELETE or a Scale may be, beyond the lag of the watch. */
  readonly freshnessMs: number;
  readonly verdictLogEntries: number;
}
