/** A meter and a log that remember. */

import type { Log, Meter } from "../../actors/ports.ts";

export interface Recorder {
  readonly meter: Meter;
  readonly log: Log;
  /** What was counted under `name`, `name{label value}` for labelled ones. */
  counted(name: string): number;
  /** What a gauge would say now. */
  gauged(name: string): number;
  readonly recorded: readonly string[];
  readonly lines: readonly string[];
}

export function createRecorder(): Recorder {
  const counts = new Map<string, number>();
  const gauges = new Map<string, () => number>();
  const recorded: string[] = [];
  const lines: string[] = [];
  const write = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  return {
    meter: {
      count(name, labels = {}, by = 1) {
        const values = Object.values(labels);
        const key = values.length === 0 ? name : `${name}{${values.join(",")}}`;
        counts.set(key, (counts.get(key) ?? 0) + by);
      },
      record: (name) => void recorded.push(name),
      gauge: (name, read) => void gauges.set(name, read),
    },
    log: { debug: write, info: write, warn: write, error: write },
    counted: (name) => counts.get(name) ?? 0,
    gauged: (name) => gauges.get(name)?.() ?? Number.NaN,
    recorded,
    lines,
  };
}
