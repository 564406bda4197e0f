/**
 * The composition root of `run` and of the demo: every room of the house, wired once. Owns all of it, and takes it down in the
 * order that loses nothing: no more watches, no more reviews, what is queued is flushed, what is known is kept.
 */
import { join } from "node:path";
import { Subject } from "rxjs";

import type { BranchActor } from "../../actors/branch-actor.ts";
import { Engine } from "../../actors/engine.ts";
import type { CorrelationMessage } from "../../actors/engine.ts";
import { KnownStore } from "../../actors/known-store.ts";
import type { Clock, FileSystem, Log, Random } from "../../actors/ports.ts";
import { WatchManager } from "../../actors/watch-manager.ts";
import { createWatchSource } from "../kubernetes/api-watch-source.ts";
import type { BranchMessage, TypeKey, WatchMessage } from "../../machines/messages.ts";
import { createReviewHandler } from "../admission/review-handler.ts";
import { startAdmissionServer } from "../admission/server.ts";
import type { AdmissionServer } from "../admission/server.ts";
import type { EnginePlan, RunningEngine } from "../commands/run.ts";
import type { Address } from "../config/options.ts";
import { createPiscinaCommitPool } from "../git/piscina-pool.ts";
import { openJournal } from "../journal/journal.ts";
import { connectApiServer } from "../kubernetes/api-server.ts";
import { readClusterUid } from "../kubernetes/cluster-uid.ts";
import { Discovery } from "../kubernetes/discovery.ts";
import { sameContent } from "../sanitize/same-content.ts";
import type { PrometheusMeter } from "../telemetry/meter.ts";
import { startProbeServer } from "../telemetry/probes.ts";
import { engineBoundsOf } from "./engine-bounds.ts";
import { attributionStrategyOf } from "./first-designs.ts";
import { lowestCursor, openBranches } from "./open-branches.ts";
import { KnownKeeper } from "./known-keeper.ts";
import { persistently } from "./persistently.ts";
import { acquireProcessLock } from "./process-lock.ts";
import { createProcessTable } from "./process-table.ts";
import type { ProcessTable } from "./process-lock.ts";
import { Readiness } from "./readiness.ts";
import { RuleView } from "./rule-view.ts";
import { lockTarget } from "./target-lock.ts";
import { claimKeysOf, targetOptionsOf } from "./target-options.ts";

export interface EnginePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: FileSystem;
  readonly meter: PrometheusMeter;
  readonly log: Log;
  /** Aborted: whatever is still starting gives up. */
  readonly signal: AbortSignal;
}

const readyPollMs = 50;

export async function startEngine(plan: EnginePlan, ports: EnginePorts): Promise<RunningEngine> {
  await using stack = new AsyncDisposableStack();
  const { options } = plan;
  const { clock, files, meter, log } = ports;
  const processes = await createProcessTable();
  const what = `the data directory ${options.dataDir}`;
  stack.use(await acquireProcessLock({ fs: files, clock, processes, path: join(options.dataDir, "lock"), what }));
  const drainTime = (): AbortSignal => AbortSignal.timeout(options.bounds.drainSeconds * 1000);
  const readiness = new Readiness();
  const probes = stack.use(
    await startProbeServer({
      ...options.metrics,
      exposition: () => meter.exposition(),
      live: () => [],
      ready: () => readiness.conditions(),
      log,
    }),
  );
  const cluster = await connect(plan, ports, stack);
  const branches = await openTargets(plan, { ...ports, ...cluster, processes }, stack);
  const correlation$ = new Subject<CorrelationMessage>();
  const watch$ = new Subject<WatchMessage>();
  const engine = stack.use(wireEngine(plan, { ...ports, ...cluster, branches, correlation$, watch$ }));
  const known = stack.use(await remember({ plan, ports, cluster, engine, watch$ }));
  stack.defer(async () => {
    readiness.stopping();
    await drainAll(branches, drainTime(), log);
    await known.save();
  });
  const admission = stack.use(await admit(plan, { ...ports, ...cluster, engine, correlation$, stack }));
  const { rules, source } = cluster;
  const watches = stack.use(
    new WatchManager({
      ...ports,
      select: (signal) => rules.refresh(signal),
      source,
      cursorOf: ({ key }) => lowestCursor(key, wanting(key, branches, rules)),
      sink: (message) => watch$.next(message),
    }),
  );
  readiness.started(watches, branches);
  log.info("Metrics and probes are served.", { address: addressOf(probes.address) });
  const owned = stack.move();
  return {
    admissionAddress: () => addressOf(admission.address),
    ready: untilReady(readiness, ports),
    failed: new Promise<never>(() => undefined),
    drain: () => drainAll(branches, drainTime(), log),
    [Symbol.asyncDispose]: () => {
      readiness.stopping();
      return owned.disposeAsync();
    },
  };
}

interface Cluster {
  readonly clusterUid: string;
  readonly rules: RuleView;
  readonly source: ReturnType<typeof createWatchSource>;
}

async function connect(
  { options, documents }: EnginePlan,
  ports: EnginePorts,
  stack: AsyncDisposableStack,
): Promise<Cluster> {
  const { clock, meter, log, signal } = ports;
  const api = stack.use(await connectApiServer({ kubeconfig: options.kubeconfig, clock, meter, log }));
  const clusterUid = await persistently(() => readClusterUid(api, signal), ports);
  const rules = new RuleView({ documents, discovery: new Discovery(api), log });
  await persistently(() => rules.refresh(signal), ports);
  return { clusterUid, rules, source: createWatchSource({ api, clock }) };
}

