import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";
import { Load } from "./load.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const users = ["alice", "bob", "carol", "dave"];

describe("an API server that has its troubles", () => {
  let plane: ControlPlane;
  let kubescribe: Kubescribe;

  beforeAll(async () => {
    plane = await startControlPlane({ numberedUsers: 0 });
    kubescribe = await startKubescribe(plane, { types: [{ apiGroups: [""], resources: ["configmaps"] }] });
    await kubescribe.installWebhook();
  });

  afterAll(async () => {
    await kubescribe[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("a certificate that is exchanged on disk loses no review", async () => {
    const load = await Load.start(plane, ["cert-a", "cert-b"], users);
    await load.acknowledged(20);
    const exchange = await kubescribe.makeCertificate();
    await kubescribe.installWebhook();
    exchange();
    await eventually(async () =>
      (await kubescribe.metric("webhook_certificate_reloads_total")) > 0 ? true : undefined,
    );
    // Connections are made anew, and only the new certificate will do.
    await kubescribe.installWebhook({ caPem: kubescribe.newestCaPem });
    await load.acknowledged(40);
    await load.stop();
    expect(await load.judge(kubescribe, { gaps: false })).toEqual([]);
  });

  test("killed and started again under changes, it costs no change and no author", async () => {
    const load = await Load.start(plane, ["killed-a", "killed-b", "killed-c"], users);
    await load.acknowledged(40);
    await plane.stopApiServer();
    await plane.startApiServer();
    await kubescribe.reviewed();
    await load.acknowledged(40);
    await load.stop();
    expect(await load.judge(kubescribe, { gaps: true })).toEqual([]);
  });

  test("restored from an older backup, it begins an epoch of its own", async () => {
    const make = (user: string, name: string): Promise<unknown> =>
      plane.request(user, "POST", configMaps, { metadata: { name }, data: { by: user } });
    await make("alice", "older");
    await make("alice", "doomed");
    const snapshot = plane.snapshot();
    await plane.request("bob", "PATCH", `${configMaps}/older`, { data: { by: "bob" } });
    await plane.request("bob", "DELETE", `${configMaps}/doomed`);
    await make("bob", "newer");
    // More than the server itself writes until it is asked: beyond that, nobody could tell that it counts lower.
    const patches = 100;
    for (let index = 0; index < patches; index += 1)
      await plane.request("bob", "PATCH", `${configMaps}/newer`, { data: { n: String(index) } });
    await kubescribe.waitForCommits("configmaps", "default/older", 2);
    await kubescribe.waitForCommits("configmaps", "default/doomed", 2);
    await kubescribe.waitForCommits("configmaps", "default/newer", 1 + patches);
    await plane.restore(snapshot);
    await kubescribe.reviewed();
    await plane.request("carol", "PATCH", `${configMaps}/older`, { data: { by: "carol" } });
    await eventually(
      async () => {
        const commits = await kubescribe.commitsOf("configmaps", "default/older");
        return commits.some(({ user }) => user === "carol") ? true : undefined;
      },
      { timeoutMs: 60_000, what: "the change after the restore" },
    ).catch(() => undefined);
    const after = (await kubescribe.commits()).filter(({ epoch }) => epoch === "1");
    // Nobody is named for what the restore did.
    const wrong = after.filter(({ user }) => ["alice", "bob"].includes(user));
    expect(wrong).toEqual([]);
    expect(after.filter(({ user }) => user === "carol")).toHaveLength(1);
    await plane.request("dave", "PATCH", `${configMaps}/doomed`, { data: { by: "dave" } });
    await eventually(async () => {
      const commit = (await kubescribe.commitsOf("configmaps", "default/doomed")).at(-1);
      return commit?.user === "dave" && commit.epoch === "1" && commit.tier === "exact" ? true : undefined;
    });
  });

  test("the history is sound", async () => {
    await kubescribe.assertSound();
  });
});
