import { describe, expect, test } from "vitest";
import { createPrometheusMeter } from "../../src/telemetry/meter.ts";
import { shownAccounts } from "../../src/telemetry/metrics.ts";
import { TopSets } from "../../src/telemetry/top-sets.ts";

interface Cell {
  value: number;
}

function topOf(capacity: number): { count(account: string, times?: number): void; shown(): Record<string, number> } {
  const sets = new TopSets<Cell>(capacity, () => ({ value: 0 }));
  return {
    count: (account, times = 1) => {
      for (let at = 0; at < times; at += 1) sets.get({ account }).instrument.value += 1;
    },
    shown: () =>
      Object.fromEntries(
        Array.from(sets.values(), ({ labels, instrument }) => [labels["account"] ?? "", instrument.value]),
      ),
  };
}

describe("the label sets that count most", () => {
  test("are all of them while there is room", () => {
    const top = topOf(3);
    top.count("alice", 2);
    top.count("bob");
    expect(top.shown()).toEqual({ alice: 2, bob: 1 });
  });

  test("are joined by one that is twice as busy as the lightest; until then it is `other`", () => {
    const top = topOf(2);
    top.count("alice", 5);
    top.count("bob", 3);
    top.count("carol", 5);
    expect(top.shown()).toEqual({ alice: 5, bob: 3, other: 5 });
    top.count("carol");
    expect(top.shown()).toEqual({ alice: 5, carol: 1, other: 5 });
    top.count("bob");
    expect(top.shown()).toEqual({ alice: 5, carol: 1, other: 6 });
  });

  test("are those of late: whoever was busy long ago makes room", () => {
    const top = topOf(1);
    top.count("yesterday", 9_000);
    top.count("today", 11_000);
    expect(Object.keys(top.shown())).toEqual(["today", "other"]);
  });

  test("never lose a count of those that stay, nor of `other`", () => {
    const top = topOf(1);
    top.count("alice", 100);
    for (let at = 0; at < 5_000; at += 1) top.count(`passer-by-${at}`);
    expect(top.shown()).toEqual({ alice: 100, other: 5_000 });
  });

  test("one that is called `other` is one of the others", () => {
    const top = topOf(1);
    top.count("other", 4);
    top.count("alice");
    top.count("bob");
    expect(top.shown()).toEqual({ alice: 1, other: 5 });
  });
});

test("accounts in the exposition are bounded, and nothing in their names can forge a line", async () => {
  await using meter = createPrometheusMeter();
  for (let at = 0; at < 1_000; at += 1) meter.count("changes_by_account", { account: `user-${at}` });
  const long = `mallory\n"} 1\nforged{a="${"x".repeat(5_000)}`;
  for (let at = 0; at < 3; at += 1) meter.count("changes_by_account", { account: long });
  const lines = (await meter.exposition()).split("\n").filter((line) => line.startsWith("changes_by_account_total"));
  expect(lines).toHaveLength(shownAccounts + 1);
  expect(lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0)).toBeLessThanOrEqual(1_003);
  const forged = lines.filter((line) => line.includes("mallory"));
  expect(forged).toHaveLength(1);
  expect(forged[0]?.length).toBeLessThan(200);
  expect(await meter.exposition()).not.toContain("\nforged");
});
