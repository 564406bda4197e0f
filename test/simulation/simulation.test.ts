/** The whole engine in memory, some seeds at each run; `node test/simulation/hunt.ts FIRST COUNT` plays more of them. */

import { describe, expect, test } from "vitest";

import { touchedBy } from "./machine-watch.ts";
import { stockGit } from "../../src/composition/node-stock-git.ts";
import { planOf } from "../../src/simulation/plan.ts";
import { simulate } from "../../src/simulation/run.ts";
import type { GitReader } from "../../src/simulation/checkers/git-reader.ts";
import type { Plan } from "../../src/simulation/plan.ts";

const requests = 100;
const withGit = { git: stockGit, fsck: true };
/** The git binary is outside: what is read with it comes after the run. */
const blindGit: GitReader = { read: () => Promise.resolve([]) };

async function brokenOf(seed: number, plan: Plan): Promise<readonly string[]> {
  const { broken } = await simulate(seed, plan, withGit);
  return broken.map((line) => `${line}; again: ${replayOf(seed, plan)}`);
}

function replayOf(seed: number, plan: Plan): string {
  const flags = Object.entries(plan).flatMap(([name, on]) => (on === true ? [name] : []));
  return `node test/simulation/hunt.ts ${seed} 1 ${plan.requests} ${flags.join(",")} -v`;
}

describe("the whole engine, in memory", () => {
  test.each([1, 2, 4, 5, 6, 7])("keeps its promises on seed %i", async (seed) => {
    expect(await brokenOf(seed, planOf(seed, requests))).toEqual([]);
  });

  test.each([
    [3, 120, "crashes,powerLoss", "a new journal was gone after a loss of power, synced or not"],
    [20, 120, "restores,fullDisks,tightBounds", "a catch-up hung when a restored backup overtook it"],
    [1142, 150, "crashes,compactions,denials", "a loser was recovered, whose bytes another had written"],
  ])("once broken: seed %i, %i requests with %s, %s", async (seed, count, flags) => {
    expect(await brokenOf(seed, planOf(seed, count, flags.split(",")))).toEqual([]);
  });

  test("asks the machine for nothing: no time, no chance, no timer, no file, no socket, no thread", async () => {
    const eventful = planOf(5, 80, ["crashes", "compactions", "fullDisks", "badNetwork", "badWebhook", "tightBounds"]);
    expect(await touchedBy(() => simulate(5, eventful, { git: blindGit, fsck: false }))).toEqual([]);
  });

  test("plays a seed twice with the same end", async () => {
    const [first, second] = [await simulate(5, planOf(5, 40), withGit), await simulate(5, planOf(5, 40), withGit)];
    expect(second.log).toEqual(first.log);
  });
});
