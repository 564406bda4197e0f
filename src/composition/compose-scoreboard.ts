/** `kubescribe simulate --scoreboard`, in this thread alone: its CPU is what is measured. */

import type { CommandContext } from "../commands/command-line.ts";
import { ProgressLine } from "../commands/demo-terminal.ts";
import { parseScoreboardOptions, scoreboard } from "../commands/scoreboard.ts";
import { scoreboardMeasures } from "./node-scoreboard.ts";

const plainColumns = 100;

export async function composeScoreboard(argv: readonly string[], context: CommandContext): Promise<number> {
  const options = parseScoreboardOptions(argv);
  const terminal = process.stderr.isTTY;
  const columns = terminal ? process.stderr.columns : plainColumns;
  const progress = new ProgressLine({ write: context.error, terminal, colour: false, columns });
  // Files that are not there are no surprise, and a stack for each of them is dear.
  Error.stackTraceLimit = 0;
  return scoreboard(options, {
    ...scoreboardMeasures,
    signal: context.signal,
    out: (text) => {
      progress.clear();
      context.out(text);
    },
    progress: (text) => progress.update(text),
  });
}
