/**
 * Sends metrics and spans to an OTLP endpoint. Owns the spans that were not sent yet, one exchange at a time, and the timer.
 *
 * 1. Nobody waits for it, and nothing fails because of it: an endpoint that is away is told of once, and again when it is back.
 * 2. Spans wait for it within a bound; beyond that the oldest go, counted. Metrics are sums: the next export has them all.
 * 3. What can be sent at the end is sent, for `lastPatienceMs` at the most.
 */

import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { Clock, Log, Meter, Timer } from "../../actors/ports.ts";
import type { ChangeSpan } from "./change-traces.ts";
import type { Post } from "./otlp-post.ts";

export interface OtlpExportOptions {
  readonly clock: Clock;
  readonly meter: Pick<Meter, "count">;
  readonly log: Log;
  /** For the log. */
  readonly endpoint: string;
  readonly postMetrics: Post;
  readonly postTraces: Post;
  readonly collect: () => Promise<ResourceMetrics>;
  readonly encode: {
    metrics(collected: ResourceMetrics): Uint8Array;
    spans(spans: readonly ChangeSpan[]): Uint8Array;
  };
}

type Signal = "metrics" | "traces";
/** `later`: it may be taken when it is sent again. */
type Outcome = "sent" | "later" | "refused";

const intervalMs = 10_000;
const patienceMs = 10_000;
const lastPatienceMs = 3000;
const batchSpans = 512;
const spanCapacity = 10_000;
/** As the protocol has it: everything else is refused for good. */
const passing = new Set([429, 502, 503, 504]);

export class OtlpExport implements AsyncDisposable {
  readonly #options: OtlpExportOptions;
  #spans: ChangeSpan[] = [];
  #timer: Timer;
  #exchange: Promise<void> | null = null;
  #current = new AbortController();
  readonly #failing = new Set<Signal>();
  #closed = false;
  /** The last patience is over, too. */
  #givenUp = false;

  constructor(options: OtlpExportOptions) {
    this.#options = options;
    this.#timer = this.#arm();
  }

  /** Never waits. */
  take(spans: readonly ChangeSpan[]): void {
    this.#spans.push(...spans);
    this.#dropOldest();
    if (this.#spans.length >= batchSpans && !this.#failing.has("traces")) this.#begin(() => this.#sendSpans());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer[Symbol.dispose]();
    using _impatience = this.#options.clock.after(lastPatienceMs, () => {
      this.#givenUp = true;
      this.#current.abort();
    });
    await this.#exchange;
    if (!this.#givenUp) await this.#sendAll();
  }

  #arm(): Timer {
    return this.#options.clock.after(intervalMs, () => {
      this.#begin(() => this.#sendAll());
      this.#timer = this.#arm();
    });
  }

  /** What comes while something is sent is sent with the next one. */
  #begin(send: () => Promise<void>): void {
    if (this.#exchange !== null || this.#closed) return;
    this.#exchange = send().finally(() => (this.#exchange = null));
  }

  async #sendAll(): Promise<void> {
    const { encode, collect, postMetrics } = this.#options;
    await this.#send("metrics", async (impatience) => postMetrics(encode.metrics(await collect()), impatience));
    await this.#sendSpans();
  }

  async #sendSpans(): Promise<void> {
    const { encode, postTraces } = this.#options;
    while (this.#spans.length > 0 && !this.#givenUp) {
      const batch = this.#spans.splice(0, batchSpans);
      const outcome = await this.#send("traces", (impatience) => postTraces(encode.spans(batch), impatience));
      if (outcome === "sent") continue;
      if (outcome === "refused") this.#dropped(batch.length);
      else this.#spans.unshift(...batch);
      this.#dropOldest();
      return;
    }
  }

  /** Never rejects. */
  async #send(signal: Signal, post: (impatience: AbortSignal) => Promise<number>): Promise<Outcome> {
    const current = new AbortController();
    this.#current = current;
    using _impatience = this.#options.clock.after(patienceMs, () => current.abort());
    let outcome: Outcome;
    let found: string;
    try {
      const status = await post(current.signal);
      outcome = status >= 200 && status < 300 ? "sent" : passing.has(status) ? "later" : "refused";
      found = `status ${status}`;
    } catch (error) {
      outcome = "later";
      found = current.signal.aborted ? `no answer within ${patienceMs} ms` : messageOf(error);
    }
    this.#options.meter.count("otlp_exports", { signal, outcome });
    this.#tell(signal, outcome === "sent" ? null : found);
    return outcome;
  }

  #tell(signal: Signal, fault: string | null): void {
    const { log, endpoint } = this.#options;
    if (fault === null) {
      if (this.#failing.delete(signal)) log.info("The OTLP endpoint takes what is sent again.", { signal, endpoint });
    } else if (!this.#failing.has(signal)) {
      this.#failing.add(signal);
      const advice = "Is it an OTLP receiver over HTTP, such as a collector's port 4318? It is tried again.";
      log.warn(`The OTLP endpoint did not take what was sent: expected status 200. ${advice}`, {
        signal,
        endpoint,
        found: fault,
      });
    }
  }

  #dropOldest(): void {
    const over = this.#spans.length - spanCapacity;
    if (over <= 0) return;
    this.#spans.splice(0, over);
    this.#dropped(over);
  }

  #dropped(spans: number): void {
    this.#options.meter.count("otlp_spans_dropped", {}, spans);
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return error.message === "" && "code" in error ? String(error.code) : error.message;
}
