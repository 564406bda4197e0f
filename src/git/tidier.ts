/** Has each target's packs joined as it flushes. Owns the count of flushes, and one joining at a time for each target. */

import { packsAtOnce } from "./pack-joining.ts";

export class Tidier {
  readonly #tidy: (targetId: string) => Promise<void>;
  /** Flushes since the last joining; an earlier process may have left many packs. */
  readonly #flushes = new Map<string, number>();
  readonly #running = new Map<string, Promise<void>>();

  constructor(tidy: (targetId: string) => Promise<void>) {
    this.#tidy = tidy;
  }

  flushed(targetId: string): void {
    const flushes = (this.#flushes.get(targetId) ?? packsAtOnce) + 1;
    this.#flushes.set(targetId, flushes);
    if (flushes < packsAtOnce || this.#running.has(targetId)) return;
    this.#flushes.set(targetId, 0);
    // Nothing depends on it: a failure is tried again some flushes later.
    const run = this.#tidy(targetId)
      .catch(() => {})
      .finally(() => this.#running.delete(targetId));
    this.#running.set(targetId, run);
  }

  /** Resolves when none runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }
}
