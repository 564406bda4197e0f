/** Plays one field of the scoreboard. */

import { createHash } from "node:crypto";

import type { GitReader } from "../checkers/git-reader.ts";
import type { Truth } from "../checkers/truth.ts";
import { Arena, branch, gitDirectory, watchedTypes } from "./arena.ts";
import type { Cell, Design, Load } from "./cell.ts";
import { Tally } from "./tally.ts";

export interface PlayPorts {
  /** How the branch is read when it is over. */
  readonly git: GitReader;
  /** CPU time of this thread, in ms. */
  readonly cpuMs: () => number;
  /** A monotonic clock of the machine, in microseconds. */
  readonly nowUs: () => number;
}

/** The CPU time of the same world without kubescribe, in ms. */
export async function playAlone(load: Load, { cpuMs, nowUs }: PlayPorts): Promise<number> {
  const begin = cpuMs();
  await new Arena({ load, design: null, nowUs }).play();
  return cpuMs() - begin;
}

export async function playCell(load: Load, design: Design, aloneMs: number, ports: PlayPorts): Promise<Cell> {
  const begin = ports.cpuMs();
  const arena = new Arena({ load, design, nowUs: ports.nowUs });
  await arena.play();
  const cpuMs = ports.cpuMs() - begin - aloneMs;
  const { disk, truth, crowd, longestQueue, webhookUs } = arena;
  const tally = new Tally({ truth, asked: crowd.asked, watched: watchedTypes });
  await ports.git.read({
    disk: disk.files,
    gitDirectory,
    branch,
    fsck: false,
    onCommit: (commit) => tally.see(commit),
  });
  return {
    load,
    design,
    counts: { ...tally.end(), longestQueue },
    costs: { cpuMs: Math.max(0, cpuMs), webhookUs: medianOf(webhookUs) },
    written: hashOf(truth),
  };
}

function hashOf({ writes }: Truth): string {
  const hash = createHash("sha256");
  for (const { operation, user, revision, content } of writes)
    hash.update(`${operation} ${user} ${revision} ${content}\n`);
  return hash.digest("hex").slice(0, 16);
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
