/** What a run says. Owns the last lines of it, for whoever has to find out why it failed, or all of them. */

import type { Clock, Log, LogFields } from "../../actors/ports.ts";

/** Of a run that nobody traces. */
const lastLines = 200;

export class Witness implements Log {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #traced: boolean;
  #lines: string[] = [];

  constructor(clock: Pick<Clock, "monotonicMs">, traced: boolean) {
    this.#clock = clock;
    this.#traced = traced;
  }

  get lines(): readonly string[] {
    return this.#traced ? this.#lines : this.#lines.slice(-lastLines);
  }

  /** What somebody did, or what befell somebody. */
  note(line: string): void {
    this.#lines.push(`${(this.#clock.monotonicMs() / 1000).toFixed(3).padStart(10)}  ${line}`);
    if (!this.#traced && this.#lines.length > 2 * lastLines) this.#lines = this.#lines.slice(-lastLines);
  }

  debug(): void {}

  info(message: string, fields?: LogFields): void {
    this.#say("", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#say("WARN ", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#say("ERROR ", message, fields);
  }

  #say(level: string, message: string, fields?: LogFields): void {
    this.note(`  kubescribe: ${level}${message}${fields === undefined ? "" : ` ${JSON.stringify(fields)}`}`);
  }
}
