/**
 * What losses of power may leave of a scenario. It is played once, and before each call of the file system port the power might go: all
 * that could be on the disk then (src/simulation/unsynced.ts) is collected, what is alike once.
 *
 * KUBESCRIBE_RUNS multiplies how many of them are tried where they are too many.
 */

import { hash } from "node:crypto";
import { diceAt, diceOf } from "../../src/simulation/dice.ts";
import type { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";

export interface Aftermath {
  readonly fs: MemoryFileSystem;
  /** For messages: at which call of the port, and of how many unsynced operations. */
  readonly at: string;
  /** How many steps of the scenario had been acknowledged. */
  readonly acknowledged: number;
}

export interface Aftermaths {
  /** Those to try. */
  readonly states: readonly Aftermath[];
  /** What was counted, for people. */
  readonly counts: string;
}

export const seed = Number(process.env["KUBESCRIBE_SEED"] ?? 5);
export const runs = Math.max(1, Number(process.env["KUBESCRIBE_RUNS"] ?? 1));

/** Of a test that tries them, on a machine that is busy with something else. */
export const timeoutMs = 600_000 * runs;

/** Calls that leave the disk as it was. */
export const reading: ReadonlySet<string> = new Set(["readFile", "list", "stat", "read"]);

/** `play` counts what was acknowledged. At most `limit` of what could be left is tried, drawn by the seed. */
export async function aftermathsOf(
  fs: MemoryFileSystem,
  limit: number,
  play: (acknowledge: () => void) => Promise<void>,
): Promise<Aftermaths> {
  const found = new Map<string, Aftermath>();
  let acknowledged = 0;
  let previous = "open";
  let operations = 0;
  let mostOpen = 0;
  let seeded = 0;
  const collect = (call: number, name: string): void => {
    const changed = !reading.has(previous);
    previous = name;
    if (!changed) return;
    operations += 1;
    mostOpen = Math.max(mostOpen, fs.unsynced);
    if (fs.unsynced > 6) seeded += 1;
    for (const left of fs.aftermaths(diceAt(seed, call).next)) {
      const at = `call ${call} (${name}), ${fs.unsynced} open`;
      const key = `${acknowledged} ${digestOf(left)}`;
      if (!found.has(key)) found.set(key, { fs: left, at, acknowledged });
    }
  };
  fs.inject({
    at: (call, name) => {
      collect(call, name);
      return null;
    },
  });
  await play(() => {
    acknowledged += 1;
    previous = "acknowledge";
  });
  collect(fs.calls, "the end");
  const { calls } = fs;
  fs.inject({});
  const all = [...found.values()];
  const states = sample(all, limit * runs);
  const counts =
    `${calls} calls of the file system, ${operations} moments between changes of it; up to ${mostOpen} operations unsynced, ` +
    `more than 6 (seed ${seed}) at ${seeded} of them; ${all.length} different states, ${states.length} tried`;
  return { states, counts };
}

function sample(all: readonly Aftermath[], limit: number): readonly Aftermath[] {
  if (all.length <= limit) return all;
  const dice = diceOf(seed);
  const left = [...all];
  return Array.from({ length: limit }, () => left.splice(dice.below(left.length), 1)).flat();
}

function digestOf(fs: MemoryFileSystem): string {
  const parts: (Buffer | string)[] = [fs.directories().toSorted().join("\n")];
  for (const [path, bytes] of [...fs.files()].toSorted(([a], [b]) => (a < b ? -1 : 1))) parts.push(path, bytes);
  return hash("sha1", Buffer.concat(parts.map((part) => Buffer.concat([Buffer.from(part), Buffer.from("\n")]))));
}
