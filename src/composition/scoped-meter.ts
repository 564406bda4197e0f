/**
 * A meter for what ends before the process does: its gauges read 0 from then on, and hold nothing of it any more. Counters and histograms
 * go on.
 */
import type { Labels, Meter } from "../../actors/ports.ts";

export class ScopedMeter implements Meter, Disposable {
  readonly #meter: Meter;
  readonly #gauges: (readonly [name: string, labels: Labels | undefined])[] = [];

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  count(name: string, labels?: Labels, by?: number): void {
    this.#meter.count(name, labels, by);
  }

  record(name: string, value: number, labels?: Labels): void {
    this.#meter.record(name, value, labels);
  }

  gauge(name: string, read: () => number, labels?: Labels): void {
    this.#gauges.push([name, labels]);
    this.#meter.gauge(name, read, labels);
  }

  [Symbol.dispose](): void {
    for (const [name, labels] of this.#gauges.splice(0)) this.#meter.gauge(name, zero, labels);
  }
}

function zero(): number {
  return 0;
}
