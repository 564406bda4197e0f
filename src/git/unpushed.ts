/**
 * The commits of a branch that its remote lacks: read from the newest back to what was pushed, of which there may be a million after a long
 * outage.
 *
 * Owns the ids of the oldest `keptCommits` of them, between looks too: a remote that is tried every half minute costs only what is new.
 * 1. A look reads `stepCommits` at most. Whoever looks holds up the flushes of the branch.
 * 2. What it tells is a line of first parents that begins above what was pushed. Where the branch became another one, it is read anew.
 */

export interface UnpushedBounds {
  /** So many go in one push; no more is read while so many are known. */
  readonly pushedCommits: number;
  readonly stepCommits: number;
  /** 40 bytes and a bit each. */
  readonly keptCommits: number;
}

const defaultBounds: UnpushedBounds = { pushedCommits: 5000, stepCommits: 2000, keptCommits: 200_000 };

export interface UnpushedPart {
  /** Oldest first. */
  readonly ids: readonly string[];
  /** So many follow them, or more. */
  readonly waiting: number;
}

interface Walk {
  /** Newest first; the oldest of those that were met. */
  readonly found: string[];
  met: number;
  at: string;
}

export class UnpushedLine {
  readonly #bounds: UnpushedBounds;
  /** Oldest first; the first one's parent is `#base`. */
  #ids: string[] = [];
  #base = "";
  /** Met, and not kept. */
  #dropped = 0;
  #walk: Walk | null = null;

  constructor(bounds: Partial<UnpushedBounds> = {}) {
    this.#bounds = { ...defaultBounds, ...bounds };
  }

  /** Null: there is more to read, look again. `parentOf` resolves to a commit's first parent, empty: it has none. */
  async look(
    { head, base }: { readonly head: string; readonly base: string },
    parentOf: (id: string) => Promise<string>,
  ): Promise<UnpushedPart | null> {
    this.#advance(base);
    const { pushedCommits } = this.#bounds;
    if (this.#ids.length < pushedCommits && (this.#ids.at(-1) ?? base) !== head) {
      this.#walk ??= { found: [], met: 0, at: head };
      if (!(await this.#read(this.#walk, parentOf))) return null;
      this.#join(this.#walk);
    }
    const ids = this.#ids.slice(0, pushedCommits);
    return { ids, waiting: this.#ids.length - ids.length + this.#dropped };
  }

  /** The branch was built anew, on whatever. */
  forget(): void {
    this.#ids = [];
    this.#dropped = 0;
    this.#walk = null;
  }

  #advance(base: string): void {
    if (base === this.#base) return;
    const at = this.#ids.indexOf(base);
    this.#ids = this.#ids.slice(at + 1);
    if (at < 0) this.forget();
    this.#base = base;
  }

  /** False: not done. */
  async #read(walk: Walk, parentOf: (id: string) => Promise<string>): Promise<boolean> {
    const { stepCommits, keptCommits } = this.#bounds;
    const known = this.#ids.at(-1) ?? this.#base;
    for (let count = 0; count < stepCommits; count += 1) {
      if (walk.at === known || walk.at === this.#base || walk.at === "") return true;
      walk.found.push(walk.at);
      walk.met += 1;
      if (walk.found.length >= 2 * keptCommits) walk.found.splice(0, keptCommits);
      walk.at = await parentOf(walk.at);
    }
    return false;
  }

  #join({ found, met, at }: Walk): void {
    this.#walk = null;
    // It met what was pushed and not what was known: the branch is another one.
    if (at !== this.#ids.at(-1)) this.#ids = [];
    const { keptCommits } = this.#bounds;
    const room = Math.max(0, keptCommits - this.#ids.length);
    const kept = found.slice(Math.max(0, found.length - room)).reverse();
    this.#ids = [...this.#ids, ...kept];
    this.#dropped = met - kept.length;
  }
}
