/** The API server's calls of the webhook: how long each may take, and what becomes of it. */

import type { ReviewAnswer } from "../simulator/cluster.ts";
import type { Attempt } from "../simulator/review.ts";
import { reviewOf } from "../simulator/review.ts";
import type { Review, ReviewOutcome, ReviewRequest, ReviewResponse } from "./calls.ts";
import type { Dice } from "./dice.ts";
import type { ReviewRecord } from "./checkers/reviews.ts";
import { pause } from "./process-ports.ts";
import type { Road } from "./road.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface ReviewsOptions {
  readonly clock: SimulatedClock;
  /** Who was asked about what. */
  readonly record: ReviewRecord;
  readonly road: Road<Review, ReviewOutcome>;
  /** Null: nobody listens. */
  readonly receive: (request: ReviewRequest) => Promise<ReviewResponse> | null;
  readonly broken: (line: string) => void;
}

export const webhookTimeoutMs = 3_000;
const admissionPath = "/correlate";
const unanswered: ReviewAnswer = { answered: false, allowed: true, message: "" };
const quickMs = 6;
const slowAnswers = 0.02;
const slowestAnswerMs = 1_000;

export class Reviews {
  readonly #options: ReviewsOptions;

  constructor(options: ReviewsOptions) {
    this.#options = options;
  }

  async ask(attempt: Attempt, dice: Dice): Promise<ReviewAnswer> {
    const { road, clock } = this.#options;
    const request = { method: "POST", url: `${admissionPath}?timeout=3s`, body: Buffer.from(reviewOf(attempt)) };
    const review = { request, sent: request, attempt, delayMs: dice.below(quickMs) };
    const outcome = road.pass(review, (passing) => this.#deliver(passing));
    const first = await this.#inTime(outcome);
    await pause(clock, dice.below(dice.chance(slowAnswers) ? slowestAnswerMs : quickMs));
    return first === null ? unanswered : this.#answerOf(first, attempt);
  }

  async #inTime(outcome: Promise<ReviewOutcome>): Promise<ReviewOutcome> {
    const { promise, resolve } = Promise.withResolvers<ReviewOutcome>();
    using _timer = this.#options.clock.after(webhookTimeoutMs, () => resolve(null));
    void outcome.then(resolve);
    return await promise;
  }

  async #deliver({ request, sent, attempt, delayMs }: Review): Promise<ReviewOutcome> {
    const { clock, record, receive } = this.#options;
    await pause(clock, delayMs);
    const response = receive(request);
    // Whatever becomes of the answer. What others made of it is none of his.
    if (response !== null && request === sent)
      record.took(attempt, { atMs: clock.monotonicMs(), wallMs: clock.nowMs() });
    return await response;
  }

  #answerOf({ status, body }: ReviewResponse, attempt: Attempt): ReviewAnswer {
    if (status !== 200) return unanswered;
    const { response } = JSON.parse(body) as {
      readonly response: { readonly uid: string; readonly allowed: boolean };
    };
    if (!response.allowed || response.uid !== attempt.reviewUid)
      this.#options.broken(`a review was answered by ${JSON.stringify(response)}`);
    return { answered: true, allowed: response.allowed, message: "" };
  }
}
