/**
 * Takes reviews for as long as the process lives: to the journal, and to the engine that there is now. Owns the journal and the numbers
 * of arrival. Engines come and go (rules change, another replica holds the Lease); what a new one has to know, the journal tells it, as
 * it would tell the next process.
 *
 * 1. A correlation is with the engine, or held for it, before its review is answered; without an engine it is in the journal.
 * 2. A new engine gets all that was reviewed before it, once each, in the order of arrival.
 */
import { join } from "node:path";
import { Subject } from "rxjs";

import type { CorrelationMessage, Engine } from "../../actors/engine.ts";
import type { Correlation } from "../../machines/messages.ts";
import { longestRequestMs } from "../../machines/pending.ts";
import type { HandleReview } from "../admission/review-handler.ts";
import { createReviewHandler } from "../admission/review-handler.ts";
import type { RunOptions } from "../config/options.ts";
import type { KeptJournal, OpenedJournal, Recalled } from "../journal/journal.ts";
import { openJournal } from "../journal/journal.ts";
import type { EnginePorts } from "./engine-ports.ts";

export interface IntakeOptions {
  readonly options: RunOptions;
  /** Keys of userInfo.extra that reviews must bring along, as the rules are now. */
  readonly claimKeys: () => readonly string[];
}

/** All that a replica knows of who attempted what, for the one that comes after it. */
export interface Knowledge {
  /** Wall clock: since when reviews reached it without a break; null: they do not. */
  readonly sightSinceMs: number | null;
  /** Wall clock, as in Restored; null: nobody is missing. */
  readonly doubtedThroughMs: number | null;
  readonly correlations: readonly Correlation[];
}

/** No replica knows of more. Where its correlations stood behind newer ones, a bound would take the newer ones away. */
const mostAdopted = 10_000_000;
const appendedAtOnce = 1000;

export class Intake implements AsyncDisposable {
  readonly correlation$ = new Subject<CorrelationMessage>();
  /** Takes one review; resolves to its answer. */
  readonly review: HandleReview;
  readonly #ports: EnginePorts;
  readonly #journal: KeptJournal;
  /** What the journal said when it was opened, until an engine has it. */
  #opened: Recalled | null;
  readonly #firstArrival: number;
  #arrival: number;
  /** Where the numbers begin that are kept free for what is adopted. */
  #room = 0;
  #engine: Engine | null = null;
  /** What comes while the journal is read for a new engine; null: nobody is waited for. */
  #held: CorrelationMessage[] | null = null;
  /** Monotonic: since when reviews arrive; infinite while they do not. */
  #sightSinceMs = Number.POSITIVE_INFINITY;
  /** Wall clock: beyond what the journal says. */
  #doubtedThroughMs = Number.NEGATIVE_INFINITY;
  readonly #answering = new Set<Promise<unknown>>();

