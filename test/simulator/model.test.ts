import { describe, expect, test } from "vitest";
import type { SimulatedCluster, WriteRequest } from "../../src/simulator/cluster.ts";
import type { Attempt } from "../../src/simulator/review.ts";
import { reviewOf } from "../../src/simulator/review.ts";
import { CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, WIDGETS } from "../../src/simulator/resource-types.ts";
import { frameOf } from "../../src/simulator/watching.ts";
import { write, writeNow } from "../../src/simulator/write.ts";
import { ALLOWED, clusterAt, configMap, deployment, objectIn, requestOf, withoutVersion } from "./model-support.ts";

const lastEvent = (cluster: SimulatedCluster, type = CONFIG_MAPS) => cluster.store.eventsAfter(type.key, 0)?.at(-1);

/** Runs a write up to its first review. */
function firstReview(cluster: SimulatedCluster, request: WriteRequest): Attempt {
  const step = write(cluster, request).next();
  if (step.done === true) throw new Error(`no review, but ${step.value.body}`);
  return step.value;
}

describe("creation", () => {
  test("has uid, name and managedFields in the review, and the same bytes in the event", () => {
    const { cluster } = clusterAt();
    const run = write(cluster, requestOf({ body: configMap("a", { key: "<&>\u2028" }) }));
    const step = run.next();
    if (step.done === true) throw new Error("no review");
    const reviewed = step.value.object ?? "";
    expect(run.next(ALLOWED).value).toMatchObject({ status: 201 });
    const event = lastEvent(cluster);
    expect(event).toMatchObject({
      kind: "ADDED",
      name: "a",
      authorship: { user: "alice@example.com", reviewed: true },
    });
    const frame = event === undefined ? "" : frameOf(event);
    expect(withoutVersion(objectIn(frame))).toBe(reviewed);
    expect(reviewed).toContain(`"key":"\\u003c\\u0026\\u003e\\u2028"`);
  });

  test("gives a generated name that is taken another turn, with another uid", () => {
    const { cluster } = clusterAt();
    const suffixes = ["aaaaa", "aaaaa", "bbbbb"];
    cluster.newSuffix = () => suffixes.shift() ?? "ccccc";
    const request = requestOf({ body: { metadata: { generateName: "job-" } } });
    writeNow(cluster, request);
    const run = write(cluster, request);
    const reviewed = [run.next(), run.next(ALLOWED)].map((step) => (step.done === true ? null : step.value));
    expect(run.next(ALLOWED).value).toMatchObject({ status: 201 });
    expect(reviewed.map((attempt) => attempt?.name)).toEqual(["job-aaaaa", "job-bbbbb"]);
    const uids = reviewed.map((attempt) => /"uid":"([^"]+)"/.exec(attempt?.object ?? "")?.[1]);
    expect(new Set(uids).size).toBe(2);
  });

  test("of a name that exists is refused after the review", () => {
    const { cluster } = clusterAt();
    const request = requestOf({ body: configMap("a", {}) });
    writeNow(cluster, request);
    const run = write(cluster, request);
    expect(run.next().done).toBe(false);
    expect(run.next(ALLOWED).value).toMatchObject({ status: 409 });
  });
});

