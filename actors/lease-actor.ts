/**
 * Competes for a Lease, holds it, and tells when it is won and lost. Owns the loop, and what was seen of the Lease last.
 *
 * 1. `lost` is told before anybody else can have it: a holder that could not renew in time stops by its own clock.
 * 2. Between `won` and `lost` there is at least one turn; after `release` nothing is told any more.
 */
import { defaultLeaseBounds, isHeld, isSameRecord, leaseStep } from "../machines/lease.ts";
import type { LeaseBounds, LeaseRecord } from "../machines/lease.ts";
import type { Clock, Log, Timer } from "./ports.ts";

export interface LeaseStore {
  /** Throws where it cannot be read. */
  read(signal: AbortSignal): Promise<LeaseRecord>;
  /** Null: somebody else was first. Throws where it cannot be written. */
  write(record: LeaseRecord, signal: AbortSignal): Promise<LeaseRecord | null>;
}

export interface LeaseActorOptions {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Nobody else has it, not even the process that was here before. */
  readonly identity: string;
  /** HOST:PORT of this process. */
  readonly address: string;
  readonly bounds?: LeaseBounds;
  /** `before`: as it stood until then: who held it, and whether it was released. */
  readonly won: (before: LeaseRecord) => void;
  readonly lost: () => void;
}

export class LeaseActor implements AsyncDisposable {
  readonly #options: LeaseActorOptions;
  readonly #bounds: LeaseBounds;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #record: LeaseRecord | null = null;
  #seenMs = 0;
  /** Monotonic, when the last renewal was sent; null: it is not held. */
  #renewedMs: number | null = null;
  #wake: () => void = () => undefined;
  #deadline: Timer | null = null;

  constructor(options: LeaseActorOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? defaultLeaseBounds;
    this.#done = this.#run();
  }

  get held(): boolean {
    return this.#renewedMs !== null && isHeld(this.#renewedMs, this.#options.clock.monotonicMs(), this.#bounds);
  }

  /** Where reviews go: whoever holds it as far as is known; null: nobody, or this process itself. */
  get holderAddress(): string | null {
    const record = this.#record;
    if (record === null || record.holder === "" || record.holder === this.#options.identity) return null;
    return record.address;
  }

  /** Gives it away, so that the next holder need not wait. Ends the loop. Never rejects. */
  async release(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#done;
    const record = this.#record;
    if (this.#renewedMs === null || record === null) return;
    this.#leave();
    const { store, log } = this.#options;
    try {
      const released = { ...record, holder: "", renewedAt: this.#stamp() };
      this.#record = (await this.#timed((signal) => store.write(released, signal))) ?? record;
    } catch (error) {
      log.warn("The Lease could not be released; the next holder waits until it has expired.", {
        reason: reasonOf(error),
      });
    }
  }

  /** Reads the Lease now. Throws where it cannot be read. */
  async look(): Promise<void> {
    this.#saw(await this.#timed((signal) => this.#options.store.read(signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#timed((timed) => this.#turn(timed));
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log.warn("The Lease cannot be read or renewed; trying again.", { reason: reasonOf(error) });
      }
      await this.#sleep();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { clock, store, identity, address } = this.#options;
    if (this.#renewedMs === null || this.#record === null) this.#saw(await store.read(signal));
    const before = this.#record;
    if (before === null || signal.aborted) return;
    const step = leaseStep({ identity, record: before, seenMs: this.#seenMs }, clock.monotonicMs());
    if (step === "wait") return;
    const sentMs = clock.monotonicMs();
    const transitions = before.transitions + (step === "acquire" ? 1 : 0);
    const { durationMs } = this.#bounds;
    const next = { ...before, holder: identity, address, durationMs, transitions, renewedAt: this.#stamp() };
    const written = await store.write(next, signal);
    if (written === null) {
      this.#saw(await store.read(signal));
      if (this.#record?.holder !== identity) this.#lose();
      return;
    }
    this.#saw(written);
    const won = this.#renewedMs === null;
    this.#renewedMs = sentMs;
    this.#armDeadline();
    if (won) this.#options.won(before);
  }

  /** A request that hangs must not keep the next one from being sent. */
  async #timed<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const overdue = new AbortController();
    using _timer = this.#options.clock.after(requestPatienceMs, () => overdue.abort());
    return await work(overdue.signal);
  }

  #saw(record: LeaseRecord): void {
    if (this.#record === null || !isSameRecord(this.#record, record)) this.#seenMs = this.#options.clock.monotonicMs();
    this.#record = record;
  }

  #armDeadline(): void {
    const { clock } = this.#options;
    this.#deadline?.[Symbol.dispose]();
    const leftMs = this.#bounds.deadlineMs - (clock.monotonicMs() - (this.#renewedMs ?? 0));
    this.#deadline = clock.after(Math.max(0, leftMs), () => this.#lose());
  }

  #lose(): void {
    if (this.#renewedMs === null) return;
    this.#leave();
    this.#options.log.warn("The Lease is lost: this process records no more until it has it again.");
    this.#options.lost();
  }

  #leave(): void {
    this.#renewedMs = null;
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = null;
  }

  async #sleep(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#options.clock.after(this.#bounds.renewEveryMs, resolve);
    this.#wake = resolve;
    await promise;
  }

  #stamp(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}

/** Twice within the deadline. */
const requestPatienceMs = 4_000;

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown";
}
