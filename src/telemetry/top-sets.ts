/**
 * The label sets of a counter whose labels have more values than a metric may show: those that count most, and `other`.
 *
 * Owns the sets that are shown, each with its weight, and the weights of those that wait for a place.
 * 1. At most `capacity` sets and `other`; at most `waitingCapacity` wait, and the one that was silent longest is forgotten first.
 * 2. A weight is a count that is halved every `halvedEvery` counts: what matters is who is busy of late.
 * 3. Whoever weighs twice as much as the lightest that is shown takes its place. The count of one that leaves is gone from the
 *    metric, and should it come back it begins at 0: to Prometheus a counter that was restarted.
 */

import type { Labels } from "../../actors/ports.ts";
import { type BoundedSets, cleanLabels, keyOf, type LabelSet, otherLabels } from "./label-sets.ts";

interface Shown<Instrument> extends LabelSet<Instrument> {
  weight: number;
}

const waitingCapacity = 1000;
const halvedEvery = 10_000;

export class TopSets<Instrument> implements BoundedSets<Instrument> {
  readonly #capacity: number;
  readonly #create: () => Instrument;
  readonly #shown = new Map<string, Shown<Instrument>>();
  readonly #waiting = new Map<string, number>();
  #other: LabelSet<Instrument> | null = null;
  #counts = 0;
  /** No set that is shown is lighter: most of those that wait need not be compared. */
  #floor = 0;

  constructor(capacity: number, create: () => Instrument) {
    this.#capacity = capacity;
    this.#create = create;
  }

  /** Counts as one for whoever is asked for. */
  get(labels: Labels): LabelSet<Instrument> {
    this.#age();
    const known = this.#shown.get(keyOf(labels));
    if (known !== undefined) return heavier(known);
    const cleaned = cleanLabels(labels);
    const key = keyOf(cleaned);
    // Whoever is called `other` is one of them.
    if (key === keyOf(otherLabels(labels))) return this.#others(labels);
    const shown = this.#shown.get(key);
    if (shown !== undefined) return heavier(shown);
    if (this.#shown.size < this.#capacity) return this.#show(key, cleaned, 1);
    const weight = (this.#waiting.get(key) ?? 0) + 1;
    const lightest = weight < 2 * this.#floor ? null : this.#lightest();
    if (lightest === null || weight < 2 * this.#floor) {
      this.#wait(key, weight);
      return this.#others(labels);
    }
    this.#shown.delete(lightest);
    this.#waiting.delete(key);
    return this.#show(key, cleaned, weight);
  }

  get size(): number {
    return this.#shown.size + (this.#other === null ? 0 : 1);
  }

  *values(): Iterable<LabelSet<Instrument>> {
    yield* this.#shown.values();
    if (this.#other !== null) yield this.#other;
  }

  #show(key: string, labels: Labels, weight: number): LabelSet<Instrument> {
    const set = { labels: Object.freeze(labels), instrument: this.#create(), weight };
    this.#shown.set(key, set);
    return set;
  }

  #others(labels: Labels): LabelSet<Instrument> {
    this.#other ??= { labels: Object.freeze(otherLabels(labels)), instrument: this.#create() };
    return this.#other;
  }

  #wait(key: string, weight: number): void {
    this.#waiting.delete(key);
    this.#waiting.set(key, weight);
    if (this.#waiting.size <= waitingCapacity) return;
    const [longest] = this.#waiting.keys();
    if (longest !== undefined) this.#waiting.delete(longest);
  }

  /** Raises the floor to it. */
  #lightest(): string {
    let lightest = "";
    this.#floor = Number.POSITIVE_INFINITY;
    for (const [key, { weight }] of this.#shown) {
      if (weight >= this.#floor) continue;
      lightest = key;
      this.#floor = weight;
    }
    return lightest;
  }

  #age(): void {
    this.#counts += 1;
    if (this.#counts % halvedEvery !== 0) return;
    this.#floor /= 2;
    for (const set of this.#shown.values()) set.weight /= 2;
    for (const [key, weight] of this.#waiting) {
      if (weight < 1) this.#waiting.delete(key);
      else this.#waiting.set(key, weight / 2);
    }
  }
}

function heavier<Instrument>(shown: Shown<Instrument>): LabelSet<Instrument> {
  shown.weight += 1;
  return shown;
}