describe("update", () => {
  test("is reviewed with the old resourceVersion in object and oldObject", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ body: configMap("a", { k: "1" }) }));
    const base = cluster.store.revision;
    const attempt = firstReview(cluster, requestOf({ verb: "patch", name: "a", body: { data: { k: "2" } } }));
    const review = JSON.parse(reviewOf(attempt)) as { request: Record<string, { metadata: Record<string, unknown> }> };
    expect(review.request["object"]?.metadata["resourceVersion"]).toBe(String(base));
    expect(review.request["oldObject"]?.metadata["resourceVersion"]).toBe(String(base));
  });

  test("has the same bytes in the review and the event, but for the resourceVersion", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ type: DEPLOYMENTS, body: deployment("web", 1) }));
    const run = write(
      cluster,
      requestOf({ type: DEPLOYMENTS, verb: "patch", name: "web", body: { spec: { paused: true } } }),
    );
    const step = run.next();
    run.next(ALLOWED);
    const event = lastEvent(cluster, DEPLOYMENTS);
    if (step.done === true || event === undefined) throw new Error("no review or no event");
    expect(withoutVersion(objectIn(frameOf(event)))).toBe(withoutVersion(step.value.object ?? ""));
    expect(frameOf(event)).toContain(`"generation":2`);
  });

  test("with a stale resourceVersion gets 409 before the webhook is asked", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ body: configMap("a", { k: "1" }) }));
    const stale = { ...configMap("a", { k: "2" }), metadata: { name: "a", resourceVersion: "1" } };
    const step = write(cluster, requestOf({ verb: "update", name: "a", body: stale })).next();
    expect(step).toMatchObject({ done: true, value: { status: 409 } });
  });

  test("that loses the swap is reviewed again with fresh state, and wins then", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ body: configMap("a", { k: "1" }) }));
    const slow = write(cluster, requestOf({ verb: "patch", name: "a", body: { data: { slow: "1" } } }));
    slow.next();
    writeNow(cluster, requestOf({ verb: "patch", name: "a", body: { data: { fast: "1" } } }));
    const again = slow.next(ALLOWED);
    expect(again.done).toBe(false);
    expect(again.done === true ? "" : again.value.object).toContain(`"fast":"1"`);
    expect(slow.next(ALLOWED).value).toMatchObject({ status: 200 });
  });

  test("from a cache that lags is reviewed twice: with the dead base, then with the real one", () => {
    const { cluster: lagging } = clusterAt();
    writeNow(lagging, requestOf({ body: configMap("a", { k: "1" }) }));
    const base = lagging.store.revision;
    lagging.server({}).hold();
    writeNow(lagging, requestOf({ verb: "update", name: "a", body: configMap("a", { k: "2" }) }));
    const run = write(lagging, requestOf({ verb: "patch", name: "a", body: { data: { k: "3" } } }));
    const first = run.next();
    const second = run.next(ALLOWED);
    expect(first.done === true ? "" : first.value.oldObject).toContain(`"resourceVersion":"${base}"`);
    expect(second.done === true ? "" : second.value.oldObject).toContain(`"resourceVersion":"${base + 1}"`);
  });

  test("that changes nothing is reviewed and writes nothing", () => {
    const { cluster, advance } = clusterAt();
    writeNow(cluster, requestOf({ body: configMap("a", { k: "1" }) }));
    const before = cluster.store.revision;
    advance(5000);
    const answer = writeNow(cluster, requestOf({ verb: "patch", name: "a", body: { data: { k: "1" } } }));
    expect([answer.status, cluster.store.revision]).toEqual([200, before]);
  });

  test("that only looks like a no-op to a cache that lags is done again on fresh state", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ body: configMap("a", { k: "1" }) }));
    cluster.server({}).hold();
    writeNow(cluster, requestOf({ verb: "patch", name: "a", body: { data: { k: "2" } } }));
    writeNow(cluster, requestOf({ verb: "patch", name: "a", body: { data: { k: "1" } } }));
    expect(lastEvent(cluster)?.content.object["data"]).toEqual({ k: "1" });
  });

  test("of a custom resource must say its resourceVersion", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ type: WIDGETS, body: { metadata: { name: "w" }, spec: { size: 1 } } }));
    const body = { metadata: { name: "w" }, spec: { size: 2 } };
    expect(writeNow(cluster, requestOf({ type: WIDGETS, verb: "update", name: "w", body })).status).toBe(422);
  });
});

describe("what writes nothing", () => {
  test("a dry run is reviewed as one", () => {
    const { cluster } = clusterAt();
    const before = cluster.store.revision;
    const run = write(cluster, requestOf({ body: configMap("a", {}), dryRun: true }));
    const step = run.next();
    expect(step.done === true ? null : step.value.dryRun).toBe(true);
    run.next(ALLOWED);
    expect(cluster.store.revision).toBe(before);
  });

  test("a second webhook denies after ours was asked", () => {
    const { cluster } = clusterAt();
    const before = cluster.store.revision;
    cluster.setPolicy(() => "quota exceeded");
    const run = write(cluster, requestOf({ body: configMap("a", {}) }));
    expect(run.next().done).toBe(false);
    expect(run.next(ALLOWED).value).toMatchObject({ status: 403 });
    expect(cluster.store.revision).toBe(before);
  });
});

