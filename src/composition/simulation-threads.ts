/** Worker threads that play runs. Owns them, and the runs that wait for one. */

import { Worker } from "node:worker_threads";
import { KubescribeError } from "../../machines/error.ts";
import type { Job, Report } from "../simulation/job.ts";

export interface SimulationThreadsOptions {
  readonly count: number;
  readonly signal: AbortSignal;
}

export class SimulationThreads implements AsyncDisposable {
  readonly #idle: Worker[] = [];
  readonly #all: readonly Worker[];
  readonly #waiting: ((thread: Worker) => void)[] = [];
  readonly #signal: AbortSignal;

  constructor({ count, signal }: SimulationThreadsOptions) {
    this.#all = Array.from({ length: count }, () => new Worker(new URL("simulate-worker.ts", import.meta.url)));
    this.#idle.push(...this.#all);
    this.#signal = signal;
  }

  /** Rejects with what the thread died of, or with `interrupted`. */
  async play(job: Job): Promise<Report> {
    const thread = await this.#free();
    const { promise, resolve, reject } = Promise.withResolvers<Report>();
    const interrupt = (): void => reject(interrupted());
    thread.once("message", resolve).once("error", reject);
    this.#signal.addEventListener("abort", interrupt, { once: true });
    if (this.#signal.aborted) interrupt();
    else thread.postMessage(job);
    try {
      return await promise;
    } finally {
      thread.off("message", resolve).off("error", reject);
      this.#signal.removeEventListener("abort", interrupt);
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(thread);
      else next(thread);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.terminate()));
  }

  #free(): Promise<Worker> {
    const thread = this.#idle.pop();
    return thread === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(thread);
  }
}

function interrupted(): KubescribeError {
  return new KubescribeError("interrupted", "interrupted before every run was played", { retry: "never" });
}
