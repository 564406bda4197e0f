import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { type Kubescribe, startKubescribe } from "./kubescribe.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const deployments = "/apis/apps/v1/namespaces/default/deployments";
const replicaSets = "/apis/apps/v1/namespaces/default/replicasets";
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const widgets = "/apis/example.com/v1/namespaces/default/widgets";
const collector = "system:serviceaccount:kube-system:generic-garbage-collector";
const namespaceController = "system:serviceaccount:kube-system:namespace-controller";

describe("how things end, with the controllers on", () => {
  let plane: ControlPlane;
  let kubescribe: Kubescribe;

  const send = async (user: string, method: string, path: string, body?: object): Promise<void> => {
    const answer = await plane.request(user, method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  };
  const told = async (type: string, name: string, count: number): Promise<readonly (readonly string[])[]> => {
    const commits = await kubescribe.waitForCommits(type, name, count);
    return commits.map(({ operation, tier, user }) => [operation, tier, user]);
  };

  beforeAll(async () => {
    plane = await startControlPlane({ numberedUsers: 0, controllers: true });
    kubescribe = await startKubescribe(plane, {
      types: [
        { apiGroups: [""], resources: ["configmaps", "namespaces"] },
        { apiGroups: ["apps"], resources: ["deployments", "replicasets"] },
        { apiGroups: ["example.com"], resources: ["widgets"] },
      ],
    });
    await kubescribe.installWebhook();
  });

  afterAll(async () => {
    await kubescribe[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("an object with a finalizer is gone when its deletion was asked for, by whoever asked", async () => {
    const path = `${configMaps}/final`;
    await send("alice", "POST", configMaps, { metadata: { name: "final", finalizers: ["example.com/wait"] } });
    await send("bob", "DELETE", path);
    expect(await told("configmaps", "default/final", 2)).toEqual([
      ["CREATE", "exact", "alice"],
      ["DELETE", "delete", "bob"],
    ]);
    await send("dave", "DELETE", path);
    await send("carol", "PATCH", path, { metadata: { finalizers: null } });
    expect((await plane.request("carol", "GET", path)).status).toBe(404);
    await send("dave", "POST", configMaps, { metadata: { name: "final" } });
    expect((await told("configmaps", "default/final", 3)).at(2)).toEqual(["CREATE", "exact", "dave"]);
  });

  for (const policy of ["Foreground", "Background"])
    test(`${policy} deletion: the owner by its user, the child by the collector on his request`, async () => {
      const name = `web-${policy.toLowerCase()}`;
      await send("alice", "POST", deployments, deployment(name));
      const child = await eventually(async () => {
        const list = (await plane.request("admin", "GET", replicaSets)).json() as unknown as ReplicaSets;
        return list.items.find(({ metadata }) => metadata.name.startsWith(`${name}-`))?.metadata.name;
      });
      await kubescribe.waitForCommits("replicasets", `default/${child}`, 1);
      const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: policy };
      await send("bob", "DELETE", `${deployments}/${name}`, body);
      const deletion = await eventually(async () => {
        const commits = await kubescribe.commitsOf("deployments", `default/${name}`);
        return commits.find(({ operation }) => operation === "DELETE");
      });
      expect(deletion).toMatchObject({ tier: "delete", user: "bob", causedBy: "" });
      const childDeletion = await eventually(async () => {
        const commits = await kubescribe.commitsOf("replicasets", `default/${child}`);
        return commits.find(({ operation }) => operation === "DELETE");
      });
      expect(childDeletion).toMatchObject({ tier: "delete", user: collector, causedBy: "bob" });
    });

  test("a deleted namespace takes its children with it, on the request of whoever deleted it", async () => {
    await send("alice", "POST", "/api/v1/namespaces", { metadata: { name: "doomed" } });
    for (const name of ["one", "two"])
      await send("bob", "POST", "/api/v1/namespaces/doomed/configmaps", { metadata: { name } });
    await send("carol", "DELETE", "/api/v1/namespaces/doomed");
    const found = await eventually(async () => {
      const commits = await kubescribe.commits();
      const removed = commits.filter(
        ({ operation, resource }) => operation === "DELETE" && / doomed(\/(one|two))?$/.test(resource),
      );
      return removed.length === 3 ? removed : undefined;
    });
    const byName = found.toSorted((a, b) => (a.resource < b.resource ? -1 : 1));
    expect(byName.map(({ resource, user, tier, causedBy }) => [resource, user, tier, causedBy])).toEqual([
      ["core/v1/configmaps doomed/one", namespaceController, "delete", "carol"],
      ["core/v1/configmaps doomed/two", namespaceController, "delete", "carol"],
      ["core/v1/namespaces doomed", "carol", "delete", ""],
    ]);
  });

  test("deletecollection is one commit for each object, by whoever asked", async () => {
    for (const name of ["many-1", "many-2", "many-3"])
      await send("alice", "POST", configMaps, { metadata: { name, labels: { many: "yes" } } });
    await send("dave", "DELETE", `${configMaps}?labelSelector=many%3Dyes`);
    for (const name of ["many-1", "many-2", "many-3"])
      expect(await told("configmaps", `default/${name}`, 2)).toEqual([
        ["CREATE", "exact", "alice"],
        ["DELETE", "delete", "dave"],
      ]);
  });

  test("kubectl scale, to nothing and back, is by whoever scaled", async () => {
    await send("admin", "POST", deployments, deployment("scaled"));
    for (const [user, replicas] of [
      ["alice", 0],
      ["bob", 3],
    ] as const) {
      const scaled = await plane.kubectl(user, ["scale", "deployment/scaled", `--replicas=${replicas}`]);
      expect(scaled).toMatchObject({ code: 0 });
    }
    const commits = await kubescribe.waitForCommits("deployments", "default/scaled", 3);
    expect(commits.slice(1)).toMatchObject([
      { subject: "Scale deployments.apps default/scaled", tier: "scale", user: "alice" },
      { subject: "Scale deployments.apps default/scaled", tier: "scale", user: "bob" },
    ]);
  });

  test("a custom resource is watched when its definition comes, and let go when it goes", async () => {
    const defined = async (): Promise<void> => {
      await send("admin", "POST", definitions, definition);
      await eventually(async () => ((await plane.request("admin", "GET", widgets)).status === 200 ? true : undefined));
    };
    await defined();
    await send("alice", "POST", widgets, widget("first"));
    // The first list of a type that is new may hold what was made before: then it is a snapshot.
    const path = "cluster/default/example.com/widgets/first.yaml";
    await eventually(
      async () => ((await kubescribe.commits()).some(({ paths }) => paths.includes(path)) ? true : undefined),
      { timeoutMs: 60_000, what: "a custom resource in the history" },
    );
    await send("bob", "PATCH", `${widgets}/first`, { spec: { size: 2 } });
    await eventually(async () => {
      const commit = (await kubescribe.commitsOf("widgets", "default/first")).at(-1);
      return commit?.user === "bob" && commit.tier === "exact" ? true : undefined;
    });
    await send("carol", "DELETE", `${definitions}/widgets.example.com`);
    await eventually(
      async () => {
        const commit = (await kubescribe.commitsOf("widgets", "default/first")).at(-1);
        return commit?.operation === "DELETE" ? true : undefined;
      },
      { what: "the end of a custom resource" },
    );
    await eventually(async () => (await plane.request("admin", "GET", widgets)).status === 404 || undefined);
    await defined();
    await eventually(
      async () => {
        await plane.request("dave", "POST", widgets, widget("second"));
        const seen = (await kubescribe.commits()).some(({ paths }) => paths.some((at) => at.endsWith("second.yaml")));
        return seen ? true : undefined;
      },
      { timeoutMs: 60_000, what: "a custom resource of the new definition" },
    );
  });

  test("the history is sound", async () => {
    await kubescribe.assertSound();
  });
});

interface ReplicaSets {
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

function deployment(name: string): object {
  const labels = { app: name };
  const containers = [{ name: "main", image: "example.com/main:1" }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
}

function widget(name: string): object {
  return { apiVersion: "example.com/v1", kind: "Widget", metadata: { name }, spec: { size: 1 } };
}

const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};
