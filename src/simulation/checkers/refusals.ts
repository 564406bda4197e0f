/** When the data directory's disk had no room for a write: what was to be kept there over a crash may be missing after it. */

import { countUpTo } from "./chronicle.ts";

export class RefusalRecord {
  readonly #all: { readonly atMs: number; readonly newestWallMs: number }[] = [];

  refused(atMs: number, wallMs: number): void {
    const newestWallMs = Math.max(wallMs, this.#all.at(-1)?.newestWallMs ?? Number.NEGATIVE_INFINITY);
    this.#all.push({ atMs, newestWallMs });
  }

  /** The highest that the wall clock, which may jump, showed at any of them; `-Infinity`: there was none. */
  newestWallMs(untilMs: number): number {
    return this.#all[countUpTo(this.#all, untilMs) - 1]?.newestWallMs ?? Number.NEGATIVE_INFINITY;
  }

  /** One at least, both ends included; monotonic. */
  within(fromMs: number, untilMs: number): boolean {
    const at = countUpTo(this.#all, untilMs) - 1;
    const last = this.#all[at];
    return last !== undefined && last.atMs >= fromMs;
  }
}
