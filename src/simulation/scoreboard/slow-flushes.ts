/** The way to Git, at Git's pace: so that changes wait for it, and the length of the queue means something. */

import type { FlushResult } from "../../../actors/ports.ts";
import type { FlushCall } from "../calls.ts";
import { pause } from "../process-ports.ts";
import { Road } from "../road.ts";
import type { SimulatedClock } from "../simulated-clock.ts";

/** Some syncs of a network volume. */
const flushMs = 25;
/** As measured: docs/benchmarks/README.md. */
const commitMs = 1.2;

export class SlowFlushes extends Road<FlushCall, FlushResult> {
  readonly #clock: SimulatedClock;

  constructor(clock: SimulatedClock) {
    super();
    this.#clock = clock;
  }

  override async pass(call: FlushCall, go: (call: FlushCall) => Promise<FlushResult>): Promise<FlushResult> {
    await pause(this.#clock, flushMs + call.request.entries.length * commitMs);
    return super.pass(call, go);
  }
}
