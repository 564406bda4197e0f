/**
 * The composition root of `run` and of the demo: every room of the house, wired once. Owns all of it.
 *
 * 1. Reviews are taken as early as can be: before the cluster is asked anything, and before worker threads are started.
 * 2. It is taken down in the order that loses nothing: no more watches, what is queued is flushed, what is known is kept, and
 *    reviews go into the journal until the end.
 */
import { join } from "node:path";
import { Subject } from "rxjs";

import { Engine } from "../../actors/engine.ts";
import type { CorrelationMessage } from "../../actors/engine.ts";
import { KnownStore } from "../../actors/known-store.ts";
import { WatchManager } from "../../actors/watch-manager.ts";
import type { WatchMessage } from "../../machines/messages.ts";
import type { EnginePlan, RunningEngine } from "../commands/run.ts";
import type { Address } from "../config/options.ts";
import { createWatchSource } from "../kubernetes/api-watch-source.ts";
import { readClusterUid } from "../kubernetes/cluster-uid.ts";
import { Discovery } from "../kubernetes/discovery.ts";
import { sameContent } from "../sanitize/same-content.ts";
import { admit } from "./admit.ts";
import { BranchRouter } from "./branch-router.ts";
import { CoverageKeeper } from "./coverage-keeper.ts";
import { engineBoundsOf } from "./engine-bounds.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { attributionStrategyOf } from "./first-designs.ts";
import { KnownKeeper } from "./known-keeper.ts";
import { LateOpenings } from "./late-openings.ts";
import { type OpenedBranches, openBranches, sharedStart } from "./open-branches.ts";
import { persistently } from "./persistently.ts";
import { acquireProcessLock } from "./process-lock.ts";
import { Readiness } from "./readiness.ts";
import { RuleView } from "./rule-view.ts";
import type { SecretOptionsOf } from "./secret-options.ts";
import { lockedPool } from "./target-lock.ts";
import { targetOptionsOf } from "./target-options.ts";
import { Upstreams } from "./upstreams.ts";

const readyPollMs = 50;

export async function startEngine(plan: EnginePlan, ports: EnginePorts): Promise<RunningEngine> {
  await using stack = new AsyncDisposableStack();
  const { options, documents } = plan;
  const { clock, files, log, signal, processes } = ports;
  const what = `the data directory ${options.dataDir}`;
  stack.use(await acquireProcessLock({ fs: files, clock, processes, path: join(options.dataDir, "lock"), what }));
  const secretOptionsOf = await ports.openSecretKeys(options);
  const readiness = new Readiness();
  const probes = stack.use(
    await ports.serveProbes({ ...options.metrics, live: () => [], ready: () => readiness.conditions() }),
  );
  log.info("Metrics and probes are served.", { address: addressOf(probes.address) });

  const api = stack.use(ports.connect(options.kubeconfig));
  const source = createWatchSource({ api, clock });
  const rules = new RuleView({ documents, discovery: new Discovery(api), log });
  const router = new BranchRouter(rules);
  const correlation$ = new Subject<CorrelationMessage>();
  const watch$ = new Subject<WatchMessage>();
  const engine = stack.use(wireEngine(plan, { router, rules, correlation$, watch$ }, ports));
  const coverage = stack.use(await CoverageKeeper.open({ ...ports, dataDir: options.dataDir }));
  const admission = await admit(plan, { engine, correlation$, coverage }, ports, stack);
  log.info("Reviews are taken.", { address: addressOf(admission.address) });

  await api.refresh();
  const clusterUid = await persistently(() => readClusterUid(api, signal), ports);
  await persistently(() => rules.refresh(signal), ports);
  const targeting = { clusterUid, secretOptionsOf, rules, source };
  const { branches, late, upstreams } = await openTargets(plan, targeting, ports, stack);
  router.opened(branches);
  stack.use(coverage.connect((time) => router.receive({ kind: "covered", time })));
  const store = new KnownStore(files, options.dataDir, log);
  for (const typeKey of rules.typeKeys) engine.registry.restore(typeKey, await store.load(typeKey));
  const recordsOf = engine.registry.recordsOf.bind(engine.registry);
  const keeper = stack.use(new KnownKeeper({ store, clock, log, watch$, recordsOf }));
  const drain = async (): Promise<void> => {
    const patienceMs = options.bounds.drainSeconds * 1000;
    const startedMs = clock.monotonicMs();
    await router.drain(patienceMs, ports);
    await upstreams.drain(Math.max(0, patienceMs - (clock.monotonicMs() - startedMs)), ports);
  };
  stack.defer(async () => {
    await drain();
    await keeper.save();
  });
  const watches = stack.use(
    new WatchManager({
      ...ports,
      select: (aborted) => rules.refresh(aborted),
      source,
      cursorOf: ({ key }) => sharedStart(key, router.wanting(key)),
      sink: (message) => watch$.next(message),
    }),
  );
  stack.use(new LateOpenings(late, watches, ports));
  readiness.started({ watches, branches: router.branches, upstreams });
  const owned = stack.move();
  return {
    admissionAddress: () => addressOf(admission.address),
    ready: untilReady(readiness, ports),
    failed: new Promise<never>(() => undefined),
    drain,
    [Symbol.asyncDispose]: () => {
      readiness.stopping();
      return owned.disposeAsync();
    },
  };
}

interface EngineParts {
  readonly router: BranchRouter;
  readonly rules: RuleView;
  readonly correlation$: Subject<CorrelationMessage>;
  readonly watch$: Subject<WatchMessage>;
}

function wireEngine({ options }: EnginePlan, parts: EngineParts, ports: EnginePorts): Engine {
  const { router, rules, correlation$, watch$ } = parts;
  const outlet = router.receive.bind(router);
  const strategy = attributionStrategyOf(options, { ...ports, outlet, typeOf: (typeKey) => rules.typeOf(typeKey) });
  return new Engine({
    ...ports,
    bounds: engineBoundsOf(options.bounds),
    contentEquals: sameContent,
    correlation$,
    watch$,
    outlet,
    ...(strategy === null ? {} : { strategy }),
  });
}

interface Targeting {
  readonly clusterUid: string;
  readonly secretOptionsOf: SecretOptionsOf;
  readonly rules: RuleView;
  readonly source: ReturnType<typeof createWatchSource>;
}

async function openTargets(
  { options }: EnginePlan,
  { clusterUid, secretOptionsOf, rules, source }: Targeting,
  ports: EnginePorts,
  stack: AsyncDisposableStack,
): Promise<OpenedBranches & { readonly upstreams: Upstreams }> {
  const { files, clock, processes } = ports;
  const { credentialsDir, dataDir } = options;
  const needs = { clusterUid, dataDir, secretOptionsOf, files };
  const targets = await Promise.all(rules.targets.map((target) => targetOptionsOf(target, needs)));
  const threads = ports.commitPool({
    targets,
    selectionsOf: (targetId) => rules.selectionsOf(targetId),
    prepareThreads: options.bounds.commitThreads,
  });
  const pool = stack.use(lockedPool(threads, { targets, fs: files, clock, processes }));
  const ids = targets.map(({ id }) => id);
  const { mirrors } = pool;
  const upstreams = stack.use(
    await Upstreams.open({ compiled: rules.targets, targets, mirrors, credentialsDir }, ports),
  );
  const flushed = upstreams.flushed.bind(upstreams);
  const lateness = upstreams.lateness.bind(upstreams);
  const opened = await openBranches(ids, { ...ports, options, clusterUid, rules, source, pool, flushed, lateness });
  for (const branch of opened.branches.values()) stack.use(branch);
  return { ...opened, upstreams };
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
