/** A meter that remembers how high each gauge was whenever it was looked at. */

import type { Labels, Meter } from "../../actors/ports.ts";

export class HighWaterMeter implements Meter {
  readonly #gauges = new Map<string, Gauge>();

  count(): void {}

  record(): void {}

  /** The next process's takes the place of the last one's. */
  gauge(name: string, read: () => number, labels: Labels = {}): void {
    const key = `${name} ${JSON.stringify(labels)}`;
    const highest = this.#gauges.get(key)?.highest ?? 0;
    this.#gauges.set(key, { name, labels: Object.values(labels), read, highest });
  }

  look(): void {
    for (const gauge of this.#gauges.values()) gauge.highest = Math.max(gauge.highest, valueOf(gauge));
  }

  /** As they stand now, of all labels that are not excepted. */
  now(name: string, except = ""): number {
    let sum = 0;
    for (const gauge of this.#gauges.values())
      if (gauge.name === name && (except === "" || !gauge.labels.includes(except))) sum += valueOf(gauge);
    return sum;
  }

  /** By the gauge's name, over all of its labels; 0 where there is none. */
  highest(name: string): number {
    let highest = 0;
    for (const gauge of this.#gauges.values()) if (gauge.name === name) highest = Math.max(highest, gauge.highest);
    return highest;
  }
}

interface Gauge {
  readonly name: string;
  readonly labels: readonly string[];
  readonly read: () => number;
  /** Whenever it was looked at. */
  highest: number;
}

/** Of one that has ended nothing is told. */
function valueOf({ read }: Gauge): number {
  const value = read();
  return Number.isNaN(value) ? 0 : value;
}