describe("subresources", () => {
  test("scale is reviewed as a Scale with the parent's uid and resourceVersion, 0 replicas left out", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ type: DEPLOYMENTS, body: deployment("web", 2) }));
    const base = cluster.store.revision;
    const request = requestOf({
      type: DEPLOYMENTS,
      verb: "patch",
      name: "web",
      subresource: "scale",
      body: { spec: { replicas: 0 } },
    });
    const attempt = firstReview(cluster, request);
    const object = JSON.parse(attempt.object ?? "") as Record<string, Record<string, unknown>>;
    expect(object["metadata"]?.["resourceVersion"]).toBe(String(base));
    expect(object["spec"]).toEqual({});
    expect(reviewOf(attempt)).toContain(`"kind":{"group":"autoscaling","version":"v1","kind":"Scale"}`);
    writeNow(cluster, request);
    expect(lastEvent(cluster, DEPLOYMENTS)?.content.object).toMatchObject({
      spec: { replicas: 0 },
      metadata: { generation: 2 },
    });
  });

  test("status changes the status and annotations, never the spec or the generation", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ type: DEPLOYMENTS, body: deployment("web", 2) }));
    const body = { metadata: { annotations: { seen: "yes" } }, spec: { replicas: 9 }, status: { replicas: 2 } };
    writeNow(cluster, requestOf({ type: DEPLOYMENTS, verb: "patch", name: "web", subresource: "status", body }));
    expect(lastEvent(cluster, DEPLOYMENTS)?.content.object).toMatchObject({
      metadata: { generation: 1, annotations: { seen: "yes" } },
      spec: { replicas: 2 },
      status: { replicas: 2 },
    });
  });
});

describe("deletion", () => {
  test("reviews oldObject, and the event is the previous object with the deletion's resourceVersion", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ body: configMap("a", { k: "1" }) }));
    const run = write(cluster, requestOf({ verb: "delete", name: "a" }));
    const step = run.next();
    run.next(ALLOWED);
    const event = lastEvent(cluster);
    if (step.done === true || event === undefined) throw new Error("no review or no event");
    expect(event.kind).toBe("DELETED");
    expect(withoutVersion(objectIn(frameOf(event)))).toBe(withoutVersion(step.value.oldObject ?? ""));
  });

  test("with a finalizer: MODIFIED first; emptying the finalizers makes DELETED with no DELETE review", () => {
    const { cluster } = clusterAt();
    const body = { ...configMap("a", {}), metadata: { name: "a", finalizers: ["example.com/hold"] } };
    writeNow(cluster, requestOf({ body }));
    writeNow(cluster, requestOf({ verb: "delete", name: "a" }));
    expect(lastEvent(cluster)?.kind).toBe("MODIFIED");
    const run = write(cluster, requestOf({ verb: "patch", name: "a", body: { metadata: { finalizers: null } } }));
    const step = run.next();
    expect(step.done === true ? "" : step.value.operation).toBe("UPDATE");
    run.next(ALLOWED);
    expect(lastEvent(cluster)).toMatchObject({
      kind: "DELETED",
      content: { object: { metadata: { finalizers: ["example.com/hold"] } } },
    });
    expect(cluster.store.get({ typeKey: CONFIG_MAPS.key, namespace: "default", name: "a" })).toBeNull();
  });

  test("of a collection is one review each, with an empty name", () => {
    const { cluster } = clusterAt();
    for (const name of ["a", "b"]) writeNow(cluster, requestOf({ body: configMap(name, {}) }));
    const run = write(cluster, requestOf({ verb: "deletecollection" }));
    const names: string[] = [];
    for (let step = run.next(); step.done !== true; step = run.next(ALLOWED)) names.push(step.value.name);
    expect(names).toEqual(["", ""]);
  });

  test("of a namespace waits for its finalizer, and nothing new comes into it", () => {
    const { cluster } = clusterAt();
    writeNow(cluster, requestOf({ type: NAMESPACES, namespace: "", body: { metadata: { name: "team" } } }));
    writeNow(cluster, requestOf({ type: NAMESPACES, namespace: "", verb: "delete", name: "team" }));
    expect(writeNow(cluster, requestOf({ namespace: "team", body: configMap("a", {}) })).status).toBe(403);
    const finalize = requestOf({
      type: NAMESPACES,
      namespace: "",
      verb: "update",
      name: "team",
      subresource: "finalize",
      body: { spec: { finalizers: [] } },
    });
    writeNow(cluster, finalize);
    expect(lastEvent(cluster, NAMESPACES)?.kind).toBe("DELETED");
  });
});
