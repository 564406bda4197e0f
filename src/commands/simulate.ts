/** `kubescribe simulate`: plays the whole engine in memory, many seeds side by side, and says what held. */

import { optionHelp } from "../config/help.ts";
import { simulateOptionTable } from "../config/option-table.ts";
import type { Job, Report } from "../simulation/job.ts";
import { shrink } from "../simulation/shrink.ts";
import { exitDone, exitFailed } from "./command-line.ts";
import { scoreboard } from "./simulate-table.ts";
import type { SimulateOptions } from "./simulate-options.ts";
import { replayCommand } from "./replay.ts";

export interface NamedFault {
  readonly name: string;
  readonly help: string;
  /** Of a fault: how often it comes among the others. A setting has none. */
  readonly weight?: number;
}

export function simulateHelp(faults: readonly NamedFault[]): string {
  const lines = faults.map(({ name, help, weight }) => `  ${name.padEnd(18)}${String(weight ?? "").padEnd(5)}${help}`);
  return `Usage: kubescribe simulate [OPTIONS]

Plays a cluster, its users and kubescribe itself in one thread and in memory, under faults, all of it drawn from
a seed: one seed is one run, with the same hashes every time. Then it holds what was committed against what
really happened: once, real, honest, ordered, faithful, bounded, durable. The engine is the one that "run"
starts; its clock, files, network and threads are not.

A run that breaks something is made as short as can be, and printed with the command that plays it again.

Examples:
  kubescribe simulate                                     one run
  kubescribe simulate --runs 50 --changes 400             fifty short ones
  kubescribe simulate --faults crashes,restores --seed 7  what is to befall it
  kubescribe simulate --attribution fifo --faults none    the first design, by the same users
  kubescribe simulate --scoreboard                        this design beside those before it

${optionHelp(simulateOptionTable)}

Faults, and how often each comes among the others; those without a number are so from the beginning:
${lines.join("\n")}

  --help                          this text
  --version                       the version

Exit codes: 0 every run kept every promise, 1 one did not, 2 wrong usage.
`;
}

export interface SimulatePorts {
  readonly out: (text: string) => void;
  readonly progress: (text: string) => void;
  /** May be asked for many runs at once. Rejects when it is interrupted. */
  readonly play: (job: Job) => Promise<Report>;
}

/** What shrinking may cost: some minutes. */
const budgetSteps = 400_000;
const budgetTries = 400;

/** Resolves to the exit code. */
export async function simulate({ jobs, json, trace }: SimulateOptions, ports: SimulatePorts): Promise<number> {
  const reports: Report[] = [];
  const tally = new Tally(jobs.length);
  const played = async (job: Job): Promise<void> => {
    const report = await ports.play(job);
    reports.push(report);
    ports.progress(tally.add(report));
  };
  await Promise.all(jobs.map(played));
  reports.sort((a, b) => a.seed - b.seed);
  const failed = reports.filter(({ broken }) => broken.length > 0);
  if (json) ports.out(`${JSON.stringify(reports, null, 2)}\n`);
  else {
    if (trace) for (const report of reports) ports.out(report.trace.map((line) => `${line}\n`).join(""));
    ports.out(scoreboard(reports));
    for (const report of failed) ports.out(failureText(report, jobs));
    const [first] = failed;
    const job = jobs.find(({ seed }) => seed === first?.seed);
    if (first !== undefined && job !== undefined && job.only === null) ports.out(await shortest(job, first, ports));
  }
  return failed.length === 0 ? exitDone : exitFailed;
}

async function shortest(job: Job, report: Report, { play, progress }: SimulatePorts): Promise<string> {
  const tried = (steps: number): void => progress(`seed ${job.seed}: shrinking, ${steps} steps`);
  const shrunk = await shrink(job, report, { play, budgetSteps, budgetTries, tried });
  const lines = shrunk.report.trace;
  const left = Math.max(0, lines.length - shownTraceLines);
  const earlier = left === 0 ? "" : `  (${left} lines before these: the command below prints them)\n`;
  const trace =
    earlier +
    lines
      .slice(left)
      .map((line) => `  ${line}\n`)
      .join("");
  const steps = shrunk.job.only?.length ?? 0;
  return `\nThe shortest run of seed ${job.seed} that still fails, ${steps} steps:\n${trace}${failureText(shrunk.report, [shrunk.job])}`;
}

const shownLines = 10;
const shownTraceLines = 300;

function failureText({ seed, broken }: Report, jobs: readonly Job[]): string {
  const lines = broken.slice(0, shownLines).map((line) => `  ${line}\n`);
  const more = broken.length > shownLines ? `  and ${broken.length - shownLines} more\n` : "";
  const job = jobs.find((one) => one.seed === seed);
  const again = job === undefined ? "" : `  again: ${replayCommand(job)}\n`;
  return `\nseed ${seed} broke a promise:\n${lines.join("")}${more}${again}`;
}

class Tally {
  readonly #wanted: number;
  #runs = 0;
  #changes = 0;
  #failed = 0;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  add({ changes, broken }: Report): string {
    this.#runs += 1;
    this.#changes += changes;
    if (broken.length > 0) this.#failed += 1;
    const held = this.#failed === 0 ? "nothing broken" : `${this.#failed} broken`;
    return `${this.#runs} of ${this.#wanted} runs, ${this.#changes} changes, ${held}`;
  }
}
