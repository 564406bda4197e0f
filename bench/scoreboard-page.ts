/** docs/benchmarks/SCOREBOARD.md: what in it comes from the run. */

import { scoreboardHeads, scoreboardRow } from "../src/commands/scoreboard-table.ts";
import type { Cell } from "../src/simulation/scoreboard/cell.ts";
import type { Size } from "../src/simulation/scoreboard/board.ts";

/** docs/benchmarks/scoreboard.json. */
export interface Recorded {
  readonly machine: string;
  /** Of `cells`. */
  readonly size: Size;
  readonly cells: readonly Cell[];
  readonly fewSize: Size;
  /** That a test plays again. */
  readonly few: readonly Pick<Cell, "load" | "design" | "counts" | "written">[];
}

const begin = "<!-- from the run: npm run scoreboard -->";
const end = "<!-- to here -->";

/** The page with the recorded table in the place of the one that it has. */
export function pageOf(page: string, { machine, size, cells }: Recorded): string {
  const [before = "", rest = ""] = page.split(begin);
  const after = rest.split(end)[1] ?? "";
  if (after === "") throw new Error(`expected a page with "${begin}" and "${end}"`);
  const command = `kubescribe simulate --scoreboard --seed ${size.seed} --changes ${size.changes}`;
  const rows = [scoreboardHeads, scoreboardHeads.map((_, at) => (at < 5 ? "---" : "--:")), ...cells.map(scoreboardRow)];
  const table = rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
  return `${before}${begin}\n\`${command}\`; ${machine}.\n\n${table}\n${end}${after}`;
}
