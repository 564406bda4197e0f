/** What is said about reviews that do not arrive, though everything is as it should be. */

import { beforeAll, beforeEach, describe, expect, test } from "vitest";

import { listOf, objectOf } from "../../src/webhook/json-value.ts";
import { configurationPath, leasePath } from "./fake-cluster.ts";
import { configMaps, type Kept, KeeperWorld, makeStock } from "./keeper-world.ts";

let world: KeeperWorld;
let kept: Kept;
beforeAll(() => makeStock(2));
beforeEach(async () => {
  world = new KeeperWorld();
  kept = await world.open();
  kept.keeper.want([configMaps]);
  await world.pass(10_000);
});

function probes(): number {
  return world.cluster.count("PATCH", leasePath);
}

test("probes arrive: it is covered, and asked again every ten seconds", async () => {
  expect(kept.keeper.coverage.covered).toBe(true);
  const before = probes();
  await world.pass(60_000);
  expect(probes() - before).toBe(6);
  expect(world.recorder.gauged("webhook_covered")).toBe(1);
  expect(world.recorder.counted("webhook_reach_failures")).toBe(0);
});

test("two that do not arrive: the time counts from the last one that did, to the next one", async () => {
  const [covered] = kept.coverage.slice(-1);
  const wellMs = world.clock.nowMs();
  await world.pass(9_000);
  world.cluster.reachable = false;
  const lostMs = world.clock.nowMs();
  await world.pass(60_000);
  expect(kept.keeper.coverage).toMatchObject({ covered: false, reasons: [{ code: "unreachable" }] });
  expect(world.recorder.gauged("webhook_covered")).toBe(0);
  const { sinceMs } = kept.keeper.coverage;
  expect(sinceMs).toBeLessThanOrEqual(lostMs);
  expect(sinceMs).toBeGreaterThan(wellMs - 10_000);
  world.cluster.reachable = true;
  const foundMs = world.clock.nowMs();
  await world.pass(12_000);
  expect(kept.keeper.coverage.covered).toBe(true);
  expect(kept.keeper.coverage.sinceMs).toBeGreaterThanOrEqual(foundMs);
  expect(covered).not.toEqual(kept.keeper.coverage);
});

test("a single one that does not arrive is asked again at once, and is no time without cover", async () => {
  const before = kept.coverage.length;
  await world.pass(5000);
  world.cluster.reachable = false;
  while (world.recorder.counted("webhook_reach_failures") === 0) await world.pass(500);
  world.cluster.reachable = true;
  await world.pass(60_000);
  expect(world.recorder.counted("webhook_reach_failures")).toBe(1);
  expect(kept.coverage).toHaveLength(before);
});

test("that never arrived: it is uncovered from the beginning", async () => {
  const shut = new KeeperWorld();
  shut.cluster.reachable = false;
  const unreached = await shut.open();
  unreached.keeper.want([configMaps]);
  await shut.pass(20_000);
  expect(unreached.keeper.coverage).toMatchObject({ covered: false, reasons: [{ code: "unreachable" }] });
  expect(shut.recorder.lines.some((line) => line.includes("8443"))).toBe(true);
});

describe("nothing is concluded", () => {
  test("from a configuration that somebody has just altered: that is the reason, alone", async () => {
    world.cluster.edit(configurationPath, (document) => ({
      ...document,
      webhooks: listOf(document["webhooks"]).map((each) => ({
        ...objectOf(each),
        clientConfig: { url: "https://x/" },
      })),
    }));
    world.cluster.reachable = false;
    world.cluster.refuse = ({ method }) => (method === "PUT" ? 403 : null);
    await world.pass(60_000);
    if (kept.keeper.coverage.covered) throw new Error("expected it to be uncovered");
    expect(new Set(kept.keeper.coverage.reasons.map(({ code }) => code))).toEqual(new Set(["misdirected"]));
  });

  test.each<[string, (world: KeeperWorld) => void]>([
    ["where there is no Lease", (there) => there.cluster.remove(leasePath)],
    [
      "without the right to ask",
      (there) => (there.cluster.refuse = ({ path }) => (path.startsWith(leasePath) ? 403 : null)),
    ],
    [
      "while the API server does not answer",
      (there) => (there.cluster.refuse = ({ path }) => (path.startsWith(leasePath) ? new Error("down") : null)),
    ],
  ])("%s", async (_name, prevent) => {
    const before = kept.coverage.length;
    world.cluster.reachable = false;
    prevent(world);
    await world.pass(120_000);
    expect(kept.coverage).toHaveLength(before);
  });

  test("by a process that does not hold, nor once it does no more", async () => {
    world.cluster.reachable = false;
    await world.pass(30_000);
    expect(kept.keeper.coverage.covered).toBe(false);
    kept.holds = false;
    await world.pass(12_000);
    expect(kept.keeper.coverage.covered).toBe(true);
    const before = probes();
    await world.pass(60_000);
    expect(probes()).toBe(before);
  });
});
