/** What the long proof plays: the same parts, larger or smaller, and each with seeds of its own. */

import { catalogue } from "../../src/simulation/faults/catalogue.ts";
import type { FaultRates, Job } from "../../src/simulation/job.ts";

export interface Part {
  readonly name: string;
  readonly about: string;
  readonly faults: Job["faults"];
  readonly rates: FaultRates;
  /** Of all changes. */
  readonly share: number;
  /** Changes of one run. */
  readonly runChanges: number;
}

export interface PartJob extends Job {
  readonly part: Part;
}

const all = catalogue.map(({ name }) => name);
/** Under tiny bounds most is forgotten, and so proves little. Packs that a loss of power took from the list are never joined: the longer, the slower. */
const hardships: readonly string[] = ["tight-bounds", "short-ttl", "power-losses"];

/** Runs long enough that what is rare comes about, and short enough that what stood at the beginning is not long forgotten. */
export const parts: readonly Part[] = [
  {
    name: "long",
    about: "one history, every fault now and then, bounds and durability as usual",
    faults: all.filter((name) => !hardships.includes(name)),
    rates: { every: 1000, weights: {} },
    share: 0.12,
    runChanges: 200_000,
  },
  {
    name: "seldom",
    about: "faults drawn by each seed, and time between them",
    faults: null,
    rates: { every: 400, weights: {} },
    share: 0.4,
    runChanges: 10_000,
  },
  {
    name: "often",
    about: "the same, one upon the other",
    faults: null,
    rates: { every: 60, weights: {} },
    share: 0.32,
    runChanges: 10_000,
  },
  {
    name: "all",
    about: "all faults at once, tiny bounds among them",
    faults: all,
    rates: { every: 60, weights: {} },
    share: 0.16,
    runChanges: 10_000,
  },
];

export interface Extent {
  readonly changes: number;
  readonly firstSeed: number;
  /** Of each run, at most. */
  readonly runChanges?: number;
}

/** The longest run first: whoever waits for the end waits for it. */
export function jobsOf({ changes, firstSeed, runChanges = Infinity }: Extent): readonly PartJob[] {
  let seed = firstSeed;
  return parts.flatMap((part) => {
    const wanted = Math.round(changes * part.share);
    const runs = Math.max(1, Math.ceil(wanted / Math.min(part.runChanges, runChanges)));
    return Array.from({ length: runs }, (): PartJob => {
      const { faults, rates } = part;
      const size = Math.ceil(wanted / runs);
      const design = { attribution: "exact", ingestion: "correlate" } as const;
      return { part, ...design, seed: seed++, changes: size, faults, rates, only: null, traced: false };
    });
  });
}
