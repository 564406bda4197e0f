/**
 * The whole house but the API server's sockets, for bench/commit.ts: reviews through the real handler and journal, frames through
 * the watch actor, the engine and a branch actor into the commit pool on threads, and a repository on disk.
 */

import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { Subject } from "rxjs";

import type { BranchActor } from "../actors/branch-actor.ts";
import { openBranchActor } from "../actors/branch-actor.ts";
import type { CorrelationMessage } from "../actors/engine.ts";
import { defaultEngineBounds, Engine } from "../actors/engine.ts";
import type { CommitPool, Meter } from "../actors/ports.ts";
import { WatchActor } from "../actors/watch-actor.ts";
import type { BranchMessage, ResourceVersion, WatchMessage } from "../machines/messages.ts";
import type { HandleReview } from "../src/admission/review-handler.ts";
import { createReviewHandler } from "../src/admission/review-handler.ts";
import { attributionStrategyOf } from "../src/composition/first-designs.ts";
import { nodeClock } from "../src/composition/node-clock.ts";
import { createNodeFileSystem } from "../src/composition/node-file-system.ts";
import type { RunOptions } from "../src/config/options.ts";
import { createPiscinaCommitPool } from "../src/git/piscina-pool.ts";
import { ensureRepository } from "../src/git/repository.ts";
import { defaultAuthorMapping, defaultCommitter, defaultSentinel } from "../src/git/target.ts";
import { openJournal } from "../src/journal/journal.ts";
import { createWatchSource } from "../src/kubernetes/api-watch-source.ts";
import { sameContent } from "../src/sanitize/same-content.ts";
import { createPrometheusMeter } from "../src/telemetry/meter.ts";
import { quietLog, replayedApi } from "./quiet-ports.ts";
import type { Traffic, Write } from "./traffic.ts";
import { deniedUser, deployments } from "./traffic.ts";
import { simulatedSecrets } from "../src/simulation/simulated-secrets.ts";

const targetId = "bench";
/** As the option --commit-threads has it. */
const commitThreads = 2;
/** What a TLS record holds. */
const chunkBytes = 16 * 1024;
/** So many writes are reviewed at a time at full speed. */
const concurrentWrites = 64;
/** The driver waits while so many changes are not durable: two flushes. */
const backlogChanges = 2000;

export interface Pace {
  /** Changes; null: as many as are committed. Each comes with a status-only write. */
  readonly perSecond: number | null;
  /** Asked before each chunk, with the changes sent so far. */
  readonly enough: (changes: number) => boolean;
}

export interface CommitWorld extends AsyncDisposable {
  readonly repository: string;
  /** Takes reviews whose writes the watch never shows, as of another type: recorded and journaled, and of no consequence. */
  readonly handleForeign: HandleReview;
  /** Of each durable change, in order: from the frame that is handed over to the flush that is answered. */
  readonly latenciesMs: number[];
  readonly tiers: ReadonlyMap<string, number>;
  readonly figures: Readonly<Figures>;
  /** Breaks the watch's connection in the middle of a frame. */
  cut(): void;
  /** Sends writes at a pace; resolves when all of them are durable, to how many changes there were. */
  drive(pace: Pace): Promise<number>;
}

interface Drive extends Pace {
  readonly done: PromiseWithResolvers<number>;
}

/** What tells the designs apart. */
export interface Figures {
  /** Changes that were handed to the branch. */
  enqueued: number;
  commits: number;
  /** Commits of objects that no frame ever showed at that time: of writes that were denied. */
  ofDenied: number;
  /** Commits that name the one whose writes are denied. */
  byDenied: number;
  longestQueue: number;
  /** After a cut: until the next frame was taken in. */
  readonly recoveriesMs: number[];
}

export interface WorldOptions {
  readonly design?: Pick<RunOptions, "ingestion" | "attribution">;
  readonly meter?: Meter;
}

