/**
 * The long proof: `npm run proof [-- --changes N] [--seed N] [--threads N] [--record]`. A million changes unless told otherwise, on all
 * cores; `--changes 10000000` is one night's work. `--record` writes the result to docs/PROOF.md. Exits 1 if a promise was broken,
 * and then prints the shortest run that breaks it, and the command that plays it again.
 */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { replayCommand } from "../../src/commands/replay.ts";
import { simulate } from "../../src/commands/simulate.ts";
import { SimulationThreads } from "../../src/composition/simulation-threads.ts";
import type { Job, Report } from "../../src/simulation/job.ts";
import type { Proven } from "./page.ts";
import { pageOf, resultOf } from "./page.ts";
import { jobsOf } from "./parts.ts";

const { values: options } = parseArgs({
  options: {
    changes: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    threads: { type: "string", default: String(availableParallelism()) },
    record: { type: "boolean", default: false },
  },
});
const page = join(import.meta.dirname, "..", "..", "docs", "PROOF.md");
const jobs = jobsOf({ changes: numberOf("changes"), firstSeed: numberOf("seed") });
const reports = new Map<number, Report>();
const startedMs = performance.now();
let peakBytes = 0;
let saidMs = 0;

const stop = new AbortController();
process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
try {
  process.exitCode = await prove();
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.error(`interrupted after ${reports.size} of ${jobs.length} runs`);
  process.exitCode = 130;
}

async function prove(): Promise<number> {
  await using threads = new SimulationThreads({
    count: Math.min(numberOf("threads"), jobs.length),
    signal: stop.signal,
  });
  const code = await simulate(
    { jobs, threads: null, trace: false, json: false },
    {
      out: (text) => void process.stdout.write(text),
      progress: say,
      play: async (job: Job) => {
        const report = await threads.play(job);
        // What is played again to shorten it is no result.
        if (job.only === null && !job.traced) reports.set(job.seed, report);
        // The whole run is long: what is found is told now, and shortened in the end.
        if (report.broken.length > 0 && job.only === null)
          process.stderr.write(`\n${report.broken[0] ?? ""}\n  again: ${replayCommand(job)}\n`);
        return report;
      },
    },
  );
  const proven = jobs.flatMap((job): readonly Proven[] => {
    const report = reports.get(job.seed);
    return report === undefined ? [] : [{ job, report }];
  });
  const course = {
    command: `npm run proof -- --changes ${options.changes} --seed ${options.seed}`,
    machine: `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}`,
    commit: execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim(),
    minutes: (performance.now() - startedMs) / 60_000,
    peakMiB: peakBytes / 2 ** 20,
  };
  console.log(resultOf(proven, course));
  if (options.record) writeFileSync(page, pageOf(readFileSync(page, "utf8"), proven, course));
  return code;
}

/** A line for a person every few seconds, a line for a log every minute. */
function say(text: string): void {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  const nowMs = performance.now();
  const terminal = process.stderr.isTTY;
  if (nowMs - saidMs < (terminal ? 1_000 : 60_000)) return;
  saidMs = nowMs;
  const line = `${((nowMs - startedMs) / 60_000).toFixed(1)} min: ${text}`;
  process.stderr.write(terminal ? `\r\u001b[2K${line}` : `${line}\n`);
}

function numberOf(name: "changes" | "seed" | "threads"): number {
  const value = Number(options[name]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  console.error(`proof: --${name} expected a whole number above 0, found ${JSON.stringify(options[name])}`);
  return process.exit(2);
}
