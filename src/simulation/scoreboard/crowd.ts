/**
 * The scoreboard's users. Owns who is at work, and what was asked and what came of it.
 *
 * 1. Which requests come when is drawn from streams of their own, and a review takes as long as was drawn, whatever answers it: each
 *    design meets the same writes.
 */

import type { ReviewAnswer, SimulatedCluster } from "../../simulator/cluster.ts";
import type { Attempt } from "../../simulator/review.ts";
import { reviewOf } from "../../simulator/review.ts";
import { write } from "../../simulator/write.ts";
import type { Truth, TrueWrite } from "../checkers/truth.ts";
import { diceOf } from "../dice.ts";
import type { Dice } from "../dice.ts";
import { pause } from "../process-ports.ts";
import type { SimulatedClock } from "../simulated-clock.ts";
import type { Load } from "./cell.ts";
import { intentOf, namespace, requestOf } from "./requests.ts";
import type { Intent } from "./requests.ts";

/** One review, and what was persisted after it. */
export interface Asked {
  /** Tries and retries of one request share it. */
  readonly request: number;
  readonly attempt: Attempt;
  readonly write: TrueWrite | null;
}

export interface CrowdOptions {
  readonly load: Load;
  readonly clock: SimulatedClock;
  readonly cluster: SimulatedCluster;
  readonly truth: Truth;
  /** Null: nobody listens. */
  readonly review: (body: Uint8Array) => Promise<unknown> | null;
}

const longestThoughtMs = 60;
/** More than what kubescribe takes for an answer in simulated time. */
const quickestReviewMs = 12;
const slowestReviewMs = 32;
/** As client-go's RetryOnConflict has it, and as people do. */
const tries = 4;
const lags = 0.1;
const longestLagMs = 80;
const lostReviews = 0.02;
const lateReviews = 0.02;
const doubledReviews = 0.03;
const webhookTimeoutMs = 1_000;
const latestMs = 5_000;

const unanswered: ReviewAnswer = { answered: false, allowed: true, message: "" };
const allowed: ReviewAnswer = { answered: true, allowed: true, message: "" };

export class Crowd {
  readonly asked: Asked[] = [];
  readonly #options: CrowdOptions;
  readonly #free: string[];
  readonly #arrivals: Dice;
  #calm = false;
  readonly #writesBefore: number;
  #begun = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    const { users, seed } = options.load;
    this.#writesBefore = options.truth.writes.length;
    this.#arrivals = diceOf(seed ^ 0xa441);
    this.#free = Array.from({ length: users }, (_, at) => `user-${at + 1}@example.com`);
  }

  get idle(): boolean {
    return this.#free.length === this.#options.load.users;
  }

  get done(): boolean {
    const { truth, load } = this.#options;
    return truth.writes.length - this.#writesBefore >= load.changes;
  }

  /** No more faults: what is under way ends well. */
  calm(): void {
    this.#calm = true;
  }

  /** Until enough has been written. */
  async come(): Promise<void> {
    const { load, clock } = this.#options;
    while (!this.done) {
      await pause(clock, (this.#arrivals.next() * 2_000) / load.rate);
      const at = this.#arrivals.below(this.#free.length);
      const [user] = this.#free.splice(at, 1);
      // Everybody is at work: the next one who is not takes it up.
      if (user === undefined) continue;
      this.#begun += 1;
      const number = this.#begun;
      void this.#work(user, number).then(() => this.#free.push(user));
    }
  }

  async #work(user: string, number: number): Promise<void> {
    const { load, clock, cluster } = this.#options;
    const dice = diceOf(Math.imul(load.seed, 0x9e37) ^ Math.imul(number, 0x85eb));
    const intent = intentOf({ user, number, load }, dice);
    if (load.conditions !== "ideal" && dice.chance(lags)) this.#lag(intent.server, dice.below(longestLagMs));
    for (let turn = 1; turn <= tries; turn += 1) {
      const at = { typeKey: intent.type.key, namespace, name: intent.name };
      const read = cluster.store.get(at);
      await pause(clock, dice.below(longestThoughtMs));
      const status = await this.#try(intent, { number, read }, dice);
      const again = status === 409 || (status === 403 && dice.chance(0.3));
      if (!again) return;
    }
  }

  /** The watch cache of an API server stands still for a moment, and writes begin with something stale (K2). */
  #lag(server: number, ms: number): void {
    const { cluster, clock } = this.#options;
    const lagging = cluster.server({ server });
    lagging.hold();
    void pause(clock, ms).then(() => lagging.catchUp());
  }

  /** The API server's answer. */
  async #try(
    intent: Intent,
    { number, read }: { readonly number: number; readonly read: ReturnType<SimulatedCluster["store"]["get"]> },
    dice: Dice,
  ): Promise<number> {
    const { cluster, truth } = this.#options;
    const run = write(cluster, requestOf(intent, read));
    let step = run.next();
    while (step.done !== true) {
      const attempt = step.value;
      const answer = await this.#ask(attempt, dice.fork());
      const before = truth.writes.length;
      step = run.next(answer);
      this.asked.push({ request: number, attempt, write: truth.writes[before] ?? null });
    }
    return step.value.status;
  }

  async #ask(attempt: Attempt, dice: Dice): Promise<ReviewAnswer> {
    const { clock, load } = this.#options;
    const body = Buffer.from(reviewOf(attempt));
    const takesMs = quickestReviewMs + dice.below(slowestReviewMs - quickestReviewMs);
    const fate = dice.next();
    const doubleMs = dice.below(latestMs);
    if (load.conditions === "faulty" && !this.#calm) {
      if (fate < lostReviews) return this.#silence();
      if (fate < lostReviews + lateReviews) {
        void this.#deliver(body, webhookTimeoutMs + doubleMs);
        return this.#silence();
      }
      if (fate < lostReviews + lateReviews + doubledReviews) void this.#deliver(body, doubleMs);
    }
    const [answer] = await Promise.all([this.#deliver(body, 1), pause(clock, takesMs)]);
    return answer;
  }

  async #silence(): Promise<ReviewAnswer> {
    await pause(this.#options.clock, webhookTimeoutMs);
    return unanswered;
  }

  /** One that is not answered in time holds up nobody. */
  async #deliver(body: Uint8Array, delayMs: number): Promise<ReviewAnswer> {
    const { clock, review } = this.#options;
    await pause(clock, delayMs);
    const answer = review(body);
    if (answer === null) return unanswered;
    return Promise.race([answer.then(() => allowed), pause(clock, quickestReviewMs - 2).then(() => unanswered)]);
  }
}