export async function openCommitWorld(
  directory: string,
  traffic: Traffic,
  { design = { ingestion: "correlate", attribution: "exact" }, meter: given }: WorldOptions = {},
): Promise<CommitWorld> {
  await using stack = new AsyncDisposableStack();
  const repository = `${directory}/history.git`;
  const meter = given ?? stack.use(createPrometheusMeter());
  const ports = { clock: nodeClock, random: Math.random, files: createNodeFileSystem(), meter, log: quietLog };
  const { journal } = await openJournal({ ...ports, directory: `${directory}/journal`, sync: false });
  stack.use(journal);
  const ledger = new DurableLedger();
  await ensureRepository({ fs: ports.files, repository, branch: "main", sync: true });
  const branch = await openBranchActor({
    ...ports,
    targetId,
    cluster: "bench",
    types: [deployments.key],
    pool: stack.use(observed(poolOf(repository), ledger)),
    catchUp: () => Promise.reject(new Error("the target was detached: the driver should have waited for it")),
    dataDir: directory,
  });
  stack.use(branch);
  const correlation$ = new Subject<CorrelationMessage>();
  const watch$ = new Subject<WatchMessage>();
  const outlet = (message: BranchMessage): void => {
    if (message.kind === "changed") ledger.figures.enqueued += 1;
    branch.receive(message);
    ledger.figures.longestQueue = Math.max(ledger.figures.longestQueue, branch.status().queueDepth);
  };
  const strategy = attributionStrategyOf(design, { ...ports, outlet, typeOf: () => deployments });
  stack.use(
    new Engine({
      ...ports,
      bounds: defaultEngineBounds,
      contentEquals: sameContent,
      correlation$,
      watch$,
      outlet,
      ...(strategy === null ? {} : { strategy }),
    }),
  );
  let arrival = 0;
  const handler = (correlate: (message: CorrelationMessage) => void): HandleReview =>
    createReviewHandler({
      ...ports,
      journal,
      claimKeys: [],
      nextArrival: () => (arrival += 1),
      correlate: (correlation, object) => correlate({ correlation, object }),
    });
  const driver = new Driver({ traffic, branch, ledger, review: handler((message) => correlation$.next(message)) });
  stack.use(
    new WatchActor({
      ...ports,
      type: deployments,
      cursor: { epoch: 0, resourceVersion: traffic.listVersion },
      source: createWatchSource({
        api: replayedApi({ list: traffic.list, chunks: () => driver.chunks(), version: () => traffic.version }),
        clock: nodeClock,
      }),
      sink: (message) => {
        driver.saw(message);
        watch$.next(message);
      },
    }),
  );
  stack.defer(() => driver.stop());
  const owned = stack.move();
  return {
    repository,
    handleForeign: handler(() => undefined),
    latenciesMs: ledger.latenciesMs,
    tiers: ledger.tiers,
    figures: ledger.figures,
    cut: () => driver.cut(),
    drive: (pace) => driver.drive(pace),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** When a change was sent, and how long until it was durable. */
class DurableLedger {
  readonly sentMs = new Map<ResourceVersion, number>();
  readonly latenciesMs: number[] = [];
  readonly tiers = new Map<string, number>();
  readonly figures: Figures = {
    enqueued: 0,
    commits: 0,
    ofDenied: 0,
    byDenied: 0,
    longestQueue: 0,
    recoveriesMs: [],
  };
}

function observed(pool: CommitPool, { sentMs, latenciesMs, tiers, figures }: DurableLedger): CommitPool {
  return {
    open: (id) => pool.open(id),
    async flush(id, request) {
      const result = await pool.flush(id, request);
      const nowMs = performance.now();
      for (const [at, entry] of request.entries.entries()) {
        if (entry.kind !== "change") continue;
        const { resourceVersion, verdict } = entry.change;
        figures.commits += result.commits[at] ?? 0;
        if (verdict.author?.user === deniedUser) {
          figures.byDenied += result.commits[at] ?? 0;
          if (verdict.tier === "dual") figures.ofDenied += result.commits[at] ?? 0;
        }
        latenciesMs.push(nowMs - (sentMs.get(resourceVersion) ?? nowMs));
        sentMs.delete(resourceVersion);
        tiers.set(verdict.tier, (tiers.get(verdict.tier) ?? 0) + 1);
      }
      return result;
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

interface DriverParts {
  readonly traffic: Traffic;
  readonly branch: BranchActor;
  readonly ledger: DurableLedger;
  readonly review: HandleReview;
}

class Driver {
  readonly #parts: DriverParts;
  readonly #writes: Iterator<Write, never>;
  #next = Promise.withResolvers<Drive | null>();
  readonly #batches = this.#batchesOf();
  /** What the open connection is about to send. */
  #frames: Buffer | null = null;
  #cutting = false;
  /** 0: nothing was cut, or it goes on already. */
  #cutAtMs = 0;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#writes = parts.traffic[Symbol.iterator]();
  }

  async drive(pace: Pace): Promise<number> {
    const done = Promise.withResolvers<number>();
    this.#next.resolve({ ...pace, done });
    const changes = await done.promise;
    await this.#parts.branch.drain(AbortSignal.timeout(120_000));
    return changes;
  }

  stop(): void {
    this.#next.resolve(null);
  }

  /** Of the connection that is open. */
  cut(): void {
    this.#cutting = true;
  }

  saw(message: WatchMessage): void {
    if (message.kind !== "observed" || this.#cutAtMs === 0) return;
    this.#parts.ledger.figures.recoveriesMs.push(performance.now() - this.#cutAtMs);
    this.#cutAtMs = 0;
  }

  /** One connection of the watch. What was cut comes again from its beginning. */
  async *chunks(): AsyncIterable<Uint8Array> {
    for (;;) {
      const frames = this.#frames ?? (await this.#batches.next()).value;
      if (frames === undefined) return;
      this.#frames = frames;
      for (let at = 0; at < frames.length; at += chunkBytes) {
        yield frames.subarray(at, at + chunkBytes);
        // As from a socket: other work has its turn between two chunks.
        await nextTurn();
        if (!this.#cutting) continue;
        this.#cutting = false;
        this.#cutAtMs = performance.now();
        throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
      }
      this.#frames = null;
    }
  }

  /** Over all drives. */
  async *#batchesOf(): AsyncGenerator<Buffer, undefined> {
    for (let drive = await this.#next.promise; drive !== null; drive = await this.#next.promise) {
      this.#next = Promise.withResolvers();
      const startMs = performance.now();
      let changes = 0;
      while (!drive.enough(changes)) {
        const due =
          drive.perSecond === null ? null : ((performance.now() - startMs) / 1000) * drive.perSecond - changes;
        const writes =
          due === null
            ? this.#concurrent()
            : this.#some(Math.min(Math.floor(due), this.#parts.traffic.size.resources / 2));
        changes += writes.filter(({ statusOnly }) => !statusOnly).length;
        yield await this.#reviewed(writes);
        if (due !== null) await sleep(1);
        while (this.#parts.branch.status().queueDepth > backlogChanges) await sleep(1);
      }
      drive.done.resolve(changes);
    }
  }

  #concurrent(): readonly Write[] {
    return Array.from({ length: concurrentWrites }, () => this.#take());
  }

  /** So many changes, and the status-only writes that come before them. Less than a turn: the bytes of a write are used again. */
  #some(changes: number): readonly Write[] {
    const writes: Write[] = [];
    for (let left = changes; left > 0; left -= 1) {
      let write = this.#take();
      for (; write.statusOnly; write = this.#take()) writes.push(write);
      writes.push(write);
    }
    return writes;
  }

  #take(): Write {
    return { ...this.#writes.next().value };
  }

  /** The frames, once their reviews were answered. */
  async #reviewed(writes: readonly Write[]): Promise<Buffer> {
    await Promise.all(
      writes.flatMap(({ review, denied }) =>
        [denied, review].flatMap((body) => (body === null ? [] : [this.#parts.review(Buffer.from(body))])),
      ),
    );
    const nowMs = performance.now();
    for (const { version, statusOnly } of writes) if (!statusOnly) this.#parts.ledger.sentMs.set(version, nowMs);
    return Buffer.concat(writes.map(({ frame }) => frame));
  }
}

function poolOf(repository: string): CommitPool {
  const selections = [
    {
      typeKey: deployments.key,
      namespaces: null,
      matchLabels: {},
      matchExpressions: [],
      operations: ["CREATE", "UPDATE", "DELETE"],
    },
  ] as const;
  return createPiscinaCommitPool({
    targets: [
      {
        id: targetId,
        clusterUid: "bench",
        repository,
        branch: "main",
        path: "clusters/bench",
        author: defaultAuthorMapping,
        committer: defaultCommitter,
        sentinel: defaultSentinel,
        secrets: simulatedSecrets,
        signing: null,
        format: { files: "1", secrets: "1" },
        durability: "flush",
      },
    ],
    selectionsOf: () => selections,
    workerUrl: new URL("../src/composition/commit-worker.ts", import.meta.url).href,
    prepareThreads: commitThreads,
  });
}
