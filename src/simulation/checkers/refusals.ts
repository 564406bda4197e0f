/** When the data directory's disk had no room for a write: what was to be kept there over a crash may be missing after it. */

import { countUpTo } from "./chronicle.ts";

export class RefusalRecord {
  readonly #all: { readonly atMs: number }[] = [];

  refused(atMs: number): void {
    this.#all.push({ atMs });
  }

  /** One at least, both ends included; monotonic. */
  within(fromMs: number, untilMs: number): boolean {
    const at = countUpTo(this.#all, untilMs) - 1;
    const last = this.#all[at];
    return last !== undefined && last.atMs >= fromMs;
  }
}
