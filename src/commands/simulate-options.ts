/** From argv to what `simulate` is to do. */

import { didYouMean } from "../config/nearest.ts";
import { simulateOptionTable } from "../config/option-table.ts";
import type { ParsedOptions } from "../config/parse-options.ts";
import { parseOptions } from "../config/parse-options.ts";
import type { Problem } from "../config/problem.ts";
import { configurationError, quoted } from "../config/problem.ts";
import type { Job } from "../simulation/job.ts";
import { parseSteps } from "./step-list.ts";

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
    ...faultsOf(parsed.text("faults"), { known, every: parsed.number("fault-every") }),
    only: onlyOf(parsed),
    attribution: parsed.text("attribution") === "fifo" ? ("fifo" as const) : ("exact" as const),
    ingestion: parsed.text("ingestion") === "dual" ? ("dual" as const) : ("correlate" as const),
    traced: parsed.flag("trace"),
  };
  const jobs = Array.from({ length: parsed.number("runs") }, (_, at) => ({
    ...shared,
    seed: seed + at,
    changes: at === 0 ? first : changes,
  }));
  return { jobs, threads: parsed.numberOrNull("threads"), trace: parsed.flag("trace"), json: parsed.flag("json") };
}

function faultsOf(
  text: string,
  { known, every }: { readonly known: readonly string[]; readonly every: number },
): Pick<Job, "faults" | "rates"> {
  const rates = { every, weights: {} };
  if (text === "drawn") return { faults: null, rates };
  if (text === "all") return { faults: known, rates };
  if (text === "none") return { faults: [], rates };
  const problems: Problem[] = [];
  const weights: Record<string, number> = {};
  const names = text.split(",").map((item) => {
    const [name = "", weight, ...more] = item.split(":");
    const reject = (expected: string, found: string, advice = ""): void => {
      const message = `--faults expected ${expected}, found ${quoted(found)}.${advice}`;
      problems.push({ place: null, path: "", message });
    };
    if (!known.includes(name)) reject("drawn, all, none, or names that --help lists", name, didYouMean(name, known));
    else if (weight !== undefined) {
      if (!/^\d{1,6}(\.\d{1,6})?$/.test(weight) || more.length > 0) reject(`a weight such as ${name}:4`, item);
      else weights[name] = Number(weight);
    }
    return name;
  });
  if (problems.length > 0) throw configurationError(problems);
  return { faults: names, rates: { every, weights } };
}

function onlyOf(parsed: ParsedOptions): readonly number[] | null {
  const text = parsed.textOrNull("only");
  if (text === null) return null;
  const only = parseSteps(text);
  if (only === null || parsed.number("runs") > 1) {
    const found = only === null ? quoted(text) : `it with --runs ${parsed.number("runs")}`;
    const message = `--only expected steps of one run such as 3,17,20-24, found ${found}`;
    throw configurationError([{ place: null, path: "", message }]);
  }
  return only;
}
