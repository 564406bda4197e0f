/** Owns those who wait until what a branch had accepted when they asked is durable. */

import { KubescribeError } from "../machines/error.ts";

interface Drain {
  readonly through: number;
  readonly resolve: () => void;
  readonly reject: (error: KubescribeError) => void;
}

export class BranchDrains {
  readonly #targetId: string;
  readonly #drains = new Set<Drain>();
  /** Entries that became durable since the start. */
  #durable = 0;

  constructor(targetId: string) {
    this.#targetId = targetId;
  }

  get size(): number {
    return this.#drains.size;
  }

  /** Waits for `entries` more. Rejects with `branch-drain-unfinished` when `signal` is aborted or the branch gives up. */
  async wait(entries: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const drain: Drain = { through: this.#durable + entries, resolve, reject };
    const abort = (): void => reject(this.#unfinished(drain));
    this.#drains.add(drain);
    signal.addEventListener("abort", abort);
    try {
      if (signal.aborted) abort();
      await promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#drains.delete(drain);
    }
  }

  settled(entries: number): void {
    this.#durable += entries;
    for (const drain of this.#drains) if (drain.through <= this.#durable) drain.resolve();
  }

  giveUp(): void {
    for (const drain of this.#drains) drain.reject(this.#unfinished(drain));
  }

  #unfinished(drain: Drain): KubescribeError {
    const left = drain.through - this.#durable;
    const message = `target ${this.#targetId} should be durable, but ${left} changes are not; they are replayed at the next start`;
    return new KubescribeError("branch-drain-unfinished", message, { retry: "backoff" });
  }
}
