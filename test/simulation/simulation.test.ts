/** The whole engine in memory. `npm run simulate -- --help` plays more of it. */

import { describe, expect, test } from "vitest";

import { replayCommand } from "../../src/commands/replay.ts";
import { catalogue } from "../../src/simulation/faults/catalogue.ts";
import type { Job } from "../../src/simulation/job.ts";
import { usualRates } from "../../src/simulation/job.ts";
import { play } from "../../src/simulation/play.ts";
import { stockGit } from "../../src/composition/node-stock-git.ts";
import type { GitReader } from "../../src/simulation/checkers/git-reader.ts";
import { touchedBy } from "./machine-watch.ts";

/** The git binary is outside: what is read with it comes after the run. */
const blindGit: GitReader = { read: () => Promise.resolve([]) };
const all = catalogue.map(({ name }) => name);

function jobOf(seed: number, changes: number, more: Partial<Job> = {}): Job {
  const design = { attribution: "exact", ingestion: "correlate" } as const;
  return { ...design, faults: null, rates: usualRates, only: null, traced: false, seed, changes, ...more };
}

async function brokenOf(job: Job): Promise<readonly string[]> {
  const { broken } = await play(job, stockGit);
  return broken.map((line) => `${line}; again: ${replayCommand(job)}`);
}

describe("the whole engine, in memory", () => {
  test.each([1, 2, 4, 5, 6, 7])("keeps its promises on seed %i", async (seed) => {
    expect(await brokenOf(jobOf(seed, 100))).toEqual([]);
  });

  test("asks the machine for nothing: no time, no chance, no timer, no file, no socket, no thread", async () => {
    expect(await touchedBy(() => play(jobOf(5, 150, { faults: all }), blindGit))).toEqual([]);
  });

  test("plays a seed twice with the same events and the same end", async () => {
    const job = jobOf(5, 150, { faults: all, traced: true });
    const [first, second] = [await play(job, stockGit), await play(job, stockGit)];
    expect(second).toEqual(first);
    expect(first.events).toMatch(/^[0-9a-f]{8}$/);
  });
});