async function openTargets(
  { options }: EnginePlan,
  ports: EnginePorts & Cluster & { readonly processes: ProcessTable },
  stack: AsyncDisposableStack,
): Promise<ReadonlyMap<string, BranchActor>> {
  const { files, clock, processes, clusterUid, rules } = ports;
  const targets = rules.targets.map((target) => targetOptionsOf(target, clusterUid));
  const pool = stack.use(
    createPiscinaCommitPool({
      targets,
      selectionsOf: (targetId) => rules.selectionsOf(targetId),
      workerUrl: new URL("commit-worker.ts", import.meta.url).href,
      prepareThreads: options.bounds.commitThreads,
      lock: (target) => lockTarget(target, { fs: files, clock, processes }),
    }),
  );
  const branches = await openBranches(
    targets.map(({ id }) => id),
    { ...ports, options, pool },
  );
  for (const branch of branches.values()) stack.use(branch);
  return branches;
}

interface EngineParts extends EnginePorts, Cluster {
  readonly branches: ReadonlyMap<string, BranchActor>;
  readonly correlation$: Subject<CorrelationMessage>;
  readonly watch$: Subject<WatchMessage>;
}

function wireEngine({ options }: EnginePlan, parts: EngineParts): Engine {
  const { branches, rules, correlation$, watch$ } = parts;
  const outlet = (message: BranchMessage): void => {
    for (const branch of wanting(typeKeyOf(message), branches, rules)) branch.receive(message);
  };
  const strategy = attributionStrategyOf(options, { ...parts, outlet, typeOf: (typeKey) => rules.typeOf(typeKey) });
  return new Engine({
    ...parts,
    bounds: engineBoundsOf(options.bounds),
    contentEquals: sameContent,
    correlation$,
    watch$,
    outlet,
    ...(strategy === null ? {} : { strategy }),
  });
}

/** Brings back what an earlier process knew, and keeps what this one knows. */
async function remember(parts: {
  readonly plan: EnginePlan;
  readonly ports: EnginePorts;
  readonly cluster: Cluster;
  readonly engine: Engine;
  readonly watch$: Subject<WatchMessage>;
}): Promise<KnownKeeper> {
  const { plan, ports, cluster, engine, watch$ } = parts;
  const store = new KnownStore(ports.files, plan.options.dataDir, ports.log);
  for (const typeKey of cluster.rules.typeKeys) engine.registry.restore(typeKey, await store.load(typeKey));
  return new KnownKeeper({ ...ports, store, watch$, recordsOf: (typeKey) => engine.registry.recordsOf(typeKey) });
}

async function admit(
  { options }: EnginePlan,
  parts: EnginePorts &
    Cluster & {
      readonly engine: Engine;
      readonly correlation$: Subject<CorrelationMessage>;
      readonly stack: AsyncDisposableStack;
    },
): Promise<AdmissionServer> {
  const { engine, rules, correlation$, files, clock, meter, log, stack } = parts;
  const { admission, bounds } = options;
  const { journal, correlations, highestArrival, lost } = await openJournal({
    directory: join(options.dataDir, "journal"),
    files,
    clock,
    meter,
    log,
    sync: bounds.journalSync,
    ttlMs: bounds.pendingTtlSeconds * 1000,
    maxTotalBytes: bounds.journalBytes,
  });
  stack.use(journal);
  if (lost > 0) log.warn("the journal of an earlier process has gaps: some authors may be missing", { lost });
  engine.restore(correlations);
  let arrival = highestArrival;
  const handleReview = createReviewHandler({
    clock,
    meter,
    log,
    journal,
    nextArrival: () => (arrival += 1),
    claimKeys: claimKeysOf(rules.targets),
    correlate: (correlation, object) => correlation$.next({ correlation, object }),
  });
  const server = await startAdmissionServer({
    ...admission.address,
    path: admission.path,
    certFile: admission.tlsCertFile,
    keyFile: admission.tlsKeyFile,
    maxBodyBytes: bounds.reviewBytes,
    maxTotalBodyBytes: bounds.reviewTotalBytes,
    maxConnections: bounds.reviewConnections,
    drainMs: bounds.drainSeconds * 1000,
    handleReview,
    clock,
    files,
    meter,
    log,
    onBlind: () => engine.loseSight(),
    onSeeing: () => engine.regainSight(),
  });
  log.info("Reviews are taken.", { address: addressOf(server.address) });
  return server;
}

function* wanting(
  typeKey: TypeKey,
  branches: ReadonlyMap<string, BranchActor>,
  rules: RuleView,
): Iterable<BranchActor> {
  for (const [targetId, branch] of branches) if (rules.wants(targetId, typeKey)) yield branch;
}

function typeKeyOf(message: BranchMessage): TypeKey {
  switch (message.kind) {
    case "changed":
      return message.change.type.key;
    case "relisted":
      return message.type.key;
    case "progressed":
    case "amended":
      return message.typeKey;
    default:
      return message satisfies never;
  }
}

/** One target that cannot be flushed keeps no other from it. */
async function drainAll(branches: ReadonlyMap<string, BranchActor>, signal: AbortSignal, log: Log): Promise<void> {
  await Promise.all(
    Array.from(branches, async ([target, branch]) => {
      try {
        await branch.drain(signal);
      } catch (error) {
        const reason = error instanceof Error ? error.message : "unknown";
        log.warn("a target still had changes to commit; the API server will be asked for them again", {
          target,
          reason,
        });
      }
    }),
  );
}

async function untilReady(readiness: Readiness, { clock, signal }: EnginePorts): Promise<void> {
  while (!readiness.ready && !signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.after(readyPollMs, resolve);
    await promise;
  }
}

function addressOf({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
