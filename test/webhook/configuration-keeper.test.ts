/** What is done about a configuration that somebody else changes, and what is said about the time. */

import { beforeAll, beforeEach, describe, expect, test } from "vitest";

import { listOf, objectOf } from "../../src/webhook/json-value.ts";
import { configurationPath, secretPath } from "./fake-cluster.ts";
import { configMaps, type Kept, KeeperWorld, makeStock } from "./keeper-world.ts";

let world: KeeperWorld;
let kept: Kept;
beforeAll(() => makeStock(2));
beforeEach(async () => {
  world = new KeeperWorld();
  kept = await world.open();
  kept.keeper.want([configMaps]);
  await world.pass(5000);
});

type Entry = Readonly<Record<string, unknown>>;

/** Every entry, changed by somebody else. */
function alter(change: Entry): void {
  world.cluster.edit(configurationPath, (document) => ({
    ...document,
    webhooks: listOf(document["webhooks"]).map((each) => ({ ...objectOf(each), ...change })),
  }));
}

const narrow = { objectSelector: { matchLabels: { a: "b" } } };

function repairs(): number {
  return world.recorder.counted("webhook_configuration_repairs");
}

/** Of the uncovered time that has ended: its beginning and end, and why. */
function gap(): { readonly fromMs: number; readonly toMs: number; readonly codes: readonly string[] } {
  const [uncovered, covered] = kept.coverage.slice(-2);
  if (uncovered?.covered !== false || covered?.covered !== true) throw new Error(JSON.stringify(kept.coverage));
  return { fromMs: uncovered.sinceMs, toMs: covered.sinceMs, codes: uncovered.reasons.map(({ code }) => code) };
}

describe("an alteration", () => {
  test("is repaired, and counts from the last look that found all well", async () => {
    const wellMs = world.clock.nowMs();
    await world.pass(10_000);
    alter(narrow);
    const alteredMs = world.clock.nowMs();
    await world.pass(12_000);
    expect(repairs()).toBe(1);
    expect(world.entry("changes.kubescribe.dev")["objectSelector"]).toEqual({});
    const { fromMs, toMs, codes } = gap();
    expect(codes).toEqual(["narrowed", "narrowed"]);
    expect(fromMs).toBeGreaterThan(wellMs);
    expect(fromMs).toBeLessThanOrEqual(alteredMs);
    // API servers go by what was written a moment later.
    expect(toMs).toBeGreaterThanOrEqual(alteredMs + 1000);
  });

  test("that was repaired a moment ago is not over yet, even where somebody looks", async () => {
    alter(narrow);
    kept.keeper.look();
    await world.pass(500);
    expect(repairs()).toBe(1);
    kept.keeper.look();
    await world.pass(100);
    expect(kept.keeper.coverage.covered).toBe(false);
    await world.pass(500);
    expect(kept.keeper.coverage.covered).toBe(true);
  });

  test("is not repaired from old knowledge, where the credentials cannot be read", async () => {
    alter(narrow);
    world.cluster.refuse = ({ path }) => (path === secretPath ? 500 : null);
    await world.pass(60_000);
    expect(repairs()).toBe(0);
    world.cluster.refuse = () => null;
    await world.pass(40_000);
    expect(repairs()).toBe(1);
  });

  test("is not repaired by a process that lost its right to in this moment", async () => {
    alter(narrow);
    world.cluster.refuse = ({ path }) => {
      if (path === secretPath) kept.holds = false;
      return null;
    };
    await world.pass(12_000);
    expect(kept.holds).toBe(false);
    expect(repairs()).toBe(0);
  });

  test("that is taken back between two looks is a time without cover, and no repair", async () => {
    const right = world.cluster.get(configurationPath) ?? {};
    alter(narrow);
    world.cluster.put(configurationPath, right);
    await world.pass(10_000);
    expect(gap().codes).toEqual(["changed"]);
    expect(repairs()).toBe(0);
  });

  test("of labels alone means nothing", async () => {
    const before = kept.coverage.length;
    world.cluster.edit(configurationPath, (document) => ({
      ...document,
      metadata: { ...objectOf(document["metadata"]), labels: { added: "x" } },
    }));
    await world.pass(60_000);
    expect(kept.coverage).toHaveLength(before);
    expect(world.cluster.count("PUT", configurationPath)).toBe(1);
  });

  test("of the policy is repaired, and leaves nothing unreviewed but for the look between", async () => {
    alter({ failurePolicy: "Fail", timeoutSeconds: 30 });
    await world.pass(12_000);
    expect(world.entry("changes.kubescribe.dev")).toMatchObject({ failurePolicy: "Ignore", timeoutSeconds: 2 });
    expect(kept.keeper.coverage.covered).toBe(true);
  });

  test("is only reported by a process that may not write", async () => {
    kept.holds = false;
    alter(narrow);
    await world.pass(60_000);
    expect(repairs()).toBe(0);
    expect(kept.keeper.coverage).toMatchObject({ covered: false });
  });

  test("of a provider, that leaves out namespaces of its own, is reported and not fought", async () => {
    world.cluster.edit(configurationPath, (document) => ({
      ...document,
      webhooks: listOf(document["webhooks"])
        .map(objectOf)
        .map((each) => {
          const terms = listOf(objectOf(each["namespaceSelector"])["matchExpressions"]);
          const matchExpressions = [...terms, { key: "control-plane", operator: "DoesNotExist" }];
          return { ...each, namespaceSelector: { matchExpressions } };
        }),
    }));
    await world.pass(900_000);
    expect(repairs()).toBe(0);
    expect(kept.keeper.coverage).toMatchObject({
      covered: false,
      reasons: [{ code: "narrowed" }, { code: "narrowed" }],
    });
  });
});

