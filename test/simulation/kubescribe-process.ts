/**
 * One process of kubescribe in the simulated world, wired as src/composition/start-engine.ts wires it, but for what is tied to
 * sockets, threads and the operating system: servers, process locks, the Piscina pool.
 */

import { Subject } from "rxjs";

import type { BranchActor } from "../../actors/branch-actor.ts";
import { openBranchActor } from "../../actors/branch-actor.ts";
import type { BranchLimits } from "../../actors/branch-options.ts";
import { Engine } from "../../actors/engine.ts";
import type { CorrelationMessage, EngineBounds } from "../../actors/engine.ts";
import { KnownStore } from "../../actors/known-store.ts";
import type { ApiServer, Clock, FileSystem, Log, Meter, Random } from "../../actors/ports.ts";
import { WatchManager } from "../../actors/watch-manager.ts";
import type { WatchSource } from "../../actors/watch-source.ts";
import type { WatchMessage } from "../../machines/messages.ts";
import { createReviewHandler } from "../../src/admission/review-handler.ts";
import type { HandleReview } from "../../src/admission/review-handler.ts";
import { BranchRouter } from "../../src/composition/branch-router.ts";
import { KnownKeeper } from "../../src/composition/known-keeper.ts";
import { catchUpOf, lowestCursor } from "../../src/composition/open-branches.ts";
import { persistently } from "../../src/composition/persistently.ts";
import { RuleView } from "../../src/composition/rule-view.ts";
import { targetOptionsOf } from "../../src/composition/target-options.ts";
import type { RuleDocument } from "../../src/config/documents.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { openJournal } from "../../src/journal/journal.ts";
import { createWatchSource } from "../../src/kubernetes/api-watch-source.ts";
import { readClusterUid } from "../../src/kubernetes/cluster-uid.ts";
import { Discovery } from "../../src/kubernetes/discovery.ts";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import { sameContent } from "../../src/sanitize/same-content.ts";

export interface ProcessPorts {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: FileSystem;
  readonly meter: Meter;
  readonly log: Log;
}

export interface ProcessOptions {
  readonly documents: readonly RuleDocument[];
  readonly bounds: EngineBounds;
  readonly limits: Partial<BranchLimits>;
  readonly journalSync: boolean;
  readonly listPageItems: number;
  /** From here on the process takes reviews. */
  readonly onReviews: (handleReview: HandleReview) => void;
}

export interface KubescribeProcess {
  readonly branches: ReadonlyMap<string, BranchActor>;
  readonly synced: () => boolean;
  /** As on SIGTERM: no more watches, what is queued is flushed, what is known is kept. */
  stop(): Promise<void>;
}

const dataDir = "/data";

export async function startProcess(ports: ProcessPorts, options: ProcessOptions): Promise<KubescribeProcess> {
  const { api, clock, files, log, random } = ports;
  const { signal } = new AbortController();
  const rules = new RuleView({ documents: options.documents, discovery: new Discovery(api), log });
  const router = new BranchRouter(rules);
  const correlation$ = new Subject<CorrelationMessage>();
  const watch$ = new Subject<WatchMessage>();
  const engine = new Engine({
    ...ports,
    bounds: options.bounds,
    contentEquals: sameContent,
    correlation$,
    watch$,
    outlet: (message) => router.receive(message),
  });
  const { handleReview, journal } = await admit({ engine, correlation$ }, ports, options);
  options.onReviews(handleReview);
  const patience = { clock, random, log, signal };
  const clusterUid = await persistently(() => readClusterUid(api, signal), patience);
  await persistently(() => rules.refresh(signal), patience);
  const source = createWatchSource({ api, clock, pageItems: options.listPageItems });
  router.opened(await openTargets({ clusterUid, rules, source }, ports, options));
  const store = new KnownStore(files, dataDir, log);
  for (const typeKey of rules.typeKeys) engine.registry.restore(typeKey, await store.load(typeKey));
  const recordsOf = engine.registry.recordsOf.bind(engine.registry);
  const keeper = new KnownKeeper({ store, clock, log, watch$, recordsOf });
  const watches = new WatchManager({
    ...ports,
    select: (abort) => rules.refresh(abort),
    source,
    cursorOf: ({ key }) => lowestCursor(key, router.wanting(key)),
    sink: (message) => watch$.next(message),
  });
  return {
    branches: router.branches,
    synced: () => watches.synced,
    stop: async () => {
      await watches[Symbol.asyncDispose]();
      await router.drain(signal, log);
      await keeper.save();
      keeper[Symbol.dispose]();
      for (const branch of router.branches.values()) await branch[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
      engine[Symbol.dispose]();
    },
  };
}

interface Targeting {
  readonly clusterUid: string;
  readonly rules: RuleView;
  readonly source: WatchSource;
}

async function openTargets(
  { clusterUid, rules, source }: Targeting,
  ports: ProcessPorts,
  { limits }: ProcessOptions,
): Promise<ReadonlyMap<string, BranchActor>> {
  const pool = createInlineCommitPool({
    fs: ports.files,
    clock: ports.clock,
    manifestOf,
    targets: rules.targets.map((target) => targetOptionsOf(target, clusterUid)),
    selectionsOf: (targetId) => rules.selectionsOf(targetId),
  });
  const branches = new Map<string, BranchActor>();
  for (const { id: targetId } of rules.targets) {
    const types = rules.selectionsOf(targetId).map(({ typeKey }) => typeKey);
    const catchUp = catchUpOf({ ...ports, rules, source });
    const branch = await openBranchActor({
      ...ports,
      targetId,
      cluster: clusterUid,
      types,
      pool,
      catchUp,
      dataDir,
      limits,
    });
    branches.set(targetId, branch);
  }
  return branches;
}

async function admit(
  { engine, correlation$ }: { readonly engine: Engine; readonly correlation$: Subject<CorrelationMessage> },
  ports: ProcessPorts,
  { journalSync, bounds }: ProcessOptions,
): Promise<{ readonly handleReview: HandleReview; readonly journal: AsyncDisposable }> {
  const { journal, correlations, highestArrival, lastLifeArrival, lost } = await openJournal({
    ...ports,
    directory: `${dataDir}/journal`,
    sync: journalSync,
    ttlMs: bounds.pendingTtlMs,
  });
  engine.restore(correlations, { complete: lost === 0, lastLifeArrival });
  let arrival = highestArrival;
  const handleReview = createReviewHandler({
    ...ports,
    journal,
    nextArrival: () => (arrival += 1),
    claimKeys: [],
    correlate: (correlation, object) => correlation$.next({ correlation, object }),
  });
  return { handleReview, journal };
}
