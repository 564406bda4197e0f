/** How high queues and caches stood, beside their bounds (I6). */

import { overflows } from "./checkers/bounded.ts";
import type { HighWater } from "./checkers/bounded.ts";
import type { Run } from "./run.ts";
import { types } from "./workload.ts";

export function brokenBounds(run: Run): readonly string[] {
  const { bounds } = run.options;
  const mark = (what: string, bound: number): HighWater => ({ what, highest: run.meter.highest(what), bound });
  return overflows([
    mark("pending_correlations", bounds.pendingTotal),
    mark("pending_object_bytes", bounds.pendingContentBytes),
    mark("queue_bytes", bounds.backlogBytes + listBytes(run)),
  ]);
}

/** A list is admitted whole: the longest there may have been, by twice what there is in the end. */
function listBytes({ cluster: { store } }: Run): number {
  const lengths = types.map(({ key }) =>
    (store.list(key, { namespace: "", revision: store.revision }) ?? []).reduce(
      (sum, { head, tail }) => sum + head.length + tail.length,
      0,
    ),
  );
  return 2 * Math.max(...lengths);
}
