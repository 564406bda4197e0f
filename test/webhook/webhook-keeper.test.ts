import { beforeAll, describe, expect, test } from "vitest";

import type { ApiServer } from "../../actors/ports.ts";
import type { ShownCredentials } from "../../machines/webhook-credentials.ts";
import { objectOf } from "../../src/webhook/json-value.ts";
import { configurationPath, secretPath } from "./fake-cluster.ts";
import { configMaps, deployments, type Kept, KeeperWorld, lifetimeMs, makeStock, stocked } from "./keeper-world.ts";

beforeAll(() => makeStock());

function latest({ shown }: Kept): ShownCredentials {
  const found = shown.at(-1);
  if (found === undefined) throw new Error("nothing was shown");
  return found;
}

async function begun(): Promise<{ readonly world: KeeperWorld; readonly kept: Kept }> {
  const world = new KeeperWorld();
  const kept = await world.open();
  kept.keeper.want([configMaps]);
  await world.pass(2000);
  return { world, kept };
}

/** Whoever goes by the configuration reaches whoever shows these. */
function understands(world: KeeperWorld, shown: ShownCredentials): void {
  const { path, bundle } = world.configured();
  expect(bundle).toContain(shown.caPem);
  expect(shown.paths).toContain(path);
}

describe("an installation that has just been made", () => {
  test("fills the Secret and the configuration, and is covered", async () => {
    const { world, kept } = await begun();
    expect(world.secret("phase")).toBe("steady");
    expect(world.secret("tls.crt")).toBe(latest(kept).certPem);
    expect(world.configured("changes.kubescribe.dev")).toEqual({
      path: world.secret("path").trim(),
      bundle: world.secret("ca.crt"),
    });
    expect(world.entry("changes.kubescribe.dev")).toMatchObject({
      failurePolicy: "Ignore",
      timeoutSeconds: 2,
      rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps", "configmaps/*"] }],
      namespaceSelector: {
        matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kubescribe-system"] }],
      },
    });
    expect(objectOf(world.cluster.get(configurationPath)?.["metadata"])["labels"]).toEqual({ kept: "yes" });
    expect(kept.coverage.map(({ covered }) => covered)).toEqual([false, false, true]);
    expect(world.recorder.counted("webhook_certificate_renewals")).toBe(1);
    expect(world.recorder.counted("webhook_credentials_lost")).toBe(0);
    expect(world.recorder.counted("webhook_configuration_repairs")).toBe(0);
  });

  test("is left alone by a process that may not write, until it may", async () => {
    const world = new KeeperWorld();
    const kept = await world.open({ holds: false });
    kept.keeper.want([configMaps]);
    await world.pass(60_000);
    expect(kept.shown).toEqual([]);
    expect(world.cluster.requests.filter((each) => !each.startsWith("GET"))).toEqual([]);
    kept.holds = true;
    kept.keeper.look();
    await world.pass(2000);
    expect(kept.keeper.coverage.covered).toBe(true);
  });

  test("shows what is mounted before the API server is asked, and takes over what is fresher there", async () => {
    const { world } = await begun();
    for (const name of ["tls.crt", "tls.key", "ca.crt", "path", "phase"]) {
      world.disk.set(`/mounted/${name}`, world.secret(name));
    }
    const unreachable = { request: () => Promise.reject(new Error("down")) } satisfies ApiServer;
    const started = await world.open({ holds: false, api: unreachable, directory: "/mounted" });
    expect(started.shown).toHaveLength(1);
    expect(latest(started).certPem).toBe(world.secret("tls.crt"));
    world.disk.set("/mounted/tls.key", stocked(5).keyPem);
    const half = await world.open({ holds: false, directory: "/mounted" });
    expect(half.shown).toEqual([]);
    await world.pass(1000);
    expect(latest(half).certPem).toBe(world.secret("tls.crt"));
  });
});

describe("a renewal", () => {
  test("goes through its phases when two thirds of the time are over", async () => {
    const { world, kept } = await begun();
    const first = latest(kept);
    world.clock.jump((lifetimeMs * 2) / 3 - 60_000);
    await world.pass(40_000);
    expect(kept.shown).toHaveLength(1);
    await world.pass(60_000);
    expect(world.secret("phase")).toBe("widened");
    expect(latest(kept)).toMatchObject({ certPem: first.certPem, path: first.path });
    understands(world, latest(kept));
    await world.pass(120_000);
    expect(world.secret("phase")).toBe("moved");
    expect(world.configured().path).toBe(latest(kept).path);
    expect(latest(kept).path).not.toBe(first.path);
    expect(latest(kept).paths).toContain(first.path);
    await world.pass(150_000);
    expect(world.secret("phase")).toBe("steady");
    expect(latest(kept).paths).toHaveLength(1);
    expect(world.configured()).toEqual({ path: latest(kept).path, bundle: latest(kept).caPem });
    expect(kept.coverage.map(({ covered }) => covered)).toEqual([false, false, true]);
    expect(world.recorder.counted("webhook_certificate_renewals")).toBe(2);
    expect(world.recorder.counted("webhook_configuration_repairs")).toBe(0);
  });

  test("is understood by a replica that reads every half minute", async () => {
    const { world, kept } = await begun();
    const other = await world.open({ holds: false });
    await world.pass(1000);
    kept.keeper.rotate();
    for (let passed = 0; passed < 400; passed += 1) {
      await world.pass(1000);
      understands(world, latest(other));
      understands(world, latest(kept));
      expect(latest(other).trusted).toContain(latest(kept).caPem);
      expect(latest(kept).trusted).toContain(latest(other).caPem);
    }
    expect(latest(other)).toEqual(latest(kept));
    expect(world.recorder.counted("webhook_certificate_renewals")).toBe(2);
  });

  test("is not undone by a process that begins to hold, and has not read the Secret since", async () => {
    const { world, kept } = await begun();
    const other = await world.open({ holds: false });
    other.keeper.want([configMaps]);
    await world.pass(2000);
    kept.keeper.rotate();
    await world.pass(2000);
    expect(latest(other).trusted).toHaveLength(1);
    kept.holds = false;
    other.holds = true;
    world.cluster.written = () => {
      for (const caPem of latest(kept).trusted) expect(world.configured().bundle).toContain(caPem);
    };
    const looksBefore = world.cluster.count("GET", configurationPath);
    await world.pass(12_000);
    expect(world.cluster.count("GET", configurationPath)).toBeGreaterThan(looksBefore);
    for (const caPem of latest(kept).trusted) expect(world.configured().bundle).toContain(caPem);
  });

  test("begins its wait anew where somebody has touched the configuration", async () => {
    const { world, kept } = await begun();
    kept.keeper.rotate();
    await world.pass(100_000);
    expect(world.secret("phase")).toBe("widened");
    world.cluster.edit(configurationPath, (document) => ({ ...document, webhooks: [] }));
    await world.pass(100_000);
    expect(world.secret("phase")).toBe("widened");
    await world.pass(60_000);
    expect(world.secret("phase")).toBe("moved");
  });

  test("is followed once for each value of the annotation", async () => {
    const { world, kept } = await begun();
    const annotate = (value: string): void =>
      world.cluster.edit(secretPath, (document) => ({
        ...document,
        metadata: { ...objectOf(document["metadata"]), annotations: { "kubescribe.dev/rotate": value } },
      }));
    annotate("today");
    await world.pass(600_000);
    expect(world.recorder.counted("webhook_certificate_renewals")).toBe(2);
    await world.pass(600_000);
    expect(world.recorder.counted("webhook_certificate_renewals")).toBe(2);
    annotate("tomorrow");
    await world.pass(60_000);
    annotate("at once");
    await world.pass(1_200_000);
    expect(world.recorder.counted("webhook_certificate_renewals")).toBe(4);
    expect(kept.keeper.coverage.covered).toBe(true);
  });

  test("waits where the configuration cannot be written, and goes on when it can", async () => {
    const { world, kept } = await begun();
    world.cluster.refuse = ({ method, path }) => (method === "PUT" && path === configurationPath ? 403 : null);
    kept.keeper.rotate();
    await world.pass(900_000);
    expect(world.secret("phase")).toBe("widened");
    expect(kept.keeper.problems.join()).toMatch(/right to update it.*403/);
    expect(kept.keeper.coverage.covered).toBe(true);
    world.cluster.refuse = () => null;
    await world.pass(600_000);
    expect(world.secret("phase")).toBe("steady");
    expect(kept.keeper.problems).toEqual([]);
  });

  test.each([
    ["done", true],
    ["not done", false],
  ])("ends in the middle of any call, which is %s, and the next process goes on", async (_name, isDone) => {
    let calls = 0;
    for (let last = 1; ; last += 1) {
      const { world, kept } = await begun();
      await kept.keeper[Symbol.asyncDispose]();
      calls = 0;
      const mortal: ApiServer = {
        request: async (request, signal) => {
          calls += 1;
          if (calls < last) return await world.cluster.request(request, signal);
          if (calls === last && isDone) await world.cluster.request(request, signal);
          throw new Error("killed");
        },
      };
      await renewed(world, mortal);
      if (calls < last) break;
      const heir = await renewed(world, world.cluster);
      expect(world.secret("phase")).toBe("steady");
      expect(heir.coverage.at(-1)?.covered).toBe(true);
    }
    expect(calls).toBeGreaterThan(20);
  });
});

/** Long enough for a process that wants new credentials. */
async function renewed(world: KeeperWorld, api: ApiServer): Promise<Kept> {
  const kept = await world.open({ api, times: { waitMs: 20_000, pollMs: 10_000, lookMs: 10_000 } });
  kept.keeper.want([configMaps]);
  kept.keeper.rotate();
  for (let passed = 0; passed < 10; passed += 1) {
    await world.pass(10_000);
    if (kept.shown.length > 0) understands(world, latest(kept));
  }
  await kept.keeper[Symbol.asyncDispose]();
  return kept;
}

describe("credentials that are lost", () => {
  test.each<[string, (world: KeeperWorld) => void]>([
    ["deleted", (world) => world.cluster.remove(secretPath)],
    ["emptied", (world) => world.cluster.edit(secretPath, ({ data: _data, ...rest }) => rest)],
    [
      "edited",
      (world) =>
        world.cluster.edit(secretPath, (document) => ({
          ...document,
          data: { ...objectOf(document["data"]), "tls.crt": Buffer.from("nonsense").toString("base64") },
        })),
    ],
    [
      "with another certificate's key",
      (world) =>
        world.cluster.edit(secretPath, (document) => ({
          ...document,
          data: { ...objectOf(document["data"]), "tls.key": Buffer.from(stocked(6).keyPem).toString("base64") },
        })),
    ],
  ])("%s: what is known stays in use, is written again, and renewed", async (_name, lose) => {
    const { world, kept } = await begun();
    const first = latest(kept);
    lose(world);
    for (let passed = 0; passed < 120; passed += 1) {
      await world.pass(5000);
      understands(world, latest(kept));
    }
    expect(world.secret("phase")).toBe("steady");
    expect(latest(kept).path).not.toBe(first.path);
    expect(world.recorder.counted("webhook_credentials_lost")).toBe(1);
    expect(kept.coverage.map(({ covered }) => covered)).toEqual([false, false, true]);
  });

  test("by a process that knows none: they are made anew, and that is a time without cover", async () => {
    const { world, kept } = await begun();
    await kept.keeper[Symbol.asyncDispose]();
    world.cluster.edit(secretPath, (document) => ({ ...document, data: { "tls.crt": "bm9uc2Vuc2U=" } }));
    const next = await world.open();
    next.keeper.want([configMaps]);
    await world.pass(10_000);
    expect(world.secret("phase")).toBe("steady");
    understands(world, latest(next));
    expect(world.recorder.counted("webhook_credentials_lost")).toBe(1);
    expect(next.keeper.coverage.covered).toBe(true);
  });

  test("with the whole installation: nothing is brought back while the last process ends", async () => {
    const { world, kept } = await begun();
    world.cluster.remove(secretPath);
    world.cluster.remove(configurationPath);
    kept.keeper.look();
    await world.pass(19_000);
    expect(kept.keeper.coverage.covered).toBe(false);
    expect(world.recorder.counted("webhook_credentials_lost")).toBe(1);
    await kept.keeper[Symbol.asyncDispose]();
    await world.pass(600_000);
    expect(world.cluster.get(secretPath)).toBeNull();
    expect(world.cluster.get(configurationPath)).toBeNull();
  });

  test("expired ones are made anew at once", async () => {
    const { world, kept } = await begun();
    const first = latest(kept);
    world.clock.jump(lifetimeMs + 1);
    await world.pass(60_000);
    expect(latest(kept).certPem).not.toBe(first.certPem);
    understands(world, latest(kept));
  });

  test("a clock that jumps back changes nothing", async () => {
    const { world, kept } = await begun();
    world.clock.jump(-lifetimeMs);
    await world.pass(600_000);
    expect(kept.shown).toHaveLength(1);
  });
});

test("rules that change are written at once, and are no repair", async () => {
  const { world, kept } = await begun();
  kept.keeper.want([configMaps, deployments]);
  expect(kept.keeper.coverage).toMatchObject({ covered: false, reasons: [{ code: "narrowed" }] });
  await world.pass(2000);
  expect(kept.keeper.coverage.covered).toBe(true);
  expect(world.entry("changes.kubescribe.dev")["rules"]).toHaveLength(2);
  kept.keeper.want([]);
  expect(kept.keeper.coverage.covered).toBe(true);
  await world.pass(2000);
  expect(world.entry("changes.kubescribe.dev")).toEqual({});
  expect(world.recorder.counted("webhook_configuration_repairs")).toBe(0);
});

test("with certificates of somebody else, caBundle is his", async () => {
  const world = new KeeperWorld();
  const kept = await world.open({ certificates: "files" });
  kept.keeper.want([configMaps]);
  await world.pass(2000);
  expect(world.configured().bundle).toBe("");
  world.cluster.edit(configurationPath, (document) => {
    const webhooks = document["webhooks"] as readonly Record<string, unknown>[];
    return {
      ...document,
      webhooks: webhooks.map((each) => ({
        ...each,
        clientConfig: { ...objectOf(each["clientConfig"]), caBundle: "aW5qZWN0ZWQ=" },
      })),
    };
  });
  await world.pass(60_000);
  kept.keeper.want([configMaps, deployments]);
  await world.pass(60_000);
  expect(world.configured().bundle).toBe("injected");
  expect(world.recorder.counted("webhook_configuration_repairs")).toBe(0);
  kept.keeper.rotate();
  const { path } = world.configured();
  await world.pass(600_000);
  expect(world.configured()).toEqual({ path: latest(kept).path, bundle: "injected" });
  expect(latest(kept).path).not.toBe(path);
});
