/** `kubescribe simulate` on worker threads. */

import { availableParallelism } from "node:os";
import type { CommandContext } from "../commands/command-line.ts";
import { exitDone } from "../commands/command-line.ts";
import { ProgressLine } from "../commands/demo-terminal.ts";
import { simulate, simulateHelp } from "../commands/simulate.ts";
import { parseSimulateOptions } from "../commands/simulate-options.ts";
import { catalogue } from "../simulation/faults/catalogue.ts";
import { composeScoreboard } from "./compose-scoreboard.ts";
import { SimulationThreads } from "./simulation-threads.ts";

const plainColumns = 100;

export async function composeSimulate(argv: readonly string[], context: CommandContext): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    context.out(simulateHelp(catalogue));
    return exitDone;
  }
  if (argv.includes("--scoreboard")) return composeScoreboard(argv, context);
  const known = catalogue.map(({ name }) => name);
  const options = parseSimulateOptions(argv, known);
  const terminal = process.stderr.isTTY;
  const columns = terminal ? process.stderr.columns : plainColumns;
  const progress = new ProgressLine({ write: context.error, terminal, colour: false, columns });
  await using threads = new SimulationThreads({
    count: Math.min(options.threads ?? availableParallelism(), options.jobs.length),
    signal: context.signal,
  });
  const code = await simulate(options, {
    out: (text) => {
      progress.clear();
      context.out(text);
    },
    progress: (text) => progress.update(text),
    play: (job) => threads.play(job),
  });
  progress.clear();
  return code;
}
