import { request } from "node:https";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { listOf, objectOf, textOf } from "../../src/webhook/json-value.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { freePorts } from "../controlplane/ports.ts";
import { configurationPath, home, installHome, secretPath, type SeenReview, WebhookHouse } from "./webhook-house.ts";

const core = "/api/v1/namespaces/default";
const apps = "/apis/apps/v1/namespaces/default";
const watched = [
  { group: "", version: "v1", resource: "configmaps" },
  { group: "", version: "v1", resource: "pods" },
  { group: "apps", version: "v1", resource: "deployments" },
];

let plane: ControlPlane;
let house: WebhookHouse;
let port = 0;

beforeAll(async () => {
  plane = await startControlPlane();
  await installHome(plane);
  [port = 0] = await freePorts(1);
  house = await WebhookHouse.open(plane, { port });
  await house.listen(port);
  house.keeper.want(watched);
  await house.covered();
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

async function write(user: string, method: string, path: string, body: object): Promise<void> {
  const answer = await plane.request(user, method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
}

/** Reviews of what `work` does. */
async function reviewed(work: () => Promise<void>): Promise<readonly SeenReview[]> {
  const before = house.reviews.length;
  await work();
  return house.reviews.slice(before);
}

async function secret(name: string): Promise<string> {
  const { data } = (await plane.request("admin", "GET", secretPath)).json();
  return Buffer.from(textOf(objectOf(data)[name]), "base64").toString();
}

async function configuration(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return listOf((await plane.request("admin", "GET", configurationPath)).json()["webhooks"]).map(objectOf);
}

/** By somebody else. */
async function narrow(): Promise<void> {
  const webhooks = (await configuration()).map((each) => ({ ...each, rules: listOf(each["rules"]).slice(1) }));
  await write("admin", "PATCH", configurationPath, { webhooks });
}

const pod = { spec: { containers: [{ name: "main", image: "none" }] } };
const labels = { app: "web" };
const deployment = {
  metadata: { name: "web" },
  spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod.spec } },
};

describe("reviews", () => {
  test("arrive with the person's name, subresources too", async () => {
    const patch = "PATCH";
    const target = { kind: "Node", name: "none" };
    const container = { name: "debug", image: "none", targetContainerName: "main" };
    const done = await reviewed(async () => {
      await write("alice", "POST", `${core}/configmaps`, { metadata: { name: "one" } });
      await write("bob", "POST", `${apps}/deployments`, deployment);
      await write("carol", patch, `${apps}/deployments/web/scale`, { spec: { replicas: 3 } });
      await write("alice", patch, `${apps}/deployments/web/status`, { metadata: { annotations: { a: "b" } } });
      for (const name of ["bound", "evicted"])
        await write("bob", "POST", `${core}/pods`, { ...pod, metadata: { name } });
      await write("carol", "POST", `${core}/pods/bound/binding`, { metadata: { name: "bound" }, target });
      await write("dave", patch, `${core}/pods/bound/ephemeralcontainers`, {
        spec: { ephemeralContainers: [container] },
      });
      await write("dave", patch, `${core}/pods/bound/status`, { status: { message: "x" } });
      const eviction = {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name: "evicted", namespace: "default" },
      };
      await write("alice", "POST", `${core}/pods/evicted/eviction`, eviction);
      await write("dave", "DELETE", `${core}/configmaps/one`, {});
    });
    expect(done.map(({ user, operation, resource }) => `${user} ${operation} ${resource}`)).toEqual([
      "alice CREATE configmaps",
      "bob CREATE deployments",
      "carol UPDATE deployments/scale",
      "alice UPDATE deployments/status",
      "bob CREATE pods",
      "bob CREATE pods",
      "carol CREATE pods/binding",
      "dave UPDATE pods/ephemeralcontainers",
      "dave UPDATE pods/status",
      "alice CREATE pods/eviction",
      "dave DELETE configmaps",
    ]);
  });

  test("of the own namespace are of its rule documents alone", async () => {
    const names = { kind: "WatchRule", listKind: "WatchRuleList", plural: "watchrules", singular: "watchrule" };
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    await write("admin", "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: "watchrules.kubescribe.dev" },
      spec: {
        group: "kubescribe.dev",
        scope: "Namespaced",
        names,
        versions: [{ name: "v1alpha1", served: true, storage: true, schema, subresources: { status: {} } }],
      },
    });
    const rules = `/apis/kubescribe.dev/v1alpha1/namespaces/${home}/watchrules`;
    const document = { apiVersion: "kubescribe.dev/v1alpha1", kind: "WatchRule", metadata: { name: "mine" } };
    await eventually(async () =>
      (await plane.request("alice", "POST", rules, document)).status === 201 ? true : undefined,
    );
    const done = await reviewed(async () => {
      await write("alice", "POST", `/api/v1/namespaces/${home}/configmaps`, { metadata: { name: "inside" } });
      await write("bob", "PATCH", `${rules}/mine`, { spec: { a: 1 } });
      await write("carol", "PATCH", `${rules}/mine/status`, { status: { a: 1 } });
    });
    expect(done.map(({ user, resource }) => `${user} ${resource}`)).toEqual([
      "bob watchrules",
      "carol watchrules/status",
    ]);
  });

  test("of types that are watched from now on arrive once it is covered", async () => {
    house.keeper.want([...watched, { group: "", version: "v1", resource: "secrets" }]);
    expect(house.keeper.coverage.covered).toBe(false);
    await house.covered();
    const done = await reviewed(() => write("bob", "POST", `${core}/secrets`, { metadata: { name: "new" } }));
    expect(done).toMatchObject([{ user: "bob", resource: "secrets" }]);
  });

  test("that are forged are refused and counted, without the path; with it, nothing tells them apart", async () => {
    const path = (await secret("path")).trim();
    const forge = (to: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const sent = request(
          { host: "127.0.0.1", port, path: to, method: "POST", rejectUnauthorized: false },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        sent.on("error", reject);
        const forged = {
          uid: "x",
          operation: "CREATE",
          userInfo: { username: "mallory" },
          resource: { resource: "configmaps" },
        };
        sent.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: forged }));
      });
    const wrong = ["/correlate", "/correlate/", `${path}x`, path.slice(0, -1), `${path.slice(0, -1)}=`, "/"];
    const done = await reviewed(async () => {
      for (const each of wrong) expect(await forge(each)).toBe(404);
    });
    expect(done).toEqual([]);
    expect(house.recorder.counted("webhook_rejected{path}")).toBe(wrong.length);
    // What remains: the threat model says so.
    expect(await forge(path)).toBe(200);
    expect(house.reviews.at(-1)?.user).toBe("mallory");
  });
});

