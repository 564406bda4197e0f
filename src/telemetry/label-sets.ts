/**
 * The label sets of one metric. Owns one frozen object per set, so that a count does not make one.
 *
 * 1. At most `capacity` sets; whatever comes later is counted under the value `other` for every label.
 * 2. A value is at most 128 characters and holds no control characters. Sets that are equal then are one set.
 */

import type { Labels } from "../../actors/ports.ts";

export const labelSetCapacity = 500;
const valueLimit = 128;

export interface LabelSet<Instrument> {
  readonly labels: Labels;
  readonly instrument: Instrument;
}

/** What a metric asks of its label sets; `TopSets` has another bound. */
export interface BoundedSets<Instrument> {
  get(labels: Labels): LabelSet<Instrument>;
  readonly size: number;
  values(): Iterable<LabelSet<Instrument>>;
}

export class LabelSets<Instrument> implements BoundedSets<Instrument> {
  readonly #sets = new Map<string, LabelSet<Instrument>>();
  readonly #create: () => Instrument;
  readonly #onDropped: () => void;

  constructor(create: () => Instrument, onDropped: () => void) {
    this.#create = create;
    this.#onDropped = onDropped;
  }

  get(labels: Labels): LabelSet<Instrument> {
    const known = this.#sets.get(keyOf(labels));
    if (known !== undefined) return known;
    const cleaned = cleanLabels(labels);
    const key = keyOf(cleaned);
    const shown = this.#sets.get(key);
    if (shown !== undefined) return shown;
    if (this.#sets.size < labelSetCapacity) return this.#add(key, cleaned);
    this.#onDropped();
    const others = otherLabels(labels);
    const otherKey = keyOf(others);
    return this.#sets.get(otherKey) ?? this.#add(otherKey, others);
  }

  get size(): number {
    return this.#sets.size;
  }

  values(): Iterable<LabelSet<Instrument>> {
    return this.#sets.values();
  }

  #add(key: string, labels: Labels): LabelSet<Instrument> {
    const set = { labels: Object.freeze(labels), instrument: this.#create() };
    this.#sets.set(key, set);
    return set;
  }
}

export function keyOf(labels: Labels): string {
  let key = "";
  for (const name in labels) key += `${name}\0${labels[name] ?? ""}\0`;
  return key;
}

export function otherLabels(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((name) => [name, "other"]));
}

export function cleanLabels(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => {
      return [
        name,
        value
          .slice(0, valueLimit)
          .toWellFormed()
          .replaceAll(/\p{Cc}/gu, "?"),
      ];
    }),
  );
}
