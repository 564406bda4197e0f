/** Brings back the correlations of an earlier process, and takes reviews: from the socket to the journal and the stream. */
import { join } from "node:path";
import type { Subject } from "rxjs";

import type { CorrelationMessage, Engine } from "../../actors/engine.ts";
import { createReviewHandler } from "../admission/review-handler.ts";
import type { EnginePlan } from "../commands/run.ts";
import { openJournal } from "../journal/journal.ts";
import type { CoverageKeeper } from "./coverage-keeper.ts";
import type { EnginePorts, Listener } from "./engine-ports.ts";
import { claimKeysOf } from "./target-options.ts";

export interface Admitting {
  readonly engine: Engine;
  readonly correlation$: Subject<CorrelationMessage>;
  readonly coverage: CoverageKeeper;
}

/** What has to be closed is left with `stack`. */
export async function admit(
  { options, documents }: EnginePlan,
  { engine, correlation$, coverage }: Admitting,
  ports: EnginePorts,
  stack: AsyncDisposableStack,
): Promise<Listener> {
  const { admission, bounds } = options;
  const { log } = ports;
  const { journal, correlations, highestArrival, lastLifeArrival, lost, doubtedThroughMs } = await openJournal({
    ...ports,
    directory: join(options.dataDir, "journal"),
    sync: bounds.journalSync,
    ttlMs: bounds.pendingTtlSeconds * 1000,
    maxTotalBytes: bounds.journalBytes,
  });
  stack.use(journal);
  if (lost > 0) log.warn("the journal of an earlier process has gaps: some authors may be missing", { lost });
  engine.restore(correlations, { doubtedThroughMs, lastLifeArrival });
  let arrival = highestArrival;
  const handleReview = createReviewHandler({
    ...ports,
    journal,
    nextArrival: () => (arrival += 1),
    claimKeys: claimKeysOf(documents.flatMap((config) => (config.kind === "GitRepoConfig" ? [{ config }] : []))),
    correlate: (correlation, object) => correlation$.next({ correlation, object }),
  });
  return stack.use(
    await ports.takeReviews({
      ...admission.address,
      path: admission.path,
      certFile: admission.tlsCertFile,
      keyFile: admission.tlsKeyFile,
      maxBodyBytes: bounds.reviewBytes,
      maxTotalBodyBytes: bounds.reviewTotalBytes,
      maxConnections: bounds.reviewConnections,
      drainMs: bounds.drainSeconds * 1000,
      handleReview,
      onBlind: (reason) => {
        engine.loseSight();
        coverage.lost(reason);
      },
      onSeeing: () => {
        engine.regainSight();
        coverage.found();
      },
    }),
  );
}
