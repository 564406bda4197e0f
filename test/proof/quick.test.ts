/** The proof in small: 20,000 changes over many seeds. `npm run proof` plays a million. */

import { expect, test } from "vitest";

import { simulate } from "../../src/commands/simulate.ts";
import { SimulationThreads } from "../../src/composition/simulation-threads.ts";
import type { Report } from "../../src/simulation/job.ts";
import { resultOf } from "./page.ts";
import { jobsOf } from "./parts.ts";

test("20,000 changes, each once and by the right author or marked", async () => {
  const jobs = jobsOf({ changes: 20_000, firstSeed: 1, runChanges: 500 });
  const reports = new Map<number, Report>();
  const said: string[] = [];
  await using threads = new SimulationThreads({ count: 2, signal: new AbortController().signal });
  const code = await simulate(
    { jobs, threads: null, trace: false, json: false },
    {
      out: (text) => void said.push(text),
      progress: () => undefined,
      play: async (job) => {
        const report = await threads.play(job);
        reports.set(job.seed, report);
        return report;
      },
    },
  );
  expect(code, said.join("")).toBe(0);
  const proven = jobs.flatMap((job) => reports.get(job.seed) ?? []);
  expect(proven).toHaveLength(jobs.length);
  expect(jobs.length).toBeGreaterThan(30);
  expect(proven.reduce((sum, { changes }) => sum + changes, 0)).toBeGreaterThanOrEqual(20_000);
  const course = { command: "", machine: "", commit: "", minutes: 0, peakMiB: 0 };
  const pairs = jobs.flatMap((job) => {
    const report = reports.get(job.seed);
    return report === undefined ? [] : [{ job, report }];
  });
  expect(resultOf(pairs, course)).toContain("**Nothing was broken.**");
});
