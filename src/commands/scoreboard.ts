/** `kubescribe simulate --scoreboard`: this design beside those before it, on the same load. */

import { simulateOptionTable } from "../config/option-table.ts";
import { parseOptions } from "../config/parse-options.ts";
import type { BoardPorts, Size } from "../simulation/scoreboard/board.ts";
import { faultsOf, loadsOf, playBoard } from "../simulation/scoreboard/board.ts";
import { exitDone, exitFailed } from "./command-line.ts";
import { scoreboardText } from "./scoreboard-table.ts";

export interface ScoreboardOptions extends Size {
  readonly json: boolean;
}

const taken = new Set(["scoreboard", "seed", "changes", "json"]);

/** Throws a KubescribeError (`configuration-invalid`). */
export function parseScoreboardOptions(argv: readonly string[]): ScoreboardOptions {
  const table = simulateOptionTable.filter(({ name }) => taken.has(name));
  const parsed = parseOptions(argv, { table, cwd: "/" });
  return { seed: parsed.number("seed"), changes: parsed.number("changes"), json: parsed.flag("json") };
}

export interface ScoreboardPorts extends Omit<BoardPorts, "onCell"> {
  readonly out: (text: string) => void;
  readonly progress: (text: string) => void;
}

/** Resolves to the exit code: a fault of the exact design is a failure, those of the others are what is to be seen. */
export async function scoreboard({ json, ...size }: ScoreboardOptions, ports: ScoreboardPorts): Promise<number> {
  const loads = loadsOf(size);
  const onCell = (played: number, wanted: number): void => ports.progress(`${played} of ${wanted} runs`);
  const cells = await playBoard(loads, { ...ports, onCell });
  ports.out(json ? `${JSON.stringify(cells, null, 2)}\n` : `${scoreboardText(cells)}${legend}`);
  if (ports.signal.aborted && !json) ports.out("Interrupted: these are the runs that were played until then.\n");
  const clean = cells.every((cell) => cell.design !== "exact" || faultsOf(cell) === 0);
  return clean && !ports.signal.aborted ? exitDone : exitFailed;
}

const legend = `
Counted from the outside: the model's truth against the branch as stock git shows it. In brackets: wrong
authors of a deletion or a /scale whose own review never came, after another's of the same was refused, which nothing can tell (K50);
ties that name another first. A commit with others' lines is by the right one, but undoes or repeats what somebody else wrote.
ideal: nothing is refused. usual: a second webhook denies some writes, watch caches lag. faulty: reviews are lost, late and doubled
as well, watches cut and stalled, kubescribe killed. CPU is that of the thread, less that of the same world without kubescribe.
`;
