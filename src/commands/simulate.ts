/** `kubescribe simulate`: plays the whole engine in memory, many seeds side by side, and says what held. */

import { optionHelp } from "../config/help.ts";
import { simulateOptionTable } from "../config/option-table.ts";
import type { Job, Report } from "../simulation/job.ts";
import { exitDone, exitFailed } from "./command-line.ts";
import { scoreboard } from "./simulate-table.ts";
import type { SimulateOptions } from "./simulate-options.ts";
import { replayCommand } from "./replay.ts";

export interface NamedFault {
  readonly name: string;
  readonly help: string;
}

export function simulateHelp(faults: readonly NamedFault[]): string {
  const lines = faults.map(({ name, help }) => `  ${name.padEnd(18)}${help}`);
  return `Usage: kubescribe simulate [OPTIONS]

Plays a cluster, its users and kubescribe itself in one thread and in memory, under faults, all of it drawn from
a seed: one seed is one run, with the same hashes every time. Then it holds what was committed against what
really happened: once, real, honest, ordered, faithful, bounded, durable. The engine is the one that "run"
starts; its clock, files, network and threads are not.

A run that breaks something is printed with the command that plays it again.

Examples:
  kubescribe simulate                                     one run
  kubescribe simulate --runs 50 --changes 400             fifty short ones
  kubescribe simulate --faults crashes,restores --seed 7  what is to befall it

${optionHelp(simulateOptionTable)}

Faults:
${lines.join("\n")}

  --help                          this text
  --version                       the version

Exit codes: 0 every run kept every promise, 1 one did not, 2 wrong usage.
`;
}

export interface SimulatePorts {
  readonly out: (text: string) => void;
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
  /** The reports as they come, in any order. */
  readonly play: (jobs: readonly Job[], onReport: (report: Report) => void) => Promise<void>;
}

/** Resolves to the exit code. */
export async function simulate(options: SimulateOptions, ports: SimulatePorts): Promise<number> {
  const { jobs, json, trace } = options;
  const reports: Report[] = [];
  const failed: Report[] = [];
  await ports.play(jobs, (report) => {
    reports.push(report);
    if (report.broken.length > 0) failed.push(report);
    ports.progress(progressLine(reports, { wanted: jobs.length, failed: failed.length }));
  });
  reports.sort((a, b) => a.seed - b.seed);
  if (json) ports.out(`${JSON.stringify(reports, null, 2)}\n`);
  else {
    if (trace) for (const report of reports) ports.out(report.trace.map((line) => `${line}\n`).join(""));
    ports.out(scoreboard(reports));
    for (const report of failed) ports.out(failureText(report, jobs));
  }
  return failed.length === 0 && reports.length === jobs.length ? exitDone : exitFailed;
}

const shownLines = 10;

function failureText({ seed, broken }: Report, jobs: readonly Job[]): string {
  const lines = broken.slice(0, shownLines).map((line) => `  ${line}\n`);
  const more = broken.length > shownLines ? `  and ${broken.length - shownLines} more\n` : "";
  const job = jobs.find((one) => one.seed === seed);
  const again = job === undefined ? "" : `  again: ${replayCommand(job)}\n`;
  return `\nseed ${seed} broke a promise:\n${lines.join("")}${more}${again}`;
}

function progressLine(reports: readonly Report[], { wanted, failed }: { wanted: number; failed: number }): string {
  const changes = reports.reduce((sum, report) => sum + report.changes, 0);
  return `${reports.length} of ${wanted} runs, ${changes} changes, ${failed === 0 ? "nothing broken" : `${failed} broken`}`;
}
