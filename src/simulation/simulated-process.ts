/**
 * One process of kubescribe in the simulated world: src/composition/start-engine.ts as it is, on simulated ports. Owns its life, its
 * listener and what it answers probes with. Sockets are outside: a request comes as its line and bytes.
 */

import type { Clock, FlushResult, Log, Meter } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { ReviewPaths } from "../admission/review-target.ts";
import type { EnginePlan, RunningEngine } from "../commands/run.ts";
import type { EnginePorts, ReviewListener, ReviewsOptions } from "../composition/engine-ports.ts";
import type { ProcessTable } from "../composition/process-lock.ts";
import { startEngine } from "../composition/start-engine.ts";
import type { Condition } from "../telemetry/probes.ts";
import type { FlushCall, ReviewRequest, ReviewResponse } from "./calls.ts";
import type { Dice } from "./dice.ts";
import type { Disk } from "./disk.ts";
import type { Host } from "./host.ts";
import { Life } from "./life.ts";
import type { Network } from "./network.ts";
import { mortalApi, mortalClock, mortalFiles, pause } from "./process-ports.ts";
import type { Road } from "./road.ts";
import type { WorkerCalls } from "./simulated-commit-pool.ts";
import { SimulatedCommitPool } from "./simulated-commit-pool.ts";
import { simulatedSecrets } from "./simulated-secrets.ts";

export interface ProcessWorld {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly network: Network;
  readonly host: Host;
  readonly flushes: Road<FlushCall, FlushResult>;
  readonly dice: Dice;
  readonly log: Log;
  readonly meter: Meter;
  /** From here on reviews are taken. */
  readonly onReviews: () => void;
  /** From here on they are not. */
  readonly onNoReviews: () => void;
}

const nowhere = { host: "localhost", port: 1 };

export class SimulatedProcess {
  /** Rejects with what ended the process before it had started; pending for ever once it is killed. */
  readonly started: Promise<RunningEngine>;
  readonly life = new Life();
  readonly #world: ProcessWorld;
  readonly #processes: ProcessTable;
  readonly #clock: Clock;
  readonly #interrupt = new AbortController();
  readonly #answering = new Set<Promise<unknown>>();
  #reviews: ReviewsOptions | null = null;
  #paths = new ReviewPaths([]);
  #pool: SimulatedCommitPool | null = null;
  #ready: () => readonly Condition[] = () => [{ name: "process", ok: false, reason: "it has just begun" }];

  constructor(world: ProcessWorld, plan: EnginePlan) {
    this.#world = world;
    this.#processes = world.host.start();
    this.#clock = mortalClock(world.clock, this.life);
    this.started = this.life.lived(startEngine(plan, this.#ports()));
  }

  /** What `/readyz` says. */
  conditions(): readonly Condition[] {
    return this.#ready();
  }

  /** Null: nobody listens. What the admission server does between its socket and its handler. */
  receive({ method, url, body }: ReviewRequest): Promise<ReviewResponse> | null {
    const reviews = this.#reviews;
    if (reviews === null) return null;
    if (this.#paths.targetOf({ method, url }) !== "review") return Promise.resolve({ status: 404, body: "" });
    this.life.called("review", "a review");
    if (!this.life.alive) return null;
    const answer = this.life.lived(answered(reviews.handleReview(body, false))).then((response) => {
      this.life.called("review", "the answer to a review");
      return this.life.lived(Promise.resolve(response));
    });
    this.#answering.add(answer);
    void answer.finally(() => this.#answering.delete(answer));
    return answer;
  }

  /** See SimulatedCommitPool; false: it has none yet. */
  loseWorker(at: WorkerCalls, told: (what: string) => void): boolean {
    this.#pool?.loseWorker(at, told);
    return this.#pool !== null;
  }

  /** As on SIGTERM. */
  async stop(): Promise<void> {
    this.#interrupt.abort();
    const engine = await this.started;
    await this.life.lived(Promise.resolve(engine[Symbol.asyncDispose]()));
  }

  /** The rules change while it runs. */
  async follow(documents: EnginePlan["documents"]): Promise<void> {
    const engine = await this.started;
    await this.life.lived(engine.follow(documents));
  }

  /** As by SIGKILL. */
  kill(): void {
    this.life.end();
    this.#reviews = null;
    this.#world.onNoReviews();
    this.#world.host.end(this.#processes);
  }

  #ports(): EnginePorts {
    const { disk, clock: world, network, flushes, dice, log, meter } = this.#world;
    const { life } = this;
    const clock = this.#clock;
    return {
      clock,
      files: mortalFiles(disk.files, { life, clock: world, dice: dice.fork() }),
      log,
      random: dice.fork().next,
      randomBytes: () => {
        throw new Error("nothing is secret in here");
      },
      meter,
      signal: this.#interrupt.signal,
      processes: this.#processes,
      openSecretKeys: () => Promise.resolve(() => Promise.resolve(simulatedSecrets)),
      connect: () => ({
        ...mortalApi(network, life),
        refresh: () => pause(clock, 1),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
      takeReviews: (options) => Promise.resolve(this.#takeReviews(options)),
      serveProbes: ({ ready }) => {
        this.#ready = ready;
        return Promise.resolve({ address: nowhere, [Symbol.asyncDispose]: () => Promise.resolve() });
      },
      commitPool: (options) => {
        this.#pool = new SimulatedCommitPool({
          ...options,
          life,
          flushes,
          clock: world,
          files: disk.files,
          dice: dice.fork(),
        });
        return this.#pool;
      },
      connectPeers: () => {
        throw new Error("there are no replicas in here");
      },
      openRemote: () => {
        throw new Error("there are no remotes in here");
      },
    };
  }

  #takeReviews(options: ReviewsOptions): ReviewListener {
    this.#reviews = options;
    this.#paths.exchange(options.paths);
    options.onSeeing();
    this.#world.onReviews();
    return {
      address: nowhere,
      takePaths: (paths) => this.#paths.exchange(paths),
      showCertificate: () => undefined,
      retire: () => undefined,
      [Symbol.asyncDispose]: async () => {
        this.#reviews = null;
        this.#world.onNoReviews();
        options.onBlind("closed");
        await Promise.race([Promise.allSettled(this.#answering), pause(this.#clock, options.drainMs ?? 0)]);
      },
    };
  }
}

/** As the server answers: what is no review at all is refused. */
async function answered(answer: Promise<string>): Promise<ReviewResponse> {
  try {
    return { status: 200, body: await answer };
  } catch (error) {
    if (error instanceof KubescribeError && error.retry === "never") return { status: 400, body: error.message };
    throw error;
  }
}