describe("a configuration that is gone", () => {
  test("is made again, after a while", async () => {
    world.cluster.remove(configurationPath);
    await world.pass(15_000);
    expect(world.cluster.get(configurationPath)).toBeNull();
    expect(kept.keeper.coverage).toMatchObject({ covered: false, reasons: [{ code: "missing" }] });
    await world.pass(30_000);
    expect(kept.keeper.coverage.covered).toBe(true);
    expect(gap().codes).toEqual(["missing"]);
    expect(repairs()).toBe(1);
  });

  test("was never there: it is made at once", async () => {
    const fresh = new KeeperWorld();
    fresh.cluster.remove(configurationPath);
    const { keeper } = await fresh.open();
    keeper.want([configMaps]);
    await fresh.pass(3000);
    expect(keeper.coverage.covered).toBe(true);
  });
});

describe("somebody who changes it back each time", () => {
  test("is fought three times, and then less and less often; new rules are written all the same", async () => {
    world.cluster.written = ({ path }) => {
      if (path.startsWith(configurationPath)) alter(narrow);
    };
    alter(narrow);
    await world.pass(60_000);
    expect(repairs()).toBe(3);
    expect(kept.keeper.problems.join()).toMatch(/again and again/);
    await world.pass(3_600_000);
    // After 1, 2, 4, 8, 16 and 30 minutes.
    expect(repairs()).toBe(8);
    expect(kept.keeper.coverage.covered).toBe(false);
    const puts = world.cluster.count("PUT", configurationPath);
    kept.keeper.want([configMaps, { group: "apps", version: "v1", resource: "deployments" }]);
    await world.pass(1000);
    expect(world.cluster.count("PUT", configurationPath)).toBe(puts + 1);
    world.cluster.written = () => undefined;
    await world.pass(3_600_000);
    expect(kept.keeper.coverage.covered).toBe(true);
    expect(kept.keeper.problems).toEqual([]);
  });

  test("and a writer that is always faster, end in no storm", async () => {
    alter(narrow);
    const before = world.cluster.requests.length;
    world.cluster.refuse = ({ method }) => (method === "PUT" ? 409 : null);
    await world.pass(60_000);
    expect(world.cluster.requests.length - before).toBeLessThan(300);
    world.cluster.refuse = () => null;
    await world.pass(12_000);
    expect(kept.keeper.coverage.covered).toBe(true);
  });
});

describe("an API server that cannot be asked", () => {
  test("for a while says nothing about cover; nothing was missed where nothing has changed", async () => {
    world.cluster.refuse = () => new Error("down");
    const before = kept.coverage.length;
    await world.pass(50_000);
    expect(kept.coverage).toHaveLength(before);
    await world.pass(60_000);
    expect(kept.keeper.coverage).toMatchObject({ covered: false, reasons: [{ code: "unobserved" }] });
    world.cluster.refuse = () => null;
    await world.pass(20_000);
    const { fromMs, toMs } = gap();
    expect(toMs).toBeLessThanOrEqual(fromMs);
  });

  test("and a configuration that was changed meanwhile: the whole time counts", async () => {
    world.cluster.refuse = () => new Error("down");
    await world.pass(100_000);
    alter(narrow);
    world.cluster.refuse = () => null;
    await world.pass(60_000);
    const { fromMs, toMs } = gap();
    expect(toMs - fromMs).toBeGreaterThan(100_000);
  });

  test("for lack of rights is said at once, with what is lacking", async () => {
    world.cluster.refuse = ({ path }) => (path.startsWith(configurationPath) ? 403 : null);
    await world.pass(10_000);
    expect(kept.keeper.coverage).toMatchObject({ covered: false, reasons: [{ code: "unobserved" }] });
    expect(kept.keeper.problems.join()).toMatch(/ValidatingWebhookConfiguration kubescribe.*right to get it/);
  });

  test("for it does not answer at all: the request is given up", async () => {
    const hanging = await world.open({
      api: {
        request: (_, signal) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              reject(new Error("aborted"));
            });
          }),
      },
    });
    hanging.keeper.want([configMaps]);
    await world.pass(11_000);
    expect(hanging.keeper.problems.join()).toMatch(/nothing within 10000 ms/);
    await hanging.keeper[Symbol.asyncDispose]();
  });
});