test(
  "a renewal under load loses no review, in any phase, with another replica that reads in its own time",
  { timeout: 180_000 },
  async () => {
    await using other = await WebhookHouse.open(plane, { port, name: "other" });
    other.holds = false;
    await other.keeper.shown();
    const acknowledged: string[] = [];
    const writing = new AbortController();
    const writers = Array.from({ length: 8 }, async (_, index) => {
      const user = `user-${index}`;
      const path = `${core}/configmaps/load-${index}`;
      await write(user, "POST", `${core}/configmaps`, { metadata: { name: `load-${index}` } });
      for (let count = 0; !writing.signal.aborted; count += 1) {
        const mark = `${index}-${count}`;
        await write(user, "PATCH", path, { data: { mark } });
        acknowledged.push(mark);
      }
    });
    const phases = new Set<string>();
    for (let renewals = 0; renewals < 2; renewals += 1) {
      const before = await secret("tls.crt");
      if (renewals === 0) house.keeper.rotate();
      else await write("admin", "PATCH", secretPath, { metadata: { annotations: { "kubescribe.dev/rotate": "now" } } });
      await eventually(
        async () => {
          phases.add(await secret("phase"));
          return (await secret("tls.crt")) !== before && (await secret("phase")) === "steady" ? true : undefined;
        },
        { timeoutMs: 60_000, what: "a renewal" },
      );
    }
    const goal = acknowledged.length + 400;
    await eventually(() => (acknowledged.length > goal ? true : undefined));
    writing.abort();
    await Promise.all(writers);
    expect([...phases].sort()).toEqual(["moved", "steady", "widened"]);
    expect(acknowledged.filter((mark) => !house.marks.has(mark))).toEqual([]);
    await eventually(() => (other.shown.at(-1)?.path === house.shown.at(-1)?.path ? true : undefined));
    const [webhook] = await configuration();
    const { url, caBundle } = objectOf(webhook?.["clientConfig"]);
    expect(url).toBe(`https://localhost:${port}${(await secret("path")).trim()}`);
    expect(Buffer.from(textOf(caBundle), "base64").toString()).toBe(await secret("ca.crt"));
    // Nothing else trusted what was shown before, or called where nobody listened.
    expect(house.keeper.coverage.covered).toBe(true);
    console.info(`${acknowledged.length} writes through two renewals, every one reviewed`);
  },
);

