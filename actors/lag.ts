/** How far the watch runs behind the reviews: the largest delay seen of late, which is what freshness must allow for. */
export class LagGauge {
  readonly #windowMs: number;
  #windowEndsMs = Number.NEGATIVE_INFINITY;
  #currentMs = 0;
  #previousMs = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** `lagMs` from a review to the event of its write. */
  record(lagMs: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#currentMs = Math.max(this.#currentMs, lagMs);
  }

  /** The largest of the last one to two windows. */
  maximumMs(nowMs: number): number {
    this.#turn(nowMs);
    return Math.max(this.#currentMs, this.#previousMs);
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#windowEndsMs) return;
    this.#previousMs = nowMs < this.#windowEndsMs + this.#windowMs ? this.#currentMs : 0;
    this.#currentMs = 0;
    this.#windowEndsMs = nowMs + this.#windowMs;
  }
}
