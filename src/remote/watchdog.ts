/**
 * Ends what has fallen silent. Owns one timer; `touch` only notes the time, so that it costs next to nothing per chunk.
 */

import type { Clock, Timer } from "../../actors/ports.ts";
import { remoteError } from "./remote-error.ts";

export class Watchdog implements Disposable {
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #controller = new AbortController();
  #touchedMs: number;
  #reached = false;
  #timer: Timer | null = null;

  constructor(clock: Clock, silenceMs: number) {
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#touchedMs = clock.monotonicMs();
    this.#arm(silenceMs);
  }

  /** Aborted with `remote-unreachable` as long as nobody answered, then with `remote-cut`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    this.#touchedMs = this.#clock.monotonicMs();
  }

  /** The other side has answered: from here on it can be cut. */
  reach(): void {
    this.#reached = true;
    this.touch();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => {
      const leftMs = this.#touchedMs + this.#silenceMs - this.#clock.monotonicMs();
      if (leftMs > 0) this.#arm(leftMs);
      else this.#controller.abort(this.#silent());
    });
  }

  #silent(): Error {
    const seconds = this.#silenceMs / 1000;
    return this.#reached
      ? remoteError("cut", `the remote fell silent for ${seconds} s in the middle`)
      : remoteError("unreachable", `the remote did not answer within ${seconds} s`);
  }
}
