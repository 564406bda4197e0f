/**
 * One review from its bytes to its answer, without sockets. It owns nothing.
 *
 * R1 A correlation is with the sink before the review is answered, and in the journal unless that fails.
 * R2 Whatever fails here, a review of the API server is allowed: the fault is counted by its kind.
 * R3 Only what is no review at all is refused: `handleReview` throws a KubescribeError with `retry: "never"`.
 */

import type { Clock, CorrelationJournal, Log, Meter } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Correlation } from "../../machines/messages.ts";
import type { ScannedReview } from "./review-scan.ts";
import { scanReview } from "./review-scan.ts";

export interface ReviewHandlerOptions {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
  readonly journal: CorrelationJournal;
  /** The number of the next correlation: see Correlation.arrival. */
  readonly nextArrival: () => number;
  /** Keys of userInfo.extra that the author mappings ask for. */
  readonly claimKeys: readonly string[];
  /**
   * Takes a correlation, at once and without waiting. `object` is a view of the request's body, null where there is none: copy
   * what is to be kept, or the whole body stays in memory.
   */
  readonly correlate: (correlation: Correlation, object: Uint8Array | null) => void;
  /** Told of each correlation whose answer is ready, and how long that took; must not throw. */
  readonly answered?: (correlation: Correlation, tookMs: number) => void;
}

/** From the body of a request to that of its answer. */
export type HandleReview = (body: Uint8Array) => Promise<string>;

export function createReviewHandler(options: ReviewHandlerOptions): HandleReview {
  const { clock, meter, answered } = options;
  return async (body) => {
    const begin = clock.monotonicMs();
    meter.count("webhook_requests");
    const review = scan(body, options);
    let correlation: Correlation | null = null;
    if (review.outcome.kind === "ignored") meter.count("webhook_ignored", { reason: review.outcome.reason });
    else {
      correlation = correlate(body, review.outcome, options);
      if (correlation !== null) await keep(correlation, options);
    }
    const answer = answerTo(review);
    if (correlation !== null) answered?.(correlation, clock.monotonicMs() - begin);
    meter.record("webhook_duration_seconds", (clock.monotonicMs() - begin) / 1000);
    return answer;
  };
}

function scan(
  body: Uint8Array,
  options: ReviewHandlerOptions,
): Pick<ScannedReview, "requestUid" | "apiVersion" | "kind" | "outcome"> {
  try {
    return scanReview(body, options.claimKeys);
  } catch (error) {
    if (error instanceof KubescribeError) {
      options.meter.count("webhook_rejected", { reason: error.code });
      throw error;
    }
    options.meter.count("webhook_faults", { kind: "scan" });
    options.log.error("A review could not be scanned: a bug. It is allowed, its author will be missing.", {
      error: nameOf(error),
    });
    return rescue(body);
  }
}

/** For the case that the scan has a bug: a plain parse knows at least whom to answer. */
function rescue(body: Uint8Array): ScannedReview {
  const review = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()) as {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly request?: { readonly uid?: string };
  };
  return {
    requestUid: String(review.request?.uid),
    apiVersion: String(review.apiVersion),
    kind: String(review.kind),
    outcome: { kind: "ignored", reason: "unidentified" },
  };
}

type Recorded = Extract<ScannedReview["outcome"], { readonly kind: "recorded" }>;

/** Null: there is none to be kept. */
function correlate(body: Uint8Array, outcome: Recorded, options: ReviewHandlerOptions): Correlation | null {
  const { clock, meter, log } = options;
  let correlation: Correlation | null = null;
  try {
    const { draft, object, shortened } = outcome;
    for (const field of shortened) meter.count("webhook_shortened", { field });
    correlation = { arrival: options.nextArrival(), atMs: clock.nowMs(), ...draft, restored: false };
    options.correlate(correlation, object === null ? null : body.subarray(object.start, object.end));
    meter.count("webhook_correlations");
  } catch (error) {
    meter.count("webhook_faults", { kind: "correlate" });
    log.error("A correlation was not taken; its author may be missing.", { error: nameOf(error) });
  }
  return correlation;
}

async function keep(correlation: Correlation, { journal, meter, log }: ReviewHandlerOptions): Promise<void> {
  try {
    await journal.append(correlation);
  } catch (error) {
    meter.count("journal_errors", { kind: nameOf(error) });
    log.warn(
      "A correlation is not in the journal; after a crash its author would be missing. Is the disk of the data directory full?",
      { error: nameOf(error) },
    );
  }
}

/** Texts of errors may quote what a user wrote: only codes and names leave here. */
function nameOf(error: unknown): string {
  if (error instanceof Error) return "code" in error && typeof error.code === "string" ? error.code : error.name;
  return typeof error;
}

function answerTo(review: Pick<ScannedReview, "requestUid" | "apiVersion" | "kind">): string {
  const { kind, apiVersion, requestUid } = review;
  return JSON.stringify({ kind, apiVersion, response: { uid: requestUid, allowed: true } });
}
