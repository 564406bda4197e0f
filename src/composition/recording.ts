/**
 * Records what a cluster persists, under one set of rules: the engine, its targets and its watches. When the rules change, it is ended
 * and another one begins at the cursors, exactly as a new process would: whatever a restart keeps, a change of rules keeps.
 *
 * 1. The engine takes correlations from `wire` on: before the cluster is asked anything, and before worker threads are started.
 * 2. It is taken down in the order that loses nothing: no more watches, what is queued is flushed, what is known is kept.
 */
import { Subject } from "rxjs";

import type { CorrelationMessage } from "../../actors/engine.ts";
import { Engine } from "../../actors/engine.ts";
import { KnownStore } from "../../actors/known-store.ts";
import { WatchManager } from "../../actors/watch-manager.ts";
import { WatchPeers } from "../../actors/watch-peers.ts";
import type { ResourceType, WatchMessage } from "../../machines/messages.ts";
import type { EnginePlan } from "../commands/run.ts";
import { createWatchSource } from "../kubernetes/api-watch-source.ts";
import { readClusterUid } from "../kubernetes/cluster-uid.ts";
import { Discovery } from "../kubernetes/discovery.ts";
import { sameContent } from "../sanitize/same-content.ts";
import { BranchRouter } from "./branch-router.ts";
import type { CoverageKeeper } from "./coverage-keeper.ts";
import { engineBoundsOf } from "./engine-bounds.ts";
import type { ClusterApi, EnginePorts } from "./engine-ports.ts";
import { attributionStrategyOf } from "./first-designs.ts";
import { KnownKeeper } from "./known-keeper.ts";
import { LateOpenings } from "./late-openings.ts";
import { type OpenedBranches, openBranches, sharedStart } from "./open-branches.ts";
import { persistently } from "./persistently.ts";
import type { ReadinessSources } from "./readiness.ts";
import { RuleView } from "./rule-view.ts";
import { ScopedMeter } from "./scoped-meter.ts";
import type { OpenSecrets, SecretOptionsOf } from "./secret-options.ts";
import { lockedPool } from "./target-lock.ts";
import { targetOptionsOf } from "./target-options.ts";
import { refusedHosts, Upstreams } from "./upstreams.ts";

export interface RecordingNeeds {
  readonly plan: EnginePlan;
  readonly api: ClusterApi;
  readonly openSecrets: OpenSecrets;
  readonly coverage: Pick<CoverageKeeper, "connect">;
  readonly correlation$: Subject<CorrelationMessage>;
  /** Told of the types that are to be watched, before they are, and whenever they may be others. */
  readonly watched?: (types: readonly ResourceType[]) => void;
}

export class Recording implements AsyncDisposable {
  readonly engine: Engine;
  readonly rules: RuleView;
  readonly router: BranchRouter;
  readonly #needs: RecordingNeeds;
  readonly #ports: EnginePorts;
  readonly #hurry = new AbortController();
  readonly #watch$ = new Subject<WatchMessage>();
  readonly #peers = new WatchPeers();
  readonly #stack = new AsyncDisposableStack();
  #sources: ReadinessSources | null = null;
  #upstreams: Upstreams | null = null;
  #abandoned = false;

  private constructor(needs: RecordingNeeds, ports: EnginePorts) {
    this.#needs = needs;
    const meter = this.#stack.use(new ScopedMeter(ports.meter));
    this.#ports = { ...ports, meter, signal: AbortSignal.any([ports.signal, this.#hurry.signal]) };
    const { documents } = needs.plan;
    this.rules = new RuleView({ documents, discovery: new Discovery(needs.api), log: ports.log });
    this.router = new BranchRouter(this.rules);
    this.engine = this.#stack.use(this.#wire());
  }

  static wire(needs: RecordingNeeds, ports: EnginePorts): Recording {
    return new Recording(needs, ports);
  }

  /** Null: it is not open yet. */
  get sources(): ReadinessSources | null {
    return this.#sources;
  }

