/**
 * Keeps the blind times of this process, and of the one before it, until every branch tells of them. Lives as long as the process does,
 * whatever becomes of its branches meanwhile.
 *
 * Owns the sources "process" and "listener", the file that the next process reads, and the times that were told lately.
 * 1. A time is given to the branches at least once: what a crash may have kept from them is given again, and they know it.
 * 2. The time from the last sign of life of the process before this to the first review that can be taken is blind.
 * 3. Where nothing is known of a process before, none of its times is made up.
 */

import { Coverage } from "../../actors/coverage.ts";
import type { Clock, FileSystem, Log, Meter, Timer } from "../../actors/ports.ts";
import { addTime, type BlindReason, type BlindTime, joinedReasons } from "../../machines/blind-time.ts";
import { type CoverageRecord, readCoverage, type ToldTime, writeCoverage } from "./coverage-file.ts";

export interface CoverageKeeperOptions {
  readonly dataDir: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
}

export type BlindTimeSink = (time: BlindTime) => void;

/** So exact is the beginning of a time in which no process ran. */
const beatMs = 5_000;
/** Longer than a flush takes to become durable; a branch that is troubled for longer may miss a time if a crash follows. */
const againMs = 600_000;
const againTimes = 16;
const down: BlindReason = { code: "process-down", message: "no process took reviews" };

export class CoverageKeeper implements AsyncDisposable {
  /** For sources beside the two of the keeper's own. */
  readonly coverage: Coverage;
  readonly #options: CoverageKeeperOptions;
  /** Times that no branch was given yet. */
  readonly #waiting: BlindTime[] = [];
  #told: readonly ToldTime[];
  #sink: BlindTimeSink | null = null;
  #timer: Timer | null = null;
  #saving: Promise<void> | null = null;
  #changed = false;
  #closed = false;

  static async open(options: CoverageKeeperOptions): Promise<CoverageKeeper> {
    return new CoverageKeeper(options, await readCoverage(options));
  }

  private constructor(options: CoverageKeeperOptions, last: CoverageRecord | null) {
    this.#options = options;
    const { clock, meter } = options;
    const nowMs = clock.nowMs();
    this.#told = (last?.told ?? []).filter(({ atMs }) => Math.abs(nowMs - atMs) < againMs);
    this.coverage = new Coverage({ clock, tell: (time) => this.#tell(time) });
    meter.gauge("blind", () => (this.coverage.now === null ? 0 : 1));
    if (last !== null) {
      const { aliveMs, blind } = last;
      const reasons = joinedReasons(blind?.reasons ?? [], [down]);
      this.coverage.blind("process", { reasons, sinceMs: blind?.fromMs ?? aliveMs });
    }
    this.#save();
    this.#arm();
  }

  /** The listener cannot be reached; `reason` as it says. */
  lost(reason: string): void {
    const failed = { code: "listener-failed", message: `the admission listener failed (${reason})` };
    this.coverage.blind("listener", { reasons: [reason === "closed" ? down : failed] });
    this.#save();
  }

  /** Reviews are taken. */
  found(): void {
    this.coverage.seeing("listener");
    this.coverage.seeing("process");
    this.#save();
  }

  /** From now on the branches are told: what waited, what was told lately, and what comes. */
  connect(sink: BlindTimeSink): Disposable {
    this.#sink = sink;
    for (const { time } of this.#told) sink(time);
    for (const time of this.#waiting.splice(0)) this.#give(time, sink);
    return {
      [Symbol.dispose]: () => {
        if (this.#sink === sink) this.#sink = null;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.coverage[Symbol.dispose]();
    this.#save();
    while (this.#saving !== null) await this.#saving;
  }

  #tell(time: BlindTime): void {
    const [first] = time.reasons;
    const seconds = time.toMs === null ? "it goes on" : Math.ceil((time.toMs - time.fromMs) / 1000);
    this.#options.log.warn("Authors may have been missed for a time; the history tells of it.", {
      reason: first?.message ?? "",
      seconds,
    });
    if (this.#sink === null) addTime(this.#waiting, time);
    else this.#give(time, this.#sink);
    this.#save();
  }

  #give(time: BlindTime, sink: BlindTimeSink): void {
    this.#told = [...this.#told, { atMs: this.#options.clock.nowMs(), time }].slice(-againTimes);
    sink(time);
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.after(beatMs, () => {
      this.#save();
      this.#arm();
    });
  }

  /** One write at a time, and another one behind it if something changed meanwhile. */
  #save(): void {
    this.#changed = true;
    this.#saving ??= this.#write().finally(() => {
      this.#saving = null;
    });
  }

  async #write(): Promise<void> {
    const { clock, log } = this.#options;
    while (this.#changed) {
      this.#changed = false;
      const nowMs = clock.nowMs();
      const waiting = this.#waiting.map((time) => ({ atMs: nowMs, time }));
      const record = { aliveMs: nowMs, blind: this.coverage.now, told: [...this.#told, ...waiting] };
      try {
        await writeCoverage(this.#options, record);
      } catch (error) {
        const reason = error instanceof Error ? error.message : "unknown";
        log.warn("the last sign of life was not written; after a crash more may be called blind than was", { reason });
      }
    }
  }
}
