import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { charts, svgOf, themes } from "../../bench/scoreboard-chart.ts";
import type { Recorded } from "../../bench/scoreboard-page.ts";
import { pageOf } from "../../bench/scoreboard-page.ts";
import { scoreboardMeasures } from "../../src/composition/node-scoreboard.ts";
import { faultsOf, fewLoadsOf, playBoard } from "../../src/simulation/scoreboard/board.ts";
import type { Cell, Load } from "../../src/simulation/scoreboard/cell.ts";
import { designs } from "../../src/simulation/scoreboard/cell.ts";
import { playCell } from "../../src/simulation/scoreboard/play-cell.ts";

const alone: Load = { seed: 7, users: 1, names: 4, rate: 10, changes: 200, conditions: "ideal" };
const recorded = JSON.parse(textOf("scoreboard.json")) as Recorded;

test("with one user and no faults every design tells each change once, by who made it", async () => {
  const written = new Set<string>();
  for (const design of designs) {
    const cell = await playCell(alone, design, 0, scoreboardMeasures);
    written.add(cell.written);
    expect(faultsOf(cell), JSON.stringify(cell)).toBe(0);
    expect(cell.counts).toMatchObject({ commits: cell.counts.changes, unresolved: 0, ties: 0 });
    expect(cell.counts.changes).toBeGreaterThan(150);
  }
  expect(written.size).toBe(1);
});

test("a few fields played again come to what docs/benchmarks/scoreboard.json records", async () => {
  const ports = { ...scoreboardMeasures, signal: new AbortController().signal, onCell: () => undefined };
  const cells = await playBoard(fewLoadsOf(recorded.fewSize), ports);
  const few = cells.map(({ costs: _, ...cell }) => cell);
  expect(few, "other numbers: look why, then record them by npm run scoreboard").toEqual(recorded.few);
  for (const cell of cells) {
    const faults = faultsOf(cell);
    if (cell.design === "exact") expect(faults, JSON.stringify(cell)).toBe(0);
    else expect(faults, JSON.stringify(cell)).toBeGreaterThan(0);
  }
});

test("the recorded scoreboard has the exact design clean everywhere, and the others not", () => {
  const faults = (of: Cell["design"]): readonly number[] =>
    recorded.cells.filter(({ design, load }) => design === of && load.users > 1).map(faultsOf);
  expect(faults("exact").every((count) => count === 0)).toBe(true);
  expect(faults("fifo").every((count) => count > 0)).toBe(true);
  expect(faults("dual").every((count) => count > 0)).toBe(true);
});

test("table and charts are those of the recorded numbers", () => {
  const page = textOf("SCOREBOARD.md");
  expect(pageOf(page, recorded) === page, "run npm run scoreboard -- --draw").toBe(true);
  for (const chart of charts) {
    for (const theme of themes) {
      const name = `${chart.name}-${theme}.svg`;
      const same = svgOf(chart, recorded.cells, theme) === textOf(name);
      expect(same, `${name}: run npm run scoreboard -- --draw`).toBe(true);
    }
  }
});

function textOf(name: string): string {
  return readFileSync(new URL(`../../docs/benchmarks/${name}`, import.meta.url), "utf8");
}
