/**
 * The commit pool of a simulated process: the product's, inline, behind a road on which faults lie in wait. Owns the life of its
 * worker: one that is lost leaves what it was doing half done, and the next one reads the repository anew.
 */

import type { CommitPool, FileSystem, FlushResult, Mirrors } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { CommitPoolOptions } from "../composition/engine-ports.ts";
import { type BranchPool, createInlineCommitPool } from "../git/commit-pool.ts";
import { manifestOf } from "../sanitize/manifest.ts";
import type { FlushCall } from "./calls.ts";
import type { Fuse } from "./life.ts";
import { Life } from "./life.ts";
import type { Mortality } from "./process-ports.ts";
import { mortalClock, mortalFiles } from "./process-ports.ts";
import type { Road } from "./road.ts";

export interface SimulatedCommitPoolOptions extends CommitPoolOptions, Mortality {
  readonly files: FileSystem;
  readonly flushes: Road<FlushCall, FlushResult>;
}

/** Of files. */
export type WorkerCalls = Pick<Fuse, "calls" | "only">;

export class SimulatedCommitPool implements BranchPool {
  readonly mirrors: Mirrors = {
    exists: (targetId) => this.#worker.unlessLost(({ mirrors }) => mirrors.exists(targetId)),
    adopt: (targetId, remote) => this.#worker.unlessLost(({ mirrors }) => mirrors.adopt(targetId, remote)),
    outgoing: (targetId, whole) => this.#worker.unlessLost(({ mirrors }) => mirrors.outgoing(targetId, whole)),
    arrived: (targetId, remote) => this.#worker.unlessLost(({ mirrors }) => mirrors.arrived(targetId, remote)),
    rebuild: (targetId, remote) => this.#worker.unlessLost(({ mirrors }) => mirrors.rebuild(targetId, remote)),
  };
  readonly #options: SimulatedCommitPoolOptions;
  #worker: Worker;

  constructor(options: SimulatedCommitPoolOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  async open(targetId: string): ReturnType<CommitPool["open"]> {
    this.#called(`open ${targetId}`);
    return this.#worker.unlessLost((pool) => pool.open(targetId));
  }

  async flush(targetId: string, request: FlushCall["request"]): Promise<FlushResult> {
    this.#called(`flush ${targetId}`);
    const { flushes, life } = this.#options;
    const done = flushes.pass({ targetId, request }, (call) =>
      this.#worker.unlessLost((pool) => pool.flush(call.targetId, call.request)),
    );
    return life.lived(done);
  }

  /** The worker's so many-th call of a file is its last one. */
  loseWorker(at: WorkerCalls, told: (what: string) => void): void {
    const worker = this.#worker;
    const spent = (_kind: unknown, what: string): void => {
      this.#worker = this.#start();
      worker.lose();
      told(what);
    };
    worker.life.light({ kind: "file", ...at, spent });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #called(what: string): void {
    this.#options.life.called("commit pool", what);
  }

  #start(): Worker {
    const { files, clock, dice, life: parent, ...rest } = this.#options;
    const life = new Life(parent);
    const fs = mortalFiles(files, { life, clock, dice: dice?.fork() ?? null });
    const own = mortalClock(clock, life);
    return new Worker(life, createInlineCommitPool({ ...rest, fs, clock: own, manifestOf, creates: false }));
  }
}

class Worker {
  readonly life: Life;
  readonly #pool: BranchPool;
  readonly #waiting = new Set<(reason: Error) => void>();

  constructor(life: Life, pool: BranchPool) {
    this.life = life;
    this.#pool = pool;
  }

  lose(): void {
    this.life.end();
    const ended = "a worker ended in the middle of its work";
    for (const reject of this.#waiting) reject(new KubescribeError("git-worker-ended", ended, { retry: "backoff" }));
  }

  unlessLost<Value>(work: (pool: BranchPool) => Promise<Value>): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    this.#waiting.add(reject);
    void work(this.#pool)
      .then(resolve, reject)
      .finally(() => this.#waiting.delete(reject));
    return promise;
  }
}
