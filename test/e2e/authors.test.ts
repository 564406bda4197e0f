import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";

describe("a change and its author", () => {
  let plane: ControlPlane;
  let kubescribe: Kubescribe;

  beforeAll(async () => {
    plane = await startControlPlane();
    kubescribe = await startKubescribe(plane, { types: [{ apiGroups: [""], resources: ["configmaps"] }] });
    await kubescribe.installWebhook();
  });

  afterAll(async () => {
    await kubescribe[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("kubectl apply makes a commit with the user's name", async () => {
    const manifest = JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "applied", namespace: "default" },
      data: { text: "hello" },
    });
    const applied = await plane.kubectl("alice", ["apply", "-f", "-"], manifest);
    expect(applied).toMatchObject({ code: 0 });
    const [commit] = await kubescribe.waitForCommits("configmaps", "default/applied", 1);
    expect(commit).toMatchObject({
      authorName: "alice",
      user: "alice",
      operation: "CREATE",
      tier: "exact",
      fieldManager: "kubectl-client-side-apply",
      changes: ["A cluster/default/core/configmaps/applied.yaml"],
    });
  });

  test("with the webhook off a commit has no name, and says so", async () => {
    await kubescribe.removeWebhook();
    await plane.request("bob", "POST", configMaps, { metadata: { name: "unseen" }, data: { text: "?" } });
    const [commit] = await kubescribe.waitForCommits("configmaps", "default/unseen", 1);
    expect(commit).toMatchObject({ tier: "unresolved", operation: "CREATE" });
    expect(commit?.authorName).not.toContain("bob");
    await kubescribe.installWebhook();
  });

  test("the history is sound", async () => {
    await kubescribe.assertSound();
  });
});
