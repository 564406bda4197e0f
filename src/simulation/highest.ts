/** How high queues and caches stood, beside their bounds (I6). */

import { overflows } from "./checkers/bounded.ts";
import type { HighWater } from "./checkers/bounded.ts";
import type { Run } from "./run.ts";

export function brokenBounds(run: Run): readonly string[] {
  const { bounds } = run.options;
  const mark = (what: string, bound: number): HighWater => ({ what, highest: run.meter.highest(what), bound });
  return overflows([
    mark("pending_correlations", bounds.pendingTotal),
    mark("pending_object_bytes", bounds.pendingContentBytes),
    // A list is admitted whole; what it holds takes some more room than its characters.
    mark("queue_bytes", bounds.backlogBytes + 2 * run.lists.longest),
  ]);
}
