/**
 * Owns the right to read a whole list: so many watches at a time hold it, the others wait in line. The line is as long as
 * there are watches.
 */
export class WatchGate {
  readonly #capacity: number;
  #inside = 0;
  readonly #line: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Resolves to null if `signal` was aborted first. */
  async enter(signal: AbortSignal): Promise<Disposable | null> {
    if (signal.aborted) return null;
    if (this.#inside < this.#capacity) return this.#admit();
    const { promise, resolve } = Promise.withResolvers<Disposable | null>();
    const turn = (): void => {
      signal.removeEventListener("abort", giveUp);
      resolve(this.#admit());
    };
    const giveUp = (): void => {
      const index = this.#line.indexOf(turn);
      if (index >= 0) this.#line.splice(index, 1);
      resolve(null);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.#line.push(turn);
    return promise;
  }

  #admit(): Disposable {
    this.#inside += 1;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#inside -= 1;
        this.#line.shift()?.();
      },
    };
  }
}
