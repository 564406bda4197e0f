/** When reviews were taken, by the wall clock: what a history may call blind, and what it must. Filled in while a run goes on. */

export interface SightClock {
  nowMs(): number;
  readonly jumpedMs: number;
}

/** Both ends by the wall clock. */
export interface Sight {
  readonly fromMs: number;
  readonly toMs: number;
}

export class SightRecord {
  readonly #clock: SightClock;
  readonly #sights: { readonly fromMs: number; toMs: number }[] = [];
  readonly #refusedMs: number[] = [];

  constructor(clock: SightClock) {
    this.#clock = clock;
  }

  began(): void {
    this.ended();
    this.#sights.push({ fromMs: this.#clock.nowMs(), toMs: Number.POSITIVE_INFINITY });
  }

  ended(): void {
    const last = this.#sights.at(-1);
    if (last !== undefined) last.toMs = Math.min(last.toMs, this.#clock.nowMs());
  }

  /** The sign of life found no room on the disk. */
  refused(): void {
    this.#refusedMs.push(this.#clock.nowMs());
  }

  /** Whether one was refused at such a time. */
  refusedIn({ fromMs, toMs }: Sight): boolean {
    return this.#refusedMs.some((atMs) => fromMs <= atMs && atMs <= toMs);
  }

  get sights(): readonly Sight[] {
    return this.#sights;
  }

  /** Between two of them; by a clock that went back it may end before it begins. */
  get gaps(): readonly Sight[] {
    return this.#sights.slice(1).map(({ fromMs }, at) => ({ fromMs: this.#sights[at]?.toMs ?? fromMs, toMs: fromMs }));
  }

  /** So far may two readings of the wall clock be apart for no other reason than that it was moved. */
  get jumpedMs(): number {
    return this.#clock.jumpedMs;
  }
}
