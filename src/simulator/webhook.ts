/**
 * The API server as a webhook client: HTTPS with keep-alive, a timeout, failurePolicy Ignore (K19, K21).
 *
 * Owns its connections. A review that gets no proper answer in time counts as not answered, and the write goes on.
 */

import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { Clock } from "../../actors/ports.ts";
import type { ReviewAnswer } from "./cluster.ts";
import { objectAt, parseJson, stringAt } from "./json.ts";
import type { Attempt } from "./review.ts";
import { reviewOf } from "./review.ts";

export interface WebhookOptions {
  readonly url: string;
  readonly caBundlePem: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Which writes its rules name. */
  readonly matches?: (attempt: Attempt) => boolean;
}

const IDLE_CONNECTIONS = 25;
const RESPONSE_LIMIT_BYTES = 1 << 20;
const UNANSWERED: ReviewAnswer = { answered: false, allowed: true, message: "" };

export class Webhook implements Disposable {
  readonly #options: WebhookOptions;
  readonly #agent: Agent;
  #reachable = true;
  #failures = 0;
  #answers = 0;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, ca: options.caBundlePem });
  }

  /** Reviews that were wanted and not answered. */
  get failures(): number {
    return this.#failures;
  }

  get answers(): number {
    return this.#answers;
  }

  /** False plays a network that is cut: nothing is sent. */
  setReachable(reachable: boolean): void {
    this.#reachable = reachable;
  }

  async ask(attempt: Attempt): Promise<ReviewAnswer> {
    if (this.#options.matches?.(attempt) === false) return UNANSWERED;
    try {
      if (!this.#reachable) throw new Error("the webhook is played to be unreachable");
      const answer = answerOf(await this.#post(reviewOf(attempt)), attempt);
      this.#answers += 1;
      return answer;
    } catch {
      this.#failures += 1;
      return UNANSWERED;
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #post(body: string): Promise<string> {
    const bytes = Buffer.from(body);
    return new Promise((resolve, reject) => {
      const headers = {
        "content-type": "application/json",
        accept: "application/json, */*",
        "content-length": bytes.length,
      };
      const { timeoutMs, clock } = this.#options;
      const url = `${this.#options.url}?timeout=${Math.ceil(timeoutMs / 1000)}s`;
      const outgoing = request(url, { method: "POST", agent: this.#agent, headers }, (response) => {
        readAll(response)
          .finally(() => timer[Symbol.dispose]())
          .then(resolve, reject);
      });
      const timer = clock.after(timeoutMs, () => {
        outgoing.destroy(new Error(`the webhook did not answer within ${timeoutMs} ms`));
      });
      outgoing.on("error", (error) => {
        timer[Symbol.dispose]();
        reject(error);
      });
      outgoing.end(bytes);
    });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > RESPONSE_LIMIT_BYTES)
      throw new Error(`the webhook's answer is longer than ${RESPONSE_LIMIT_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (response.statusCode !== 200) throw new Error(`the webhook answered ${response.statusCode ?? 0}`);
  return Buffer.concat(chunks).toString();
}

/** Throws where the answer does not echo the review, as the API server does (K21). */
function answerOf(text: string, attempt: Attempt): ReviewAnswer {
  const review = parseJson(text);
  const response = objectAt(review, "response");
  if (stringAt(review, "kind") !== "AdmissionReview" || stringAt(review, "apiVersion") !== "admission.k8s.io/v1") {
    throw new Error("the webhook's answer is no AdmissionReview of admission.k8s.io/v1");
  }
  if (stringAt(response, "uid") !== attempt.reviewUid) throw new Error("the webhook's answer has another uid");
  const message = stringAt(objectAt(response, "status"), "message");
  return { answered: true, allowed: response["allowed"] === true, message: message || "denied by the webhook" };
}
