/**
 * kubescribe with one target and one type: from the bytes of reviews and of a watch to commits, by the product's own parts, on files in
 * memory. Left alone, it is as good as killed.
 */

import { Subject } from "rxjs";
import { openBranchActor, type BranchActor } from "../../actors/branch-actor.ts";
import { defaultEngineBounds, Engine, type CorrelationMessage } from "../../actors/engine.ts";
import type { Log, Meter } from "../../actors/ports.ts";
import { WatchActor } from "../../actors/watch-actor.ts";
import { watchFrom } from "../../actors/watch-from.ts";
import type { WatchMessage } from "../../machines/messages.ts";
import { createReviewHandler, type HandleReview } from "../../src/admission/review-handler.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { openJournal } from "../../src/journal/journal.ts";
import { createWatchSource } from "../../src/kubernetes/api-watch-source.ts";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import { sameContent } from "../../src/sanitize/same-content.ts";
import { DEPLOYMENTS } from "../../src/simulator/resource-types.ts";
import type { SimulatedClock } from "../../src/simulation/simulated-clock.ts";
import type { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { clusterUid, selectionOf, targetAt } from "../git/fixtures.ts";
import { Life } from "../../src/simulation/life.ts";
import { mortalApi, mortalClock, mortalFiles } from "../../src/simulation/process-ports.ts";
import type { PlayedNetwork } from "./played-network.ts";

export interface PlayedWorld {
  readonly clock: SimulatedClock;
  readonly files: MemoryFileSystem;
  readonly network: PlayedNetwork;
  readonly meter: Meter;
  readonly log: Log;
}

export interface PlayedProcess {
  readonly handleReview: HandleReview;
  readonly branch: BranchActor;
  readonly watch: WatchActor;
  /** From here on nothing that it does reaches the world. */
  kill(): void;
  stop(): Promise<void>;
}

const dataDir = "/data";
const random = (): number => 0.5;

export async function startPlayed(world: PlayedWorld): Promise<PlayedProcess> {
  const life = new Life();
  const { meter, log } = world;
  const clock = mortalClock(world.clock, life);
  const files = mortalFiles(world.files, { life, clock, dice: null });
  const source = createWatchSource({ api: mortalApi(world.network, life), clock });
  const ports = { clock, files, meter, log, random };
  const correlation$ = new Subject<CorrelationMessage>();
  const watch$ = new Subject<WatchMessage>();
  let branch: BranchActor | null = null;
  const engine = new Engine({
    clock,
    meter,
    log,
    correlation$,
    watch$,
    bounds: defaultEngineBounds,
    contentEquals: sameContent,
    outlet: (message) => branch?.receive(message),
  });
  const opened = await openJournal({ ...ports, directory: `${dataDir}/journal`, sync: true });
  const { correlations, highestArrival, lastLifeArrival, doubtedThroughMs, journal } = opened;
  engine.restore(correlations, { doubtedThroughMs, lastLifeArrival });
  let arrival = highestArrival;
  const handleReview = createReviewHandler({
    clock,
    meter,
    log,
    journal,
    claimKeys: [],
    nextArrival: () => (arrival += 1),
    correlate: (correlation, object) =>
      correlation$.next({
        correlation,
        object,
      }),
  });
  const target = targetAt("/repo");
  const selections = [selectionOf(DEPLOYMENTS)];
  const opening = openBranchActor({
    ...ports,
    dataDir,
    targetId: target.id,
    cluster: clusterUid,
    types: [DEPLOYMENTS.key],
    pool: createInlineCommitPool({
      fs: files,
      clock,
      manifestOf,
      targets: [target],
      selectionsOf: () => selections,
    }),
    catchUp: ({ from }, sink, signal) =>
      watchFrom(
        {
          ...ports,
          type: DEPLOYMENTS,
          cursor: from,
          source,
          sink,
        },
        signal,
      ),
  });
  branch = await opening;
  const cursor = branch.cursorOf(DEPLOYMENTS.key) ?? null;
  const sink = (message: WatchMessage): void => watch$.next(message);
  const watch = new WatchActor({ ...ports, type: DEPLOYMENTS, cursor, source, sink });
  const owned = { branch, watch, engine, journal };
  return {
    handleReview,
    branch,
    watch,
    kill: () => life.end(),
    stop: async () => {
      await owned.watch[Symbol.asyncDispose]();
      await owned.branch[Symbol.asyncDispose]();
      await owned.journal[Symbol.asyncDispose]();
      owned.engine[Symbol.dispose]();
      life.end();
    },
  };
}