describe("a configuration that somebody else", () => {
  test("narrows is noticed and repaired, and the time is told", async () => {
    const before = house.coverage.length;
    await narrow();
    await eventually(() => (house.coverage.length >= before + 2 ? true : undefined));
    expect(house.coverage.slice(before)).toMatchObject([{ covered: false }, { covered: true }]);
    expect(house.recorder.counted("webhook_configuration_repairs")).toBe(1);
    const done = await reviewed(() => write("carol", "POST", `${core}/configmaps`, { metadata: { name: "repaired" } }));
    expect(done).toMatchObject([{ user: "carol" }]);
  });

  test("deletes is made again by a process with rights on that name alone", async () => {
    await write("admin", "DELETE", configurationPath, {});
    await eventually(() => (house.keeper.coverage.covered ? undefined : true));
    await house.covered();
    const done = await reviewed(() => write("dave", "POST", `${core}/configmaps`, { metadata: { name: "again" } }));
    expect(done).toMatchObject([{ user: "dave" }]);
  });

  test("rewrites each time is fought three times, and no more for now", async () => {
    const before = house.recorder.counted("webhook_configuration_repairs");
    const fighting = new AbortController();
    const fighter = (async () => {
      while (!fighting.signal.aborted) {
        const rules = (await configuration()).map((each) => listOf(each["rules"]).length);
        if ((rules[0] ?? 0) > 1) await narrow();
      }
    })();
    await eventually(() => (house.keeper.problems.length > 0 ? true : undefined));
    const looks = house.coverage.length;
    const repairs = house.recorder.counted("webhook_configuration_repairs");
    expect(repairs - before).toBeLessThanOrEqual(3);
    await eventually(async () => ((await secret("phase")) === "steady" ? true : undefined));
    fighting.abort();
    await fighter;
    expect(house.keeper.problems.join()).toMatch(/again and again/);
    expect(house.recorder.counted("webhook_configuration_repairs")).toBe(repairs);
    expect(house.coverage.slice(looks).some(({ covered }) => covered)).toBe(false);
    // New rules are not held up by the fight.
    house.keeper.want(watched);
    await house.covered();
  });
});

test("a Secret that is deleted is written again, by a process with rights on that name alone", async () => {
  const before = await secret("tls.crt");
  await write("admin", "DELETE", secretPath, {});
  await eventually(async () => {
    const now = await secret("tls.crt");
    return now !== "" && now !== before && (await secret("phase")) === "steady" ? true : undefined;
  });
  await house.covered();
  const done = await reviewed(() => write("alice", "POST", `${core}/configmaps`, { metadata: { name: "kept" } }));
  expect(done).toMatchObject([{ user: "alice" }]);
});

describe("nobody is locked out", () => {
  const attempt = (name: string): Promise<void> => write("alice", "POST", `${core}/configmaps`, { metadata: { name } });

  test("by a process that hangs", async () => {
    const opened = Promise.withResolvers<void>();
    house.gate = () => opened.promise;
    await attempt("hanging");
    opened.resolve();
    house.gate = () => Promise.resolve();
    await attempt("after-hanging");
  });

  test("by one that is slow", async () => {
    house.gate = async () => {
      await plane.request("admin", "GET", "/readyz");
    };
    const done = await reviewed(() => attempt("slow"));
    house.gate = () => Promise.resolve();
    expect(done).toHaveLength(1);
  });

  test("by one that is dead; that nothing arrives is noticed", async () => {
    await house.deafen();
    await attempt("dead");
    expect((await plane.request("admin", "GET", "/readyz")).status).toBe(200);
    const coverage = await eventually(() => (house.keeper.coverage.covered ? undefined : house.keeper.coverage));
    expect(coverage).toMatchObject({ reasons: [{ code: "unreachable" }] });
    await house.listen(port);
    await house.covered();
    const done = await reviewed(() => attempt("alive"));
    expect(done).toMatchObject([{ user: "alice" }]);
  });
});
