/** Deletions of every kind, and those that nobody is asked about. */

import { describe, expect, test } from "vitest";
import type { SimulatedCluster, WriteRequest } from "../../src/simulator/cluster.ts";
import { nextControllerRequest } from "../../src/simulator/controllers.ts";
import type { JsonObject } from "../../src/simulator/json.ts";
import { arrayAt, objectAt, stringAt } from "../../src/simulator/json.ts";
import {
  BUILT_IN_TYPES,
  CONFIG_MAPS,
  DEPLOYMENTS,
  ENDPOINTS,
  NAMESPACES,
  PODS,
  SERVICES,
} from "../../src/simulator/resource-types.ts";
import type { SimulatedType } from "../../src/simulator/resource-types.ts";
import { write, writeNow } from "../../src/simulator/write.ts";
import { ALLOWED, clusterAt, configMap, deployment, requestOf } from "./model-support.ts";

/** Every event since `revision`: kind, name, whether somebody was asked. */
function events(cluster: SimulatedCluster, type: SimulatedType, revision = 0): readonly string[] {
  const found = cluster.store.eventsAfter(type.key, revision) ?? [];
  return found.map(({ kind, name, authorship }) => `${kind} ${name}${authorship.reviewed ? "" : ", unreviewed"}`);
}

function perform(cluster: SimulatedCluster, request: Partial<WriteRequest>) {
  const run = write(cluster, requestOf(request));
  const reviews: string[] = [];
  let step = run.next();
  for (; step.done !== true; step = run.next(ALLOWED)) reviews.push(`${step.value.operation} ${step.value.name}`);
  return { reviews, status: step.value.status };
}

function metadataOf(cluster: SimulatedCluster, type: SimulatedType, name: string): JsonObject {
  const namespace = type.namespaced ? "default" : "";
  return objectAt(cluster.store.get({ typeKey: type.key, namespace, name })?.object ?? {}, "metadata");
}

const held = (name: string, ...finalizers: readonly string[]) => ({
  ...configMap(name, {}),
  metadata: { name, finalizers },
});

describe("a Pod", () => {
  const pod = (nodeName?: string) => ({
    metadata: { name: "p" },
    spec: { containers: [{ name: "main", image: "web:1" }], ...(nodeName === undefined ? {} : { nodeName }) },
  });
  const remove = { type: PODS, verb: "delete", name: "p" } as const;

  test("that runs is marked with its time to go, and goes when the kubelet says so", () => {
    const { cluster } = clusterAt();
    perform(cluster, { type: PODS, body: pod("node-1") });
    const from = cluster.store.revision;
    expect(perform(cluster, remove)).toEqual({ reviews: ["DELETE p"], status: 200 });
    expect(metadataOf(cluster, PODS, "p")).toMatchObject({ deletionGracePeriodSeconds: 30, generation: 2 });
    expect(perform(cluster, remove), "again").toEqual({ reviews: [], status: 200 });
    const now = { ...remove, body: { gracePeriodSeconds: 0 } };
    expect(perform(cluster, now), "by the kubelet").toEqual({ reviews: ["DELETE p", "DELETE p"], status: 200 });
    expect(events(cluster, PODS, from)).toEqual(["MODIFIED p", "MODIFIED p", "DELETED p"]);
  });

  test("that was never bound goes at once: marked, and reviewed again for the removal", () => {
    const { cluster } = clusterAt();
    perform(cluster, { type: PODS, body: pod() });
    expect(perform(cluster, remove).reviews).toEqual(["DELETE p", "DELETE p"]);
    expect(events(cluster, PODS).slice(1)).toEqual(["MODIFIED p", "DELETED p"]);
  });
});

describe("a propagation policy", () => {
  test.for([
    ["Foreground", ["foregroundDeletion"]],
    ["Orphan", ["orphan"]],
  ] as const)("%s leaves a finalizer behind", ([propagationPolicy, finalizers]) => {
    const { cluster } = clusterAt();
    perform(cluster, { body: configMap("a", {}) });
    perform(cluster, { verb: "delete", name: "a", body: { propagationPolicy } });
    expect(metadataOf(cluster, CONFIG_MAPS, "a")["finalizers"]).toEqual(finalizers);
  });

  test("Background over Foreground takes the finalizer away: reviewed twice, and gone", () => {
    const { cluster } = clusterAt();
    perform(cluster, { body: configMap("a", {}) });
    perform(cluster, { verb: "delete", name: "a", body: { propagationPolicy: "Foreground" } });
    const again = perform(cluster, { verb: "delete", name: "a", body: { propagationPolicy: "Background" } });
    expect(again).toEqual({ reviews: ["DELETE a", "DELETE a"], status: 200 });
    expect(events(cluster, CONFIG_MAPS).at(-1)).toBe("DELETED a");
  });
});

