/**
 * Plays the scoreboard and records it: docs/benchmarks/scoreboard.json, the table of SCOREBOARD.md and the charts. `--few`: only the
 * fields that a test plays again; `--draw`: plays nothing, and draws what is recorded.
 *
 *     node bench/scoreboard.ts [--few | --draw]
 */

import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

import { scoreboardMeasures } from "../src/composition/node-scoreboard.ts";
import { fewLoadsOf, loadsOf, playBoard } from "../src/simulation/scoreboard/board.ts";
import type { Cell, Load } from "../src/simulation/scoreboard/cell.ts";
import { charts, svgOf, themes } from "./scoreboard-chart.ts";
import { pageOf } from "./scoreboard-page.ts";
import type { Recorded } from "./scoreboard-page.ts";

const directory = new URL("../docs/benchmarks/", import.meta.url);
const file = (name: string): URL => new URL(name, directory);
const machine = `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}`;
const size = { seed: 1, changes: 1000 };
const fewSize = { seed: 1, changes: 120 };

let recorded = readFileSync(file("scoreboard.json"), { encoding: "utf8", flag: "a+" });
if (!process.argv.includes("--draw")) {
  const before = recorded === "" ? { machine, size, cells: [] } : (JSON.parse(recorded) as Recorded);
  const whole = process.argv.includes("--few") ? before : { machine, size, cells: await play(loadsOf(size)) };
  const few = (await play(fewLoadsOf(fewSize))).map(({ costs: _, ...cell }) => cell);
  recorded = textOf({ ...whole, fewSize, few });
  writeFileSync(file("scoreboard.json"), recorded);
}
const result = JSON.parse(recorded) as Recorded;
writeFileSync(file("SCOREBOARD.md"), pageOf(readFileSync(file("SCOREBOARD.md"), "utf8"), result));
for (const chart of charts)
  for (const theme of themes) writeFileSync(file(`${chart.name}-${theme}.svg`), svgOf(chart, result.cells, theme));

async function play(loads: readonly Load[]): Promise<readonly Cell[]> {
  // Files that are not there are no surprise, and a stack for each of them is dear.
  Error.stackTraceLimit = 0;
  const onCell = (played: number, wanted: number): void => void process.stderr.write(`\r${played} of ${wanted} runs `);
  const cells = await playBoard(loads, { ...scoreboardMeasures, onCell, signal: new AbortController().signal });
  process.stderr.write("\n");
  return cells.map(({ costs: { cpuMs, webhookUs }, ...cell }) => ({
    ...cell,
    costs: { cpuMs: Math.round(cpuMs), webhookUs: Math.round(webhookUs) },
  }));
}

/** A line for each field: what changed can be seen. */
function textOf({ cells, few, ...rest }: Recorded): string {
  const lines = (items: readonly unknown[]): string => items.map((item) => `    ${JSON.stringify(item)}`).join(",\n");
  const head = Object.entries(rest).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return `{\n${head.join("")}  "cells": [\n${lines(cells)}\n  ],\n  "few": [\n${lines(few)}\n  ]\n}\n`;
}