  private constructor({ claimKeys }: IntakeOptions, ports: EnginePorts, opened: OpenedJournal) {
    this.#ports = ports;
    this.#journal = opened.journal;
    this.#opened = opened;
    this.#arrival = opened.highestArrival;
    this.#firstArrival = opened.highestArrival + 1;
    const { follower } = ports;
    const handle = createReviewHandler({
      ...ports,
      journal: this.#journal,
      nextArrival: () => (this.#arrival += 1),
      get claimKeys() {
        return claimKeys();
      },
      correlate: (correlation, object) => this.#correlate(correlation, object),
      ...(follower === undefined ? {} : { answered: follower.answered.bind(follower) }),
    });
    this.review = (body) => this.#tracked(handle(body));
  }

  /** Throws `journal-open`. */
  static async open(options: IntakeOptions, ports: EnginePorts): Promise<Intake> {
    const { dataDir, bounds } = options.options;
    const opened = await openJournal({
      ...ports,
      directory: join(dataDir, "journal"),
      sync: bounds.journalSync,
      ttlMs: bounds.pendingTtlSeconds * 1000,
      maxTotalBytes: bounds.journalBytes,
    });
    const { lost } = opened;
    if (lost > 0) ports.log.warn("the journal of an earlier process has gaps: some authors may be missing", { lost });
    return new Intake(options, ports, opened);
  }

  /** The engine takes over all that is pending, and what comes from now on. One at a time: `leave` first. */
  async enter(engine: Engine): Promise<void> {
    const first = this.#opened;
    this.#opened = null;
    // Nothing was reviewed yet that the journal did not know when it was opened.
    if (first !== null && this.#arrival === first.highestArrival) return this.#begin(engine, first, []);
    const held: CorrelationMessage[] = [];
    this.#held = held;
    try {
      // What came before is in the journal once its review is answered.
      await Promise.allSettled(this.#answering);
      const recalled = await this.#journal.recall();
      this.#held = null;
      // A life is as long as this process, however many engines it had.
      const lastLifeArrival = Math.min(recalled.lastLifeArrival, this.#firstArrival);
      this.#begin(engine, { ...recalled, lastLifeArrival }, held);
    } finally {
      this.#held = null;
    }
  }

  /** From now on the journal alone takes what is reviewed. */
  leave(): void {
    this.#engine = null;
  }

  onBlind(): void {
    this.#sightSinceMs = Number.POSITIVE_INFINITY;
    this.#engine?.loseSight();
  }

  onSeeing(): void {
    this.#sightSinceMs = this.#ports.clock.monotonicMs();
    this.#engine?.regainSight();
  }

  /** Reviews are missing, up to now: who was reviewed meanwhile, or comes soon, may have had rivals. */
  miss(): void {
    const { clock } = this.#ports;
    if (this.#sightSinceMs !== Number.POSITIVE_INFINITY) this.#sightSinceMs = clock.monotonicMs();
    this.#doubtedThroughMs = clock.nowMs() + longestRequestMs;
    this.#engine?.miss();
  }

  /** All that is known, once the reviews that are under way are answered. */
  async tell(): Promise<Knowledge> {
    await Promise.allSettled(this.#answering);
    const { correlations, doubtedThroughMs } = await this.#journal.recall();
    const { clock } = this.#ports;
    const sight = this.#sightSinceMs;
    const doubted = Math.max(doubtedThroughMs, this.#doubtedThroughMs);
    return {
      sightSinceMs: sight === Number.POSITIVE_INFINITY ? null : clock.nowMs() - (clock.monotonicMs() - sight),
      doubtedThroughMs: doubted === Number.NEGATIVE_INFINITY ? null : doubted,
      correlations,
    };
  }

  /** What comes from now on is behind whatever is adopted next: somebody else is the one who knows. */
  makeRoom(): void {
    this.#room = this.#arrival + 1;
    this.#arrival += mostAdopted;
  }

  /** Takes over what another replica knew. To be called before an engine enters, once for each room. */
  async adopt({ correlations, sightSinceMs, doubtedThroughMs }: Knowledge): Promise<void> {
    const { clock } = this.#ports;
    for (let at = 0; at < correlations.length; at += appendedAtOnce) {
      const some = correlations.slice(at, at + appendedAtOnce);
      await Promise.all(
        some.map((correlation, index) => this.#journal.append({ ...correlation, arrival: this.#room + at + index })),
      );
    }
    if (doubtedThroughMs !== null) this.#doubtedThroughMs = Math.max(this.#doubtedThroughMs, doubtedThroughMs);
    if (sightSinceMs === null) return;
    const agoMs = Math.max(0, clock.nowMs() - sightSinceMs);
    this.#sightSinceMs = Math.min(this.#sightSinceMs, clock.monotonicMs() - agoMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journal[Symbol.asyncDispose]();
  }

  #begin(engine: Engine, recalled: Recalled, held: readonly CorrelationMessage[]): void {
    const { lastLifeArrival } = recalled;
    // What came to this very process, or to a replica that handed over to it, was seen without a break.
    const correlations = recalled.correlations.map((correlation) =>
      correlation.arrival >= this.#firstArrival ? { ...correlation, restored: false } : correlation,
    );
    const doubtedThroughMs = Math.max(recalled.doubtedThroughMs, this.#doubtedThroughMs);
    engine.restore(correlations, { doubtedThroughMs, lastLifeArrival, sightSinceMs: this.#sightSinceMs });
    this.#engine = engine;
    const known = new Set(correlations.map(({ arrival }) => arrival));
    for (const message of held) if (!known.has(message.correlation.arrival)) this.correlation$.next(message);
  }

  #correlate(correlation: Correlation, object: Uint8Array | null): void {
    // Held without their objects: how long that takes is not known, and only `content` needs them.
    if (this.#held !== null) this.#held.push({ correlation, object: null });
    else if (this.#engine !== null) this.correlation$.next({ correlation, object });
  }

  #tracked(answer: Promise<string>): Promise<string> {
    this.#answering.add(answer);
    void answer.finally(() => this.#answering.delete(answer)).catch(() => undefined);
    return answer;
  }
}
