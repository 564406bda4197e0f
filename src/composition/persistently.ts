/** What has to succeed before anything can begin, and may fail for a while: an API server that is not up yet. */
import type { Clock, Log, Random } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { faultOf } from "../../machines/watch-fault.ts";
import { delayOf, waitFor } from "../../machines/watch-plan.ts";

export interface Patience {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told of each failure that is waited for. */
  readonly failed?: (error: KubescribeError) => void;
}

/** Tries again after what time may mend, as a watch would; throws everything else, and what it waited for when aborted. */
export async function persistently<Value>(task: () => Promise<Value>, patience: Patience): Promise<Value> {
  const { clock, random, log, signal, failed } = patience;
  for (let failures = 1; ; failures += 1) {
    try {
      return await task();
    } catch (error) {
      if (signal.aborted || !(error instanceof KubescribeError) || error.retry === "never") throw error;
      log.warn(error.message, { code: error.code, attempt: failures });
      failed?.(error);
    }
    await pause(delayOf(waitFor(faultOf("unavailable"), failures), random()), clock, signal);
  }
}

/** Ends early when aborted. */
export async function pause(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _timer = clock.after(delayMs, resolve);
  const abort = (): void => resolve();
  signal.addEventListener("abort", abort, { once: true });
  await promise;
  signal.removeEventListener("abort", abort);
}
