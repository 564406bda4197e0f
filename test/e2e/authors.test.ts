import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { makeCertificate } from "../../src/simulator/certificate.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const freshnessSeconds = 2;
/** Beyond freshness and what may be measured as lag on a busy machine. */
const staleMs = freshnessSeconds * 1000 + 2000;

describe("a change and its author", () => {
  let plane: ControlPlane;
  let kubescribe: Kubescribe;
  let denier: Denier;

  const versionOf = (text: string): string =>
    (JSON.parse(text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;

  beforeAll(async () => {
    plane = await startControlPlane();
    kubescribe = await startKubescribe(plane, {
      types: [{ apiGroups: [""], resources: ["configmaps", "namespaces"] }],
      args: ["--freshness-seconds", String(freshnessSeconds)],
    });
    await kubescribe.installWebhook();
    denier = await Denier.start(plane);
  });

  afterAll(async () => {
    denier[Symbol.dispose]();
    await kubescribe[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("kubectl apply makes a commit with the user's name", async () => {
    const manifest = (text: string): string =>
      JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "applied", namespace: "default" },
        data: { text },
      });
    expect(await plane.kubectl("alice", ["apply", "-f", "-"], manifest("hello"))).toMatchObject({ code: 0 });
    expect(await plane.kubectl("bob", ["apply", "-f", "-"], manifest("bye"))).toMatchObject({ code: 0 });
    const fieldManager = "kubectl-client-side-apply";
    expect(await kubescribe.waitForCommits("configmaps", "default/applied", 2)).toMatchObject([
      {
        authorName: "alice",
        user: "alice",
        operation: "CREATE",
        tier: "exact",
        fieldManager,
        changes: ["A cluster/default/core/configmaps/applied.yaml"],
      },
      {
        authorName: "bob",
        user: "bob",
        operation: "UPDATE",
        tier: "exact",
        changes: ["M cluster/default/core/configmaps/applied.yaml"],
      },
    ]);
  });

  test("ten changes of one resource, one after the other, by ten users are ten commits by ten authors in order", async () => {
    await plane.request("admin", "POST", configMaps, { metadata: { name: "rapid" } });
    const users = Array.from({ length: 10 }, (_, index) => `user-${index}`);
    const versions: string[] = [];
    for (const user of users) {
      const answer = await plane.request(user, "PATCH", `${configMaps}/rapid`, { data: { by: user } });
      versions.push(versionOf(answer.text));
    }
    const commits = (await kubescribe.waitForCommits("configmaps", "default/rapid", 11)).slice(1);
    expect(commits.map(({ user }) => user)).toEqual(users);
    expect(commits.map(({ resourceVersion }) => resourceVersion)).toEqual(versions);
    expect(commits.every(({ tier }) => tier === "exact")).toBe(true);
  });

  test("ten changes of one resource at the same moment are ten commits by those whose write it was", async () => {
    await plane.request("admin", "POST", configMaps, { metadata: { name: "rush" } });
    const users = Array.from({ length: 10 }, (_, index) => `user-${index}`);
    const written = await Promise.all(
      users.map(async (user) => {
        const answer = await plane.request(user, "PATCH", `${configMaps}/rush`, { data: { [user]: "was here" } });
        return { user, resourceVersion: versionOf(answer.text), tier: "exact" };
      }),
    );
    const commits = (await kubescribe.waitForCommits("configmaps", "default/rush", 11)).slice(1);
    const inOrder = written.toSorted((a, b) => Number(BigInt(a.resourceVersion) - BigInt(b.resourceVersion)));
    expect(commits).toMatchObject(inOrder);
  });

  test("with the webhook off a commit has no name, and says so", async () => {
    await kubescribe.removeWebhook();
    await plane.request("bob", "POST", configMaps, { metadata: { name: "unseen" }, data: { text: "?" } });
    const [commit] = await kubescribe.waitForCommits("configmaps", "default/unseen", 1);
    expect(commit).toMatchObject({ tier: "unresolved", operation: "CREATE", candidates: [] });
    expect(commit?.authorName).toBe(commit?.user);
    expect(plane.users).not.toContain(commit?.user);
    await kubescribe.installWebhook();
  });

  test("a write that another webhook denies moves the counts of reviews and correlations, and nothing else", async () => {
    const before = await counters(kubescribe);
    const answer = await plane.request("bob", "POST", configMaps, { metadata: { name: "denied-one" } });
    expect(answer.status).toBe(403);
    const after = await eventually(async () => {
      const now = await counters(kubescribe);
      return now.get("webhook_correlations_total") === before.get("webhook_correlations_total") ? undefined : now;
    });
    const moved = [...after].filter(([name, value]) => value !== (before.get(name) ?? 0));
    expect(moved.map(([name, value]) => [name, value - (before.get(name) ?? 0)])).toEqual([
      ["webhook_requests_total", 1],
      ["webhook_correlations_total", 1],
    ]);
  });

  test("writes that fail by quota, by a conflict, by a denial, or that are dry runs make no commit", async () => {
    const limited = "/api/v1/namespaces/limited";
    await plane.request("admin", "POST", "/api/v1/namespaces", { metadata: { name: "limited" } });
    const quota = { hard: { "count/configmaps": "1" } };
    await plane.request("admin", "POST", `${limited}/resourcequotas`, { metadata: { name: "one" }, spec: quota });
    const status = { ...quota, used: { "count/configmaps": "0" } };
    await plane.request("admin", "PATCH", `${limited}/resourcequotas/one/status`, { status });
    const first = await plane.request("alice", "POST", `${limited}/configmaps`, { metadata: { name: "fits" } });
    expect(first.status).toBe(201);
    const correlated = await kubescribe.metric("webhook_correlations_total");
    const refused = await eventually(async () => {
      const metadata = { generateName: "too-many-" };
      const answer = await plane.request("bob", "POST", `${limited}/configmaps`, { metadata }, {});
      return answer.status === 403 ? answer : undefined;
    });
    expect(refused.text).toContain("exceeded quota");
    expect(await kubescribe.metric("webhook_correlations_total")).toBeGreaterThan(correlated);

    const stale = { metadata: { name: "fits", resourceVersion: versionOf(first.text) }, data: { by: "carol" } };
    const path = `${limited}/configmaps/fits`;
    expect((await plane.request("carol", "PUT", path, stale)).status).toBe(200);
    expect((await plane.request("dave", "PUT", path, { ...stale, data: { by: "dave" } })).status).toBe(409);
    expect((await plane.request("dave", "PATCH", `${path}?dryRun=All`, { data: { by: "dave" } })).status).toBe(200);
    const labels = { metadata: { labels: { denied: "true" } } };
    expect((await plane.request("dave", "PATCH", path, labels)).status).toBe(403);
    expect((await plane.request("bob", "PATCH", path, { data: { by: "bob" } })).status).toBe(200);

    const commits = await kubescribe.waitForCommits("configmaps", "limited/fits", 3);
    expect(commits.map(({ user, tier }) => [user, tier])).toEqual([
      ["alice", "exact"],
      ["carol", "exact"],
      ["bob", "exact"],
    ]);
    const names = (await kubescribe.commits()).map(({ resource }) => resource);
    expect(names.filter((name) => /denied|probe|too-many/.test(name))).toEqual([]);
  });

  test("a change without a review is not credited to whoever tried the same and was denied", async () => {
    await plane.request("alice", "POST", configMaps, { metadata: { name: "kept" }, data: { text: "old" } });
    denier.denyAll = true;
    expect((await plane.request("bob", "PATCH", `${configMaps}/kept`, { data: { text: "new" } })).status).toBe(403);
    denier.denyAll = false;
    await kubescribe.removeWebhook();
    // The objects differ in managedFields only.
    await plane.request("carol", "PATCH", `${configMaps}/kept?fieldManager=other`, { data: { text: "new" } });
    const [, change] = await kubescribe.waitForCommits("configmaps", "default/kept", 2);
    expect(change).toMatchObject({ operation: "UPDATE", tier: "unresolved", candidates: [] });
    expect(change?.user).not.toBe("bob");
    await kubescribe.installWebhook();
  });

  test("a deletion without a review is not credited to whoever tried it before and was denied", async () => {
    await plane.request("alice", "POST", configMaps, { metadata: { name: "victim" } });
    denier.denyAll = true;
    expect((await plane.request("bob", "DELETE", `${configMaps}/victim`)).status).toBe(403);
    denier.denyAll = false;
    await kubescribe.removeWebhook();
    await delay(staleMs);
    expect((await plane.request("carol", "DELETE", `${configMaps}/victim`)).status).toBe(200);
    const [, deletion] = await kubescribe.waitForCommits("configmaps", "default/victim", 2);
    expect(deletion).toMatchObject({
      operation: "DELETE",
      tier: "unresolved",
      candidates: [],
      changes: ["D cluster/default/core/configmaps/victim.yaml"],
    });
    expect(deletion?.user).not.toBe("bob");
    await kubescribe.installWebhook();
  });

  test("the history is sound", async () => {
    await kubescribe.assertSound();
  });
});

/** What only ever counts upwards, but for what moves by itself. */
async function counters(kubescribe: Kubescribe): Promise<ReadonlyMap<string, number>> {
  const all = await kubescribe.metrics();
  // A process takes time whatever it does.
  const still = /^(?:watch_bookmarks|process_)/;
  return new Map([...all].filter(([name]) => /_total\b/.test(name) && !still.test(name)));
}

/** A second webhook: it denies what is named or labelled `denied`, and everything when told so. */
class Denier implements Disposable {
  denyAll = false;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(plane: ControlPlane): Promise<Denier> {
    const { certificatePem, keyPem } = await makeCertificate("127.0.0.1", { nowMs: () => Date.now() });
    const server = createServer({ cert: certificatePem, key: keyPem });
    const denier = new Denier(server);
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const review = JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string; name: string } };
        const { uid } = review.request;
        const allowed = !denier.denyAll && !/"denied"|"denied-one"/.test(JSON.stringify(review.request));
        const status = allowed ? {} : { status: { code: 403, message: "denied by the test" } };
        const answer = {
          apiVersion: "admission.k8s.io/v1",
          kind: "AdmissionReview",
          response: { uid, allowed, ...status },
        };
        response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await plane.installWebhook({
      name: "denier",
      url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      caPem: certificatePem,
      rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
    });
    await eventually(async () => {
      const answer = await plane.request("admin", "POST", `${configMaps}?dryRun=All`, {
        metadata: { name: "denied-one" },
      });
      return answer.status === 403 ? true : undefined;
    });
    return denier;
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
