import { expect, test } from "vitest";

import { isFought, noRepairs, repairableAtMs, repairHeld, repairMade } from "../../machines/repair-plan.ts";

const minute = 60_000;

test("a fighter who changes it back at once is repaired after less and less often", () => {
  let plan = noRepairs;
  const atMs: number[] = [];
  for (let nowMs = 0; atMs.length < 10; nowMs += 10_000) {
    if (nowMs < repairableAtMs(plan)) continue;
    plan = repairMade(plan, nowMs);
    atMs.push(nowMs);
  }
  const gaps = atMs.slice(1).map((each, index) => (each - (atMs[index] ?? 0)) / minute);
  expect(gaps).toEqual([1 / 6, 1 / 6, 1, 2, 4, 8, 16, 30, 30]);
  expect(isFought(plan)).toBe(true);
});

test("mistakes some time apart are each repaired at once", () => {
  let plan = noRepairs;
  for (let nowMs = 0; nowMs < 100 * minute; nowMs += 6 * minute) {
    expect(repairableAtMs(plan)).toBeLessThanOrEqual(nowMs);
    plan = repairMade(plan, nowMs);
  }
  expect(isFought(plan)).toBe(false);
});

test("a repair that has lasted ends the fight, and not before", () => {
  let plan = noRepairs;
  for (const nowMs of [0, 1, 2]) plan = repairMade(plan, nowMs);
  expect(isFought(plan)).toBe(true);
  expect(repairHeld(plan, 9 * minute)).toBe(plan);
  expect(repairHeld(plan, 11 * minute)).toBe(noRepairs);
  for (let rests = 1; rests < 8; rests += 1) plan = repairMade(plan, repairableAtMs(plan));
  const lastMs = plan.madeMs.at(-1) ?? 0;
  expect(repairHeld(plan, lastMs + 29 * minute)).toBe(plan);
  expect(repairHeld(plan, lastMs + 30 * minute)).toBe(noRepairs);
});
