/**
 * Does the proof bite? `node test/mutants/main.ts [--record] [--seeds N] [--changes N] [--processes N] [NAME...]`: hunts every mutant, or
 * those that are named, on all cores, and prints the table; `--record` writes it to docs/MUTANTS.md. Exits 1 if one survives, or does not
 * fit. A seed on which the unpatched engine fails, too, catches nobody.
 */

import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { hunt } from "./hunt.ts";
import type { Outcome } from "./hunt.ts";
import type { Mutant } from "./mutant.ts";
import { mutants } from "./mutants.ts";
import { markdownOf, outcomeLine } from "./table.ts";

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    record: { type: "boolean", default: false },
    seeds: { type: "string", default: "30" },
    changes: { type: "string", default: "800" },
    processes: { type: "string", default: String(availableParallelism()) },
  },
});
const budget = { seeds: Number(options.seeds), changes: Number(options.changes) };
const unknown = names.filter((name) => !mutants.some((mutant) => mutant.name === name));
if (unknown.length > 0) throw new Error(`no such mutant: ${unknown.join(", ")}`);

const hunted = mutants.filter(({ name }) => names.length === 0 || names.includes(name));
const outcomes = new Map<Mutant, Outcome>();
const queue = [...hunted];
const lane = async (): Promise<void> => {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const outcome = await hunt(mutant, budget).catch(
      (error: unknown) => ({ kind: "unclear", why: String(error) }) as const,
    );
    outcomes.set(mutant, outcome);
    console.log(`${outcomes.size} of ${hunted.length}  ${mutant.name}: ${outcomeLine(outcome)}`);
  }
};
await Promise.all(Array.from({ length: Math.min(Number(options.processes), queue.length) }, lane));

const table = markdownOf(
  hunted.map((mutant) => [mutant, outcomes.get(mutant)] as const),
  budget,
);
console.log(`\n${table}`);
if (options.record) writeFileSync(join(import.meta.dirname, "..", "..", "docs", "MUTANTS.md"), table);
process.exitCode = [...outcomes.values()].every(({ kind }) => kind === "caught") ? 0 : 1;
