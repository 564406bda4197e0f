/**
 * The model of the API server (src/simulator) against the real one: random operations, one after the other, must have the same
 * status, the same reviews and the same watch events; byte for byte but for what differs by nature (test/model/normalise.ts).
 * KUBESCRIBE_OPERATIONS sets how many, KUBESCRIBE_SEED which.
 */

import { expect, test } from "vitest";

import { startControlPlane } from "../controlplane/control-plane.ts";
import type { Count } from "../model/comparison.ts";
import { Comparison } from "../model/comparison.ts";
import { actions, shareOf } from "../model/draw-operation.ts";
import { ModelSide } from "../model/model-side.ts";
import { RealSide } from "../model/real-side.ts";
import { tableOf } from "../model/table.ts";
import { deniedUsers, startDenier } from "../storm/denier.ts";
import { seededRandom } from "../storm/random.ts";

const operations = Number(process.env["KUBESCRIBE_OPERATIONS"] ?? 400);
const seed = Number(process.env["KUBESCRIBE_SEED"] ?? 1);
const timeoutMs = 60_000 + operations * 100;

test(
  `one after the other, KUBESCRIBE_SEED=${seed} KUBESCRIBE_OPERATIONS=${operations}`,
  { timeout: timeoutMs },
  async () => {
    const users = ["alice", "bob", "carol", ...deniedUsers];
    await using plane = await startControlPlane({ users, numberedUsers: 0 });
    await using real = await RealSide.start(plane);
    await using _denier = await startDenier(plane);
    const groups = ["system:masters", "system:authenticated"];
    const model = new ModelSide(new Map(users.map((name) => [name, { name, uid: `uid-${name}`, groups }])));
    const comparison = new Comparison(model, real);
    const difference = await comparison.run(seededRandom(seed, "model"), operations);
    console.log(`\n${tableOf(comparison.counts)}\n`);
    if (difference !== null) {
      const { number, operation } = difference;
      expect.soft(difference.model, `${operation} (number ${number})`).toEqual(difference.real);
      expect(JSON.stringify(difference.model), "the order of members").toBe(JSON.stringify(difference.real));
    }
    expect(real.failures).toEqual([]);
    expectEnough(comparison.counts);
  },
);

/** Each kind of operation at least a quarter as often as it is drawn, each kind of outcome now and then. */
function expectEnough(counts: Comparison["counts"]): void {
  for (const action of actions) {
    const least = Math.max(1, Math.floor((operations * shareOf(action)) / 4));
    const count = counts.get(action);
    expect.soft(count?.operations ?? 0, `${action}: sent`).toBeGreaterThanOrEqual(least);
    if (action === "other uid") continue;
    expect.soft(count?.successes ?? 0, `${action}: done`).toBeGreaterThanOrEqual(Math.max(1, Math.floor(least / 4)));
  }
  const all = [...counts.values()];
  const sum = (pick: (count: Count) => number): number => all.reduce((total, count) => total + pick(count), 0);
  const outcomes = {
    events: sum(({ events }) => events),
    "no-ops": sum(({ noops }) => noops),
    "reviewed again": sum(({ repeats }) => repeats),
    ...Object.fromEntries([403, 404, 409, 422].map((code) => [code, sum(({ refusals }) => refusals.get(code) ?? 0)])),
  };
  const shares = { events: 0.3, "no-ops": 0.04, "reviewed again": 0.0025, 403: 0.01, 404: 0.04, 409: 0.04, 422: 0.01 };
  for (const [outcome, share] of Object.entries(shares)) {
    expect
      .soft(outcomes[outcome as keyof typeof outcomes], outcome)
      .toBeGreaterThanOrEqual(Math.floor(operations * share));
  }
}
