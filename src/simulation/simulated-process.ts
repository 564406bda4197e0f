/**
 * One process of kubescribe in the simulated world: src/composition/start-engine.ts as it is, on simulated ports. Owns its life, its
 * listener and what it answers probes with. Sockets are outside: a review comes as bytes and is answered with bytes.
 */

import type { Clock, FileSystem, Log } from "../../actors/ports.ts";
import type { EnginePlan, RunningEngine } from "../commands/run.ts";
import type { EnginePorts, Listener, ReviewsOptions } from "../composition/engine-ports.ts";
import type { ProcessTable } from "../composition/process-lock.ts";
import { startEngine } from "../composition/start-engine.ts";
import { createInlineCommitPool } from "../git/commit-pool.ts";
import { manifestOf } from "../sanitize/manifest.ts";
import type { Condition } from "../telemetry/probes.ts";
import type { Dice } from "./dice.ts";
import type { Host } from "./host.ts";
import type { Network } from "./network.ts";
import { Life, mortalApi, mortalClock, mortalFiles, pause } from "./process-ports.ts";
import { quietMeter } from "./witness.ts";

export interface ProcessWorld {
  readonly clock: Clock;
  readonly files: FileSystem;
  readonly network: Network;
  readonly host: Host;
  readonly dice: Dice;
  readonly log: Log;
  /** From here on reviews are taken. */
  readonly onReviews: () => void;
}

const nowhere = { host: "localhost", port: 1 };

export class SimulatedProcess {
  /** Rejects with what ended the process before it had started; pending for ever once it is killed. */
  readonly started: Promise<RunningEngine>;
  readonly #world: ProcessWorld;
  readonly #processes: ProcessTable;
  readonly #life = new Life();
  readonly #clock: Clock;
  readonly #interrupt = new AbortController();
  readonly #answering = new Set<Promise<unknown>>();
  #reviews: ReviewsOptions | null = null;
  #ready: () => readonly Condition[] = () => [{ name: "process", ok: false, reason: "it has just begun" }];

  constructor(world: ProcessWorld, plan: EnginePlan) {
    this.#world = world;
    this.#processes = world.host.start();
    this.#clock = mortalClock(world.clock, this.#life);
    this.started = this.#life.lived(startEngine(plan, this.#ports()));
  }

  /** What `/readyz` says. */
  conditions(): readonly Condition[] {
    return this.#ready();
  }

  /** Null: nobody listens. */
  review(body: Uint8Array): Promise<string> | null {
    if (this.#reviews === null) return null;
    const answer = this.#life.lived(this.#reviews.handleReview(body)).finally(() => this.#answering.delete(answer));
    this.#answering.add(answer);
    return answer;
  }

  /** As on SIGTERM. */
  async stop(): Promise<void> {
    this.#interrupt.abort();
    const engine = await this.started;
    await this.#life.lived(Promise.resolve(engine[Symbol.asyncDispose]()));
  }

  /** As by SIGKILL. */
  kill(): void {
    this.#life.end();
    this.#reviews = null;
    this.#world.host.end(this.#processes);
  }

  #ports(): EnginePorts {
    const { files: disk, clock: world, network, dice, log } = this.#world;
    const clock = this.#clock;
    const files = mortalFiles(disk, { life: this.#life, clock: world, dice: dice.fork() });
    return {
      clock,
      files,
      log,
      random: dice.fork().next,
      meter: quietMeter,
      signal: this.#interrupt.signal,
      processes: this.#processes,
      connect: () => ({
        ...mortalApi(network, this.#life),
        refresh: () => pause(clock, 1),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
      takeReviews: (options) => Promise.resolve(this.#takeReviews(options)),
      serveProbes: ({ ready }) => {
        this.#ready = ready;
        return Promise.resolve({ address: nowhere, [Symbol.asyncDispose]: () => Promise.resolve() });
      },
      commitPool: (options) => createInlineCommitPool({ ...options, fs: files, clock, manifestOf, creates: false }),
    };
  }

  #takeReviews(options: ReviewsOptions): Listener {
    this.#reviews = options;
    options.onSeeing();
    this.#world.onReviews();
    return {
      address: nowhere,
      [Symbol.asyncDispose]: async () => {
        this.#reviews = null;
        options.onBlind("closed");
        await Promise.race([Promise.allSettled(this.#answering), pause(this.#clock, options.drainMs ?? 0)]);
      },
    };
  }
}
