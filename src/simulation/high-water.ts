/** A meter that remembers how high each gauge was whenever it was looked at. */

import type { Labels, Meter } from "../../actors/ports.ts";

export class HighWaterMeter implements Meter {
  readonly #gauges = new Map<string, Gauge>();
  readonly #highest = new Map<string, number>();

  count(): void {}

  record(): void {}

  /** The next process's takes the place of the last one's. */
  gauge(name: string, read: () => number, labels: Labels = {}): void {
    this.#gauges.set(`${name} ${JSON.stringify(labels)}`, { name, labels: Object.values(labels), read });
  }

  look(): void {
    for (const { name, read } of this.#gauges.values())
      this.#highest.set(name, Math.max(this.#highest.get(name) ?? 0, read()));
  }

  /** As they stand now, of all labels that are not excepted. */
  now(name: string, except = ""): number {
    let sum = 0;
    for (const gauge of this.#gauges.values())
      if (gauge.name === name && (except === "" || !gauge.labels.includes(except))) sum += gauge.read();
    return sum;
  }

  /** By the gauge's name, over all of its labels; 0 where there is none. */
  highest(name: string): number {
    return this.#highest.get(name) ?? 0;
  }
}

interface Gauge {
  readonly name: string;
  readonly labels: readonly string[];
  readonly read: () => number;
}
