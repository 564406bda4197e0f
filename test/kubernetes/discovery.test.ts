import { describe, expect, test } from "vitest";

import { Discovery, resourceTypeOf } from "../../src/kubernetes/discovery.ts";
import { FakeApi } from "./fake-api.ts";
import type { Answer } from "./fake-api.ts";

const never = new AbortController().signal;
const verbs = ["list", "watch", "get"];

const resource = (name: string, kind: string, more: object = {}): object => ({
  resource: name,
  responseKind: { group: "", version: "", kind },
  scope: "Namespaced",
  verbs,
  ...more,
});
const aggregated = (groups: readonly (readonly [string, readonly object[]])[]): string =>
  JSON.stringify({
    kind: "APIGroupDiscoveryList",
    items: groups.map(([name, versions]) => ({ metadata: name === "" ? {} : { name }, versions })),
  });
const core = aggregated([
  [
    "",
    [
      {
        version: "v1",
        resources: [resource("configmaps", "ConfigMap"), { ...resource("bindings", "Binding"), verbs: ["create"] }],
      },
    ],
  ],
]);

describe("discovery", () => {
  test("names what can be watched, the preferred version first", async () => {
    const scale = { subresources: [{ subresource: "scale" }, { subresource: "status" }] };
    const apps = aggregated([
      [
        "apps",
        [
          { version: "v2", resources: [resource("deployments", "Deployment")] },
          { version: "v1", resources: [resource("deployments", "Deployment", scale)] },
        ],
      ],
    ]);
    const api = new FakeApi((path) => ({ body: path === "/api" ? core : apps }));
    const { types } = await new Discovery(api).read(never);
    expect(
      types.map(({ group, resource: name, versions }) => [group, name, versions.map(({ version }) => version)]),
    ).toEqual([
      ["", "configmaps", ["v1"]],
      ["apps", "deployments", ["v2", "v1"]],
    ]);
    const [, deployments] = types;
    if (deployments === undefined) throw new Error("No deployments.");
    expect(resourceTypeOf(deployments, () => true)).toMatchObject({
      key: "apps/deployments",
      version: "v2",
      scalable: false,
    });
    expect(resourceTypeOf(deployments, (version) => version === "v1")).toMatchObject({ version: "v1", scalable: true });
    expect(resourceTypeOf(deployments, () => false)).toBe(null);
  });

  test("asks an unchanged server cheaply", async () => {
    const api = new FakeApi((path, { headers }): Answer => {
      const etag = `"${path}"`;
      if (headers?.["if-none-match"] === etag) return { status: 304, body: "" };
      return { headers: { etag }, body: path === "/api" ? core : aggregated([]) };
    });
    const discovery = new Discovery(api);
    const [first, second] = [await discovery.read(never), await discovery.read(never)];
    expect(second.types).toEqual(first.types);
    expect(api.requests.map(({ headers }) => headers?.["if-none-match"])).toEqual([
      undefined,
      undefined,
      '"/api"',
      '"/apis"',
    ]);
  });

  test("knows that a silent server's types may be there all the same", async () => {
    const stale = aggregated([["metrics.example.com", [{ version: "v1", freshness: "Stale", resources: [] }]]]);
    const { uncertain } = await new Discovery(new FakeApi((path) => ({ body: path === "/api" ? core : stale }))).read(
      never,
    );
    expect([uncertain("metrics.example.com"), uncertain("apps")]).toEqual([true, false]);
  });

  test("reads older servers one group and version at a time", async () => {
    const documents: Record<string, Answer> = {
      "/api": { body: JSON.stringify({ kind: "APIVersions", versions: ["v1"] }) },
      "/apis": {
        body: JSON.stringify({
          kind: "APIGroupList",
          groups: [
            {
              name: "apps",
              versions: [{ version: "v1beta1" }, { version: "v1" }],
              preferredVersion: { version: "v1" },
            },
            { name: "down.example.com", versions: [{ version: "v1" }] },
          ],
        }),
      },
      "/api/v1": {
        body: JSON.stringify({ resources: [{ name: "configmaps", kind: "ConfigMap", namespaced: true, verbs }] }),
      },
      "/apis/down.example.com/v1": { status: 503, body: "" },
    };
    const deployments = JSON.stringify({
      resources: [
        { name: "deployments", kind: "Deployment", namespaced: true, verbs },
        { name: "deployments/scale", kind: "Scale", namespaced: true, verbs: ["get"] },
      ],
    });
    const { types, uncertain } = await new Discovery(
      new FakeApi((path) => documents[path] ?? { body: deployments }),
    ).read(never);
    expect(
      types.map(({ resource: name, versions }) => [
        name,
        versions.map(({ version, scalable }) => `${version} ${scalable}`),
      ]),
    ).toEqual([
      ["configmaps", ["v1 false"]],
      ["deployments", ["v1 true", "v1beta1 true"]],
    ]);
    expect(uncertain("down.example.com")).toBe(true);
  });

  test.each([
    ["a refused connection", new Error("ECONNREFUSED")],
    ["a status", { status: 403, body: "" }],
    ["no JSON", { body: "<html>" }],
    ["an answer that breaks off", { body: "{", breaks: true }],
  ] as const)("%s says what to do", async (_, answer) => {
    const read = new Discovery(new FakeApi(() => answer)).read(never);
    await expect(read).rejects.toMatchObject({ name: "KubescribeError", retry: "backoff" });
  });
});