describe("nobody is asked", () => {
  test("when the Endpoints go with their Service", () => {
    const { cluster } = clusterAt();
    perform(cluster, { type: SERVICES, body: { metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } } });
    perform(cluster, { type: ENDPOINTS, body: { metadata: { name: "s" } } });
    expect(perform(cluster, { type: SERVICES, verb: "delete", name: "s" }).reviews).toEqual(["DELETE s"]);
    expect(events(cluster, ENDPOINTS).at(-1)).toBe("DELETED s, unreviewed");
  });

  test("when the release of the last finalizer comes late and takes the next incarnation (K39)", () => {
    const { cluster } = clusterAt({ servers: 2 });
    perform(cluster, { body: held("a", "example.com/hold") });
    cluster.server({ server: 1 }).hold();
    perform(cluster, { verb: "delete", name: "a" });
    const release = { verb: "patch", name: "a", body: { metadata: { finalizers: null } } } as const;
    // The first attempt is stale; an answer to the second is final.
    const late = write(cluster, requestOf({ ...release, server: 1 }));
    late.next();
    late.next(ALLOWED);
    perform(cluster, release);
    perform(cluster, { body: configMap("a", { next: "yes" }) });
    expect(late.next(ALLOWED).value).toMatchObject({ status: 200 });
    expect(events(cluster, CONFIG_MAPS).slice(-3)).toEqual(["DELETED a", "ADDED a", "DELETED a, unreviewed"]);
  });

  test("but not when the release was a PUT that says its uid", () => {
    const { cluster } = clusterAt();
    perform(cluster, { body: held("a", "example.com/hold") });
    perform(cluster, { verb: "delete", name: "a" });
    const { uid = "" } = metadataOf(cluster, CONFIG_MAPS, "a");
    const body = { ...configMap("a", {}), metadata: { name: "a", uid } };
    const late = write(cluster, requestOf({ verb: "update", name: "a", body }));
    late.next();
    perform(cluster, { verb: "patch", name: "a", body: { metadata: { finalizers: null } } });
    perform(cluster, { body: configMap("a", { next: "yes" }) });
    expect(late.next(ALLOWED).value).toMatchObject({ status: 409 });
    expect(events(cluster, CONFIG_MAPS).at(-1)).toBe("ADDED a");
  });
});

describe("controllers", () => {
  /** Until they have nothing to do. */
  function settle(cluster: SimulatedCluster): readonly string[] {
    const done: string[] = [];
    for (let request = nextControllerRequest(cluster); request !== null; request = nextControllerRequest(cluster)) {
      done.push(`${request.verb} ${request.type.resource} ${request.name}`.trim());
      writeNow(cluster, request);
      if (done.length > 20) throw new Error(done.join("\n"));
    }
    return done;
  }

  test("empty a terminating namespace, then let it go", () => {
    const { cluster } = clusterAt();
    perform(cluster, { type: NAMESPACES, namespace: "", body: { metadata: { name: "team" } } });
    perform(cluster, { namespace: "team", body: configMap("a", {}) });
    perform(cluster, { type: DEPLOYMENTS, namespace: "team", body: deployment("web", 1) });
    expect(perform(cluster, { type: NAMESPACES, namespace: "", verb: "delete", name: "team" }).reviews).toEqual([
      "DELETE team",
    ]);
    expect(settle(cluster)).toEqual([
      "deletecollection configmaps",
      "deletecollection deployments",
      "update namespaces team",
    ]);
    expect(events(cluster, NAMESPACES).at(-1)).toMatch(/^DELETED team/);
  });

  function family(cluster: SimulatedCluster): void {
    perform(cluster, { type: DEPLOYMENTS, body: deployment("web", 1) });
    const uid = stringAt(metadataOf(cluster, DEPLOYMENTS, "web"), "uid");
    const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid, blockOwnerDeletion: true };
    perform(cluster, { body: { ...configMap("child", {}), metadata: { name: "child", ownerReferences: [owner] } } });
  }

  test.for([
    ["Background", ["delete configmaps child"]],
    ["Foreground", ["delete configmaps child", "patch configmaps child", "patch deployments web"]],
    ["Orphan", ["patch configmaps child", "patch deployments web"]],
  ] as const)("do their part in a deletion with %s", ([propagationPolicy, work]) => {
    const { cluster } = clusterAt();
    family(cluster);
    perform(cluster, { type: DEPLOYMENTS, verb: "delete", name: "web", body: { propagationPolicy } });
    expect(settle(cluster)).toEqual(work);
    expect(metadataOf(cluster, DEPLOYMENTS, "web")).toEqual({});
    const child = metadataOf(cluster, CONFIG_MAPS, "child");
    expect([child["name"], arrayAt(child, "ownerReferences")]).toEqual(
      propagationPolicy === "Orphan" ? ["child", []] : [undefined, []],
    );
  });

  test("have nothing to do while nothing is deleted", () => {
    const { cluster } = clusterAt();
    family(cluster);
    expect(BUILT_IN_TYPES).toContain(DEPLOYMENTS);
    expect(settle(cluster)).toEqual([]);
  });
});
