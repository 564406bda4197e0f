/** What several users at once asked of a real control plane, and what was seen of it. */

import type { StormKind } from "../storm/kinds.ts";
import type { HttpRequest } from "./operation.ts";
import type { RecordedReview } from "./recording-webhook.ts";

export interface TracedRequest {
  readonly number: number;
  readonly action: string;
  readonly user: string;
  readonly request: HttpRequest;
  readonly status: number;
  /** metadata.resourceVersion of the answer; empty where it has none. */
  readonly version: string;
  /** In the order of their arrival: a user has one request at a time, so its reviews are those of that time. */
  readonly reviews: readonly RecordedReview[];
}

export interface TracedEvent {
  readonly kind: "ADDED" | "MODIFIED" | "DELETED";
  readonly type: StormKind;
  /** As the watch showed it. */
  readonly frame: string;
  readonly name: string;
  readonly uid: string;
  readonly version: string;
  /** Wall clock. */
  readonly seenAtMs: number;
}

export interface Trace {
  readonly requests: readonly TracedRequest[];
  /** In watch order, type after type. */
  readonly events: readonly TracedEvent[];
}
