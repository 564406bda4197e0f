/**
 * Plays many seeds and prints the ones that break something: `node test/simulation/hunt.ts FIRST COUNT [REQUESTS [FLAGS [-v]]]`.
 * FLAGS (`crashes,restores`; see Plan) instead of those that the seed draws; `-v`: the log of each failed run. Exits 1 if any seed
 * failed, or did not end: once nothing can move any more, Node would leave without a word.
 */

import { stockGit } from "../../src/composition/node-stock-git.ts";
import { planOf } from "../../src/simulation/plan.ts";
import { simulate } from "../../src/simulation/run.ts";

// Missing files are no surprise here, and a stack for each of them is dear.
Error.stackTraceLimit = 0;
const [first = "1", count = "100", requests = "150", flags = "", verbose = ""] = process.argv.slice(2);
const tiers = new Map<string, number>();
const sums = { seeds: 0, failed: 0, writes: 0, commits: 0, planted: 0 };
let playing: number | null = null;
process.once("exit", (code) => {
  if (playing !== null) console.log(`seed ${playing}: did not end (${code}): a promise that nobody keeps, or an error`);
  if (playing !== null || sums.failed > 0) process.exitCode = 1;
});
for (let seed = Number(first); seed < Number(first) + Number(count); seed += 1) {
  playing = seed;
  const plan = planOf(seed, Number(requests), flags === "" ? null : flags.split(","));
  const { broken, writes, findings, log } = await simulate(seed, plan, { git: stockGit, fsck: true });
  sums.seeds += 1;
  sums.writes += writes;
  for (const finding of findings.values()) {
    sums.commits += finding.changes;
    sums.planted += finding.planted;
    for (const [tier, times] of finding.tiers) tiers.set(tier, (tiers.get(tier) ?? 0) + times);
  }
  if (broken.length === 0) continue;
  sums.failed += 1;
  const happening = Object.entries(plan).flatMap(([name, on]) => (on === true ? [name] : []));
  console.log(`seed ${seed} (${happening.join(",")}): ${broken.length} broken`);
  for (const line of broken.slice(0, 6)) console.log(`  ${line}`);
  if (verbose === "-v") console.log(log.map((line) => `    ${line}`).join("\n"));
}
playing = null;
console.log(JSON.stringify({ ...sums, tiers: Object.fromEntries(tiers) }));
