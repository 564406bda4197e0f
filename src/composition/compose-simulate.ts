/** `kubescribe simulate` on worker threads. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { CommandContext } from "../commands/command-line.ts";
import { exitDone } from "../commands/command-line.ts";
import { ProgressLine } from "../commands/demo-terminal.ts";
import { simulate, simulateHelp } from "../commands/simulate.ts";
import { parseSimulateOptions } from "../commands/simulate-options.ts";
import type { Job, Report } from "../simulation/job.ts";
import { catalogue } from "../simulation/plan.ts";

const plainColumns = 100;

export async function composeSimulate(argv: readonly string[], context: CommandContext): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    context.out(simulateHelp(catalogue));
    return exitDone;
  }
  const known = catalogue.map(({ name }) => name);
  const options = parseSimulateOptions(argv, known);
  const terminal = process.stderr.isTTY;
  const columns = terminal ? process.stderr.columns : plainColumns;
  const progress = new ProgressLine({ write: context.error, terminal, colour: false, columns });
  const code = await simulate(options, {
    out: (text) => {
      progress.clear();
      context.out(text);
    },
    progress: (text) => progress.update(text),
    signal: context.signal,
    play: (jobs, onReport) =>
      playOnThreads(jobs, { threads: options.threads ?? availableParallelism(), onReport, signal: context.signal }),
  });
  progress.clear();
  return code;
}

interface Playing {
  readonly threads: number;
  readonly onReport: (report: Report) => void;
  readonly signal: AbortSignal;
}

/** Resolves when all are played, or when `signal` is aborted. Rejects with what a thread died of. */
async function playOnThreads(jobs: readonly Job[], { threads, onReport, signal }: Playing): Promise<void> {
  const waiting = jobs[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    const thread = new Worker(new URL("simulate-worker.ts", import.meta.url));
    const stop = (): void => void thread.terminate();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (let job = waiting.next(); job.done !== true && !signal.aborted; job = waiting.next()) {
        const report = await answerOf(thread, job.value);
        if (report !== null) onReport(report);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, lane));
}

/** Null: the thread was ended. */
function answerOf(thread: Worker, job: Job): Promise<Report | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Report | null>();
  const gone = (): void => resolve(null);
  thread.once("message", resolve).once("error", reject).once("exit", gone);
  thread.postMessage(job);
  return promise.finally(() => {
    thread.off("message", resolve).off("error", reject).off("exit", gone);
  });
}
