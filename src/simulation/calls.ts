/** The calls that faults can lie in wait for. */

import type { FlushRequest } from "../../actors/ports.ts";
import type { Attempt } from "../simulator/review.ts";

/** Of the API server by kubescribe. */
export interface ApiCall {
  readonly url: URL;
  readonly signal: AbortSignal;
}

/** Of the commit pool by the main thread. */
export interface FlushCall {
  readonly targetId: string;
  readonly request: FlushRequest;
}

/** Of the webhook by the API server. */
export interface Review {
  readonly request: ReviewRequest;
  /** As the API server sent it. */
  readonly sent: ReviewRequest;
  readonly attempt: Attempt;
  /** Before it arrives. */
  readonly delayMs: number;
}

/** As the server reads it off a connection. */
export interface ReviewRequest {
  readonly method: string;
  readonly url: string;
  readonly body: Uint8Array;
}

export interface ReviewResponse {
  readonly status: 200 | 400 | 404;
  readonly body: string;
}

/** Null: no answer. */
export type ReviewOutcome = ReviewResponse | null;
