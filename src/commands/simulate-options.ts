/** From argv to what `simulate` is to do. */

import { didYouMean } from "../config/nearest.ts";
import { simulateOptionTable } from "../config/option-table.ts";
import { parseOptions } from "../config/parse-options.ts";
import { configurationError, quoted } from "../config/problem.ts";
import type { Job } from "../simulation/job.ts";

export interface SimulateOptions {
  readonly jobs: readonly Job[];
  /** Null: as many as there are cores. */
  readonly threads: number | null;
  readonly trace: boolean;
  readonly json: boolean;
}

/** `known`: the names of all faults. Throws a KubescribeError (`configuration-invalid`). */
export function parseSimulateOptions(argv: readonly string[], known: readonly string[]): SimulateOptions {
  const parsed = parseOptions(argv, { table: simulateOptionTable, cwd: "/" });
  const seed = parsed.number("seed");
  const changes = parsed.number("changes");
  const first = parsed.numberOrNull("first-changes") ?? changes;
  const shared = {
    faults: faultsOf(parsed.text("faults"), known),
  };
  const jobs = Array.from({ length: parsed.number("runs") }, (_, at) => ({
    ...shared,
    seed: seed + at,
    changes: at === 0 ? first : changes,
  }));
  return { jobs, threads: parsed.numberOrNull("threads"), trace: parsed.flag("trace"), json: parsed.flag("json") };
}

function faultsOf(text: string, known: readonly string[]): Job["faults"] {
  if (text === "drawn") return null;
  if (text === "all") return known;
  if (text === "none") return [];
  const names = text.split(",");
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return names;
  throw configurationError(
    unknown.map((name) => ({
      place: null,
      path: "",
      message: `--faults expected drawn, all, none, or names that --help lists, found ${quoted(name)}.${didYouMean(name, known)}`,
    })),
  );
}
