/** When the data directory's disk had no room for a write: what was to be kept there over a crash may be missing after it. */

import { countUpTo } from "./chronicle.ts";

interface Dated {
  readonly atMs: number;
  readonly newestWallMs: number;
}

export class RefusalRecord {
  readonly #all: Dated[] = [];
  /** Besides: a process that finds lines missing, and cannot know since when, says that it is since now. */
  readonly #found: Dated[] = [];

  refused(atMs: number, wallMs: number): void {
    note(this.#all, { atMs, wallMs });
  }

  /** A process begins. */
  dated(atMs: number, wallMs: number): void {
    if (this.#all.length > 0) note(this.#found, { atMs, wallMs });
  }

  /** The highest that the wall clock, which may jump, showed when any of them was, or was found; `-Infinity`: there was none. */
  newestWallMs(untilMs: number): number {
    return Math.max(...[this.#all, this.#found].map((list) => newestOf(list, untilMs)));
  }

  /** One at least, both ends included; monotonic. */
  within(fromMs: number, untilMs: number): boolean {
    const at = countUpTo(this.#all, untilMs) - 1;
    const last = this.#all[at];
    return last !== undefined && last.atMs >= fromMs;
  }
}

function note(list: Dated[], { atMs, wallMs }: { readonly atMs: number; readonly wallMs: number }): void {
  list.push({ atMs, newestWallMs: Math.max(wallMs, newestOf(list, Number.POSITIVE_INFINITY)) });
}

function newestOf(list: readonly Dated[], untilMs: number): number {
  return list[countUpTo(list, untilMs) - 1]?.newestWallMs ?? Number.NEGATIVE_INFINITY;
}
