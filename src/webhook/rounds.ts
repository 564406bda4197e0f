/**
 * Something that is looked after again and again: every so often, and at once when somebody says that there is a reason.
 *
 * It owns its timer and the round that is under way.
 * 1. One round at a time. A reason that comes during a round is one for another.
 * 2. A round that fails ends nothing: the next one comes.
 */

import type { Clock, Timer } from "../../actors/ports.ts";

export interface RoundsOptions {
  readonly clock: Clock;
  /** Resolves to how long it may rest, ms. */
  readonly round: (signal: AbortSignal) => Promise<number>;
  /** The same for a round that failed; not called once disposed of. */
  readonly failed: (error: unknown) => number;
}

export class Rounds implements AsyncDisposable {
  readonly #options: RoundsOptions;
  readonly #closing = new AbortController();
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  #following: Promise<void> | null = null;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Another round now, or as soon as the one under way is over. */
  soon(): void {
    void this.next();
  }

  /** Resolves once a round that began after this call is over, however it went. */
  next(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    if (this.#running === null) return this.#begin();
    this.#following ??= this.#running.then(() => {
      this.#following = null;
      return this.#running ?? this.#begin();
    });
    return this.#following;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#disarm();
    await this.#running;
  }

  #begin(): Promise<void> {
    this.#disarm();
    this.#running = this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { clock, round, failed } = this.#options;
    let restMs = 0;
    try {
      if (!signal.aborted) restMs = await round(signal);
    } catch (error) {
      if (!signal.aborted) restMs = failed(error);
    }
    this.#running = null;
    if (signal.aborted) return;
    this.#timer = clock.after(Math.max(1, restMs), () => {
      this.#timer = null;
      this.soon();
    });
  }

  #disarm(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }
}
