/** The scoreboard as rows of text: for a terminal and for a document. */

import type { Cell, Design } from "../simulation/scoreboard/cell.ts";
import { columns } from "./simulate-table.ts";

/** In the order of the rows. */
export const scoreboardHeads: readonly string[] = [
  "conditions",
  "users",
  "names",
  "rate/s",
  "design",
  "changes",
  "commits",
  "duplicate",
  "of failed writes",
  "lost",
  "wrong author",
  "others' lines",
  "ties",
  "unresolved",
  "enriched",
  "wrong files",
  "longest queue",
  "CPU us/change",
  "webhook us",
];

const designNames: Readonly<Record<Design, string>> = {
  dual: "(a) dual",
  fifo: "(b) fifo",
  exact: "(c) exact",
};

export function scoreboardRow({ load, design, counts, costs }: Cell): readonly string[] {
  return [
    load.conditions,
    String(load.users),
    String(load.names),
    String(load.rate),
    designNames[design],
    String(counts.changes),
    String(counts.commits),
    String(counts.duplicates),
    String(counts.phantoms),
    String(counts.lost),
    withPart(counts.wrongAuthors, counts.planted),
    String(counts.foreignLines),
    withPart(counts.ties, counts.tiesMisordered),
    String(counts.unresolved),
    percent(counts.commits - counts.unresolved, counts.commits),
    String(counts.wrongFiles),
    String(counts.longestQueue),
    ((costs.cpuMs * 1000) / Math.max(1, counts.changes)).toFixed(0),
    costs.webhookUs.toFixed(0),
  ];
}

export function scoreboardText(cells: readonly Cell[]): string {
  return columns([scoreboardHeads, ...cells.map(scoreboardRow)]);
}

function withPart(whole: number, part: number): string {
  return part === 0 ? String(whole) : `${whole} (${part})`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)}%`;
}
