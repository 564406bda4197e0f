/** Owns the timer that cuts a request when nothing has come for too long: a half-open socket says nothing (K25). */

import { faultOf } from "../machines/watch-fault.ts";
import type { WatchFault } from "../machines/watch-fault.ts";
import type { Clock, Timer } from "./ports.ts";

export class Silence implements Disposable {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #cut: () => void;
  #heardMs: number;
  #timer: Timer;
  #fell = false;

  constructor(options: { readonly clock: Clock; readonly limitMs: number; readonly cut: () => void }) {
    this.#clock = options.clock;
    this.#limitMs = options.limitMs;
    this.#cut = options.cut;
    this.#heardMs = options.clock.monotonicMs();
    this.#timer = this.#arm(options.limitMs);
  }

  get fell(): boolean {
    return this.#fell;
  }

  get fault(): WatchFault {
    return faultOf("silent", `nothing came for ${this.#limitMs} ms`);
  }

  hear(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  /** Hearing does not touch the timer: it is armed again only when it rings. */
  #arm(delayMs: number): Timer {
    return this.#clock.after(delayMs, () => {
      const leftMs = this.#heardMs + this.#limitMs - this.#clock.monotonicMs();
      if (leftMs > 0) {
        this.#timer = this.#arm(leftMs);
        return;
      }
      this.#fell = true;
      this.#cut();
    });
  }
}
