/** The fields of the scoreboard, and how they are played: each load by each design, in turns. */

import type { Cell, Load } from "./cell.ts";
import { designs } from "./cell.ts";
import type { PlayPorts } from "./play-cell.ts";
import { playAlone, playCell } from "./play-cell.ts";

export interface Size {
  readonly seed: number;
  /** Persisted changes in each field. */
  readonly changes: number;
}

const crowd = { users: 20, names: 4, rate: 50 };

/** One user alone; contention and rate, each as in any cluster and under faults. */
export function loadsOf(size: Size): readonly Load[] {
  const alone: Load = { ...size, users: 1, names: 4, rate: 10, conditions: "ideal" };
  const busy = (["usual", "faulty"] as const).flatMap((conditions) => [
    ...[50, 10, 4, 1].map((names): Load => ({ ...size, ...crowd, names, conditions })),
    ...[5, 200].map((rate): Load => ({ ...size, ...crowd, rate, conditions })),
  ]);
  return [alone, ...busy];
}

/** Enough to see whether the numbers are still those that were recorded. */
export function fewLoadsOf(size: Size): readonly Load[] {
  return [
    { ...size, ...crowd, conditions: "usual" },
    { ...size, ...crowd, names: 1, conditions: "faulty" },
  ];
}

export interface BoardPorts extends PlayPorts {
  readonly signal: AbortSignal;
  readonly onCell: (played: number, wanted: number) => void;
}

/**
 * Resolves to the cells in the order of the loads; to those that were played when `signal` is aborted. Throws where designs did not
 * meet the same writes: then nothing can be compared.
 */
export async function playBoard(loads: readonly Load[], ports: BoardPorts): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  const wanted = loads.length * designs.length;
  const [first] = loads;
  // Before anything is measured, everything has been compiled.
  if (first !== undefined) for (const design of designs) await playCell({ ...first, changes: 50 }, design, 0, ports);
  for (const [turn, load] of loads.entries()) {
    const aloneMs = await playAlone(load, ports);
    const row = new Map<string, Cell>();
    for (let at = 0; at < designs.length; at += 1) {
      if (ports.signal.aborted) return cells;
      const design = designs[(turn + at) % designs.length] ?? "exact";
      row.set(design, await playCell(load, design, aloneMs, ports));
      ports.onCell(cells.length + row.size, wanted);
    }
    const played = designs.flatMap((design) => row.get(design) ?? []);
    if (new Set(played.map(({ written }) => written)).size > 1)
      throw new Error(`the designs met different writes under ${JSON.stringify(load)}`);
    cells.push(...played);
  }
  return cells;
}

/** What a design must not do, whatever the load, but for what nothing can tell. */
export function faultsOf({ counts }: Cell): number {
  const { duplicates, phantoms, lost, wrongAuthors, planted, foreignLines, wrongFiles } = counts;
  return duplicates + phantoms + lost + wrongAuthors - planted + foreignLines + wrongFiles;
}
