/**
 * Plays seeds on the engine with one patch in it, until its invariant breaks: `node hunt-worker.ts ORDER`, the order a `HuntOrder` in
 * JSON. Prints a `Played` in JSON for each seed. A process of its own: what is loaded stays loaded.
 */

import { patch } from "./hook.ts";
import type { HuntOrder, Played } from "./hunt.ts";
import { invariantOf } from "./hunt.ts";
import { mutants } from "./mutants.ts";

// Files that are not there are no surprise, and a stack for each of them is dear.
Error.stackTraceLimit = 5;

const { name, seeds, changes, faults, every, breaks } = JSON.parse(process.argv[2] ?? "") as HuntOrder;
const mutant = mutants.find((one) => one.name === name);
const loaded = mutant === undefined ? () => true : patch(mutant);
const { play } = await import("../../src/simulation/play.ts");
const { stockGit } = await import("../../src/composition/node-stock-git.ts");
if (!loaded()) throw new Error(`mutant ${name}: the simulation does not load ${mutant?.file}`);

for (const seed of seeds) {
  const job = {
    seed,
    changes,
    faults,
    rates: { every, weights: {} },
    attribution: "exact",
    ingestion: "correlate",
    only: null,
    traced: false,
  } as const;
  const { broken } = await play(job, stockGit);
  const played: Played = { seed, broken };
  process.stdout.write(`${JSON.stringify(played)}\n`);
  if (broken.some((line) => invariantOf(line) === breaks)) break;
}