  /** Once. Resolves when every watch has begun; waits for an API server that is not there. Throws what no patience mends. */
  async open(): Promise<void> {
    const { plan, api, openSecrets, coverage, watched = ignore } = this.#needs;
    const { clock, log, files, signal } = this.#ports;
    const { engine, rules, router } = this;
    const stack = this.#stack;
    const source = createWatchSource({ api, clock });
    await api.refresh();
    const clusterUid = await persistently(() => readClusterUid(api, signal), this.#ports);
    const { types } = await persistently(() => rules.refresh(signal), this.#ports);
    watched(types);
    const secretOptionsOf = await persistently(() => openSecrets(signal), this.#ports);
    const { branches, late, upstreams } = await this.#openTargets({ clusterUid, secretOptionsOf, source });
    this.#upstreams = upstreams;
    router.opened(branches);
    stack.use(coverage.connect((time) => router.receive({ kind: "covered", time })));
    const store = new KnownStore(files, plan.options.dataDir, log);
    for (const typeKey of rules.typeKeys) engine.registry.restore(typeKey, await store.load(typeKey));
    const recordsOf = engine.registry.recordsOf.bind(engine.registry);
    const keeper = stack.use(new KnownKeeper({ store, clock, log, watch$: this.#watch$, recordsOf }));
    stack.defer(async () => {
      await this.drain();
      await keeper.save();
    });
    const watches = stack.use(
      new WatchManager({
        ...this.#ports,
        select: async (aborted) => {
          const selection = await rules.refresh(aborted);
          watched(selection.types);
          return selection;
        },
        source,
        peers: this.#peers,
        cursorOf: ({ key }) => sharedStart(key, router.wanting(key)),
        sink: (message) => this.#watch$.next(message),
      }),
    );
    stack.use(new LateOpenings(late, watches, this.#ports));
    this.#sources = { watches, branches: router.branches, upstreams };
  }

  /** It is to end soon: `open` gives up where it would wait. */
  hurry(): void {
    if (this.#sources === null) this.#hurry.abort();
  }

  /** Somebody else records now: what is not pushed yet is his to commit, and is pushed by nobody here. */
  async abandon(): Promise<void> {
    this.#abandoned = true;
    this.hurry();
    await this.#upstreams?.[Symbol.asyncDispose]();
  }

  /** Resolves when what was observed so far is committed, and pushed as far as patience goes. */
  async drain(): Promise<void> {
    if (this.#abandoned) return;
    const { clock } = this.#ports;
    const patienceMs = this.#needs.plan.options.bounds.drainSeconds * 1000;
    const startedMs = clock.monotonicMs();
    await this.router.drain(patienceMs, this.#ports);
    const restMs = Math.max(0, patienceMs - (clock.monotonicMs() - startedMs));
    await this.#upstreams?.drain(restMs, this.#ports);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #wire(): Engine {
    const { router, rules } = this;
    const { plan, correlation$ } = this.#needs;
    const { options } = plan;
    const outlet = router.receive.bind(router);
    const typeOf = rules.typeOf.bind(rules);
    const strategy = attributionStrategyOf(options, { ...this.#ports, outlet, typeOf });
    return new Engine({
      ...this.#ports,
      bounds: engineBoundsOf(options.bounds),
      contentEquals: sameContent,
      correlation$,
      watch$: this.#watch$,
      outlet,
      ...(strategy === null ? {} : { strategy }),
    });
  }

  async #openTargets({
    clusterUid,
    secretOptionsOf,
    source,
  }: Targeting): Promise<OpenedBranches & { readonly upstreams: Upstreams }> {
    const ports = this.#ports;
    const { rules } = this;
    const stack = this.#stack;
    const { files, clock, processes } = ports;
    const { options } = this.#needs.plan;
    const { credentialsDir, dataDir } = options;
    const refusesHostOf = refusedHosts(options);
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
      await Upstreams.open({ compiled: rules.targets, targets, mirrors, credentialsDir, refusesHostOf }, ports),
    );
    const flushed = upstreams.flushed.bind(upstreams);
    const lateness = upstreams.lateness.bind(upstreams);
    const peers = this.#peers;
    const needed = { options, clusterUid, rules, source, peers, pool, flushed, lateness };
    const opened = await openBranches(ids, { ...ports, ...needed });
    for (const branch of opened.branches.values()) stack.use(branch);
    return { ...opened, upstreams };
  }
}

function ignore(): void {
  // Nobody asks.
}

interface Targeting {
  readonly clusterUid: string;
  readonly secretOptionsOf: SecretOptionsOf;
  readonly source: ReturnType<typeof createWatchSource>;
}
