/** The whole engine in memory, some seeds at each run; `node test/simulation/hunt.ts FIRST COUNT` plays more of them. */

import { describe, expect, test } from "vitest";

import { planOf } from "./plan.ts";
import { simulate } from "./run.ts";
import type { Plan } from "./plan.ts";

const requests = 100;

async function brokenOf(seed: number, plan: Plan): Promise<readonly string[]> {
  const { broken } = await simulate(seed, plan);
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
    [3, "crashes,powerLoss", "a new journal was gone after a loss of power, synced or not"],
    [27, "restores,fullDisks,tightBounds", "a catch-up hung when a restored backup overtook it"],
    [2, "crashes,leases", "of two deletions in one revision the second was lost with a stream that broke between them"],
    [312, "crashes,powerLoss,compactions,leases", "a creation went over the file of an object that had ended unseen"],
    [459, "crashes,restores,fullDisks", "a backup from between two targets' cursors was taken for none"],
    [3019, "crashes,powerLoss,compactions,badWebhook", "a loser was recovered, whose bytes another had written"],
  ])("once broken: seed %i with %s, %s", async (seed, flags) => {
    expect(await brokenOf(seed, planOf(seed, seed === 3019 ? 130 : 120, flags.split(",")))).toEqual([]);
  });

  test("plays a seed twice with the same end", async () => {
    const [first, second] = [await simulate(5, planOf(5, 40)), await simulate(5, planOf(5, 40))];
    expect(second.log).toEqual(first.log);
  });
});
