/**
 * Turns what several sources say of whether reviews reach this process into the times in which they did not: one line for all of them.
 *
 * Owns which sources are blind, and since when any is.
 * 1. A time begins with the first source that is blind and ends with the last one that sees again.
 * 2. It is told when it has ended; one that goes on for `graceMs` is told then as well, so that nobody has to wait for its end.
 * 3. What is told again, after a crash, is the same: branches know it by its beginning and its end.
 */

import { type BlindReason, type BlindTime, joinedReasons } from "../machines/blind-time.ts";
import type { Clock, Timer } from "./ports.ts";

export interface CoverageOptions {
  readonly clock: Clock;
  readonly tell: (time: BlindTime) => void;
  /** Default 10 s. */
  readonly graceMs?: number;
}

export interface Blindness {
  /** At least one. */
  readonly reasons: readonly BlindReason[];
  /** Wall clock; default now. */
  readonly sinceMs?: number;
}

const defaultGraceMs = 10_000;

export class Coverage implements Disposable {
  readonly #options: CoverageOptions;
  readonly #blind = new Set<string>();
  /** Null: all sources see. */
  #now: BlindTime | null = null;
  #grace: Timer | null = null;

  constructor(options: CoverageOptions) {
    this.#options = options;
  }

  /** The time that goes on; null: there is none. */
  get now(): BlindTime | null {
    return this.#now;
  }

  /** Said again it may bring more reasons. */
  blind(source: string, { reasons, sinceMs }: Blindness): void {
    const nowMs = this.#nowMs();
    const fromMs = Math.min(Math.floor(sinceMs ?? nowMs), nowMs);
    this.#blind.add(source);
    const known = this.#now;
    this.#now = {
      fromMs: Math.min(known?.fromMs ?? fromMs, fromMs),
      toMs: null,
      reasons: joinedReasons(known?.reasons ?? [], reasons),
    };
    if (known === null) this.#arm();
  }

  seeing(source: string): void {
    if (!this.#blind.delete(source) || this.#blind.size > 0 || this.#now === null) return;
    const { fromMs, reasons } = this.#now;
    this.#disarm();
    this.#now = null;
    // A clock that went back must not end it before it began; and a time is no moment.
    this.#options.tell({ fromMs, toMs: Math.max(fromMs + 1, this.#nowMs()), reasons });
  }

  /** From now on less is to be seen, on somebody's wish: a rule was narrowed. */
  narrowed(reason: BlindReason): void {
    const atMs = this.#nowMs();
    this.#options.tell({ fromMs: atMs, toMs: atMs, reasons: [reason] });
  }

  [Symbol.dispose](): void {
    this.#disarm();
  }

  #arm(): void {
    const { clock, graceMs = defaultGraceMs, tell } = this.#options;
    this.#grace = clock.after(graceMs, () => {
      this.#grace = null;
      if (this.#now !== null) tell(this.#now);
    });
  }

  #disarm(): void {
    this.#grace?.[Symbol.dispose]();
    this.#grace = null;
  }

  /** Commits know no smaller parts. */
  #nowMs(): number {
    return Math.floor(this.#options.clock.nowMs());
  }
}
