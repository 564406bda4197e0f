/**
 * Whether a process, or a worker of it, lives, and the calls that it makes of the world.
 *
 * 1. Once it has ended, nothing that it waits for ever comes, and nothing that it does reaches the world.
 * 2. A fuse burns down with each call of its kind; the call at which it is spent is the last one.
 */

export type CallKind = "file" | "write" | "network" | "clock" | "review" | "commit pool";

export interface Fuse {
  /** Null: calls of any kind. */
  readonly kind: CallKind | null;
  readonly calls: number;
  /** Absent: whatever they are. */
  readonly only?: RegExp;
  /** Told of the call that was the last one, before it is done. */
  readonly spent: (kind: CallKind, what: string) => void;
}

export class Life {
  readonly #parent: Life | null;
  #alive = true;
  #fuse: { readonly fuse: Fuse; left: number } | null = null;

  constructor(parent: Life | null = null) {
    this.#parent = parent;
  }

  get alive(): boolean {
    return this.#alive && this.#parent?.alive !== false;
  }

  end(): void {
    this.#alive = false;
  }

  light(fuse: Fuse): void {
    this.#fuse = { fuse, left: fuse.calls };
  }

  /** To be told before each call of a port. */
  called(kind: CallKind, what: string): void {
    this.#parent?.called(kind, what);
    const burning = this.#fuse;
    if (burning === null || !this.alive) return;
    const { fuse } = burning;
    if (fuse.kind !== null && fuse.kind !== kind && !(fuse.kind === "file" && kind === "write")) return;
    if (fuse.only?.test(what) === false) return;
    burning.left -= 1;
    if (burning.left > 0) return;
    this.#fuse = null;
    fuse.spent(kind, what);
  }

  /** The value while there is life; otherwise it never comes. */
  async lived<Value>(promise: Promise<Value>): Promise<Value> {
    try {
      const value = await promise;
      return this.alive ? value : await never();
    } catch (error) {
      if (this.alive) throw error;
      return never();
    }
  }
}

export function never(): Promise<never> {
  return new Promise(() => undefined);
}
