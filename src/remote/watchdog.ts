/**
 * Ends what has fallen silent. Owns one timer; `touch` only notes the time, so that it costs next to nothing per chunk.
 *
 * 1. Until the first touch it waits `connectMs`, after each touch `silenceMs`; then it aborts, once.
 */

import type { Clock, Timer } from "../../actors/ports.ts";
import { remoteError } from "./remote-error.ts";

export interface Patience {
  /** Until there is a connection that can be spoken on. */
  readonly connectMs: number;
  /** Between two signs of life, in either direction. */
  readonly silenceMs: number;
}

export class Watchdog implements Disposable {
  readonly #clock: Clock;
  readonly #patience: Patience;
  readonly #controller = new AbortController();
  #dueMs: number;
  #state: "connecting" | "asking" | "answered" = "connecting";
  #timer: Timer | null = null;

  constructor(clock: Clock, patience: Patience) {
    this.#clock = clock;
    this.#patience = patience;
    this.#dueMs = clock.monotonicMs() + patience.connectMs;
    this.#arm();
  }

  /** Aborted with `remote-unreachable` as long as nobody answered, then with `remote-cut`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    this.#dueMs = this.#clock.monotonicMs() + this.#patience.silenceMs;
    if (this.#state !== "connecting") return;
    this.#state = "asking";
    // The timer that runs is that of the connection, which may be longer.
    this[Symbol.dispose]();
    this.#arm();
  }

  /** The other side has answered: from here on it can be cut. */
  reach(): void {
    this.touch();
    this.#state = "answered";
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#clock.after(Math.max(1, this.#dueMs - this.#clock.monotonicMs()), () => {
      if (this.#clock.monotonicMs() < this.#dueMs) this.#arm();
      else this.#controller.abort(this.#silent());
    });
  }

  #silent(): Error {
    const { connectMs, silenceMs } = this.#patience;
    if (this.#state === "answered") {
      return remoteError("cut", `the remote fell silent for ${silenceMs / 1000} s in the middle`);
    }
    return this.#state === "asking"
      ? remoteError("unreachable", `the remote did not answer within ${silenceMs / 1000} s`)
      : remoteError("unreachable", `the remote could not be connected to within ${connectMs / 1000} s`);
  }
}
