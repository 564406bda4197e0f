/** What the strategy of a type does to an object before validating admission: what a client may not set, generation. */

import type { Json, JsonObject } from "./json.ts";
import { arrayAt, equalJson, numberAt, objectAt, withMembers, without } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";

export interface Birth {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** Whole seconds, RFC 3339. */
  readonly time: string;
  /** For Services. */
  readonly clusterIp: string;
}

/** `decoded` has its managedFields. */
export function prepareForCreate(type: SimulatedType, decoded: JsonObject, birth: Birth): JsonObject {
  const given = objectAt(decoded, "metadata");
  const metadata = withMembers(
    without(given, "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"),
    {
      name: birth.name,
      namespace: type.namespaced ? birth.namespace : undefined,
      uid: birth.uid,
      generation: type.countsGenerations ? 1 : undefined,
      creationTimestamp: birth.time,
    },
  );
  return born(type, withMembers(decoded, { metadata }), birth);
}

/** A whole new object over the current one, its managedFields set; `subresource` says which part may change. */
export function prepareForUpdate(
  type: SimulatedType,
  {
    current,
    next,
    subresource,
  }: { readonly current: JsonObject; readonly next: JsonObject; readonly subresource: string },
): JsonObject {
  const before = objectAt(current, "metadata");
  const given = objectAt(next, "metadata");
  const metadata = withMembers(given, {
    name: before["name"],
    namespace: before["namespace"],
    uid: before["uid"],
    creationTimestamp: before["creationTimestamp"],
    deletionTimestamp: before["deletionTimestamp"],
    deletionGracePeriodSeconds: before["deletionGracePeriodSeconds"],
    generation: before["generation"],
    resourceVersion: undefined,
    selfLink: undefined,
  });
  if (subresource === "status") return withStatus(type, { current, next, metadata });
  const kept = type.statusSubresource ? { status: current["status"] } : {};
  const merged = withMembers(next, { metadata, ...kept });
  const object = allocated(type, { current, merged, subresource });
  if (!type.countsGenerations || equalJson(generationInput(type, current), generationInput(type, object))) {
    return object;
  }
  return withMembers(object, {
    metadata: withMembers(metadata, { generation: numberAt(metadata, "generation") + 1 }),
  });
}

/** A Namespace keeps its finalizers in its spec. */
export function finalizersOf(type: SimulatedType, object: JsonObject): readonly Json[] {
  const own = arrayAt(objectAt(object, "metadata"), "finalizers");
  return type.kind === "Namespace" ? [...own, ...arrayAt(objectAt(object, "spec"), "finalizers")] : own;
}

/** Annotations and finalizers pass through a status write, and of some types labels (K17). */
function withStatus(
  type: SimulatedType,
  {
    current,
    next,
    metadata,
  }: { readonly current: JsonObject; readonly next: JsonObject; readonly metadata: JsonObject },
): JsonObject {
  const before = objectAt(current, "metadata");
  const { managedFields } = metadata;
  const kept = {
    nothing: metadata,
    labels: withMembers(metadata, { labels: before["labels"] }),
    metadata: withMembers(before, { managedFields }),
  }[type.keptFromStatus];
  return withMembers(current, { metadata: kept, status: next["status"] });
}

/** A Deployment hands its annotations to its replica sets. */
function generationInput(type: SimulatedType, object: JsonObject): JsonObject {
  const content = without(object, "kind", "apiVersion", "metadata", "status");
  const annotations = type.kind === "Deployment" ? objectAt(objectAt(object, "metadata"), "annotations") : {};
  return { content, annotations };
}

function born(type: SimulatedType, object: JsonObject, { clusterIp }: Birth): JsonObject {
  switch (type.kind) {
    case "Service":
      return withMembers(object, {
        spec: {
          ipFamilies: ["IPv4"],
          ipFamilyPolicy: "SingleStack",
          clusterIP: clusterIp,
          clusterIPs: [clusterIp],
          ...objectAt(object, "spec"),
        },
        status: { loadBalancer: {} },
      });
    case "Namespace":
      return withMembers(object, { spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
    case "Pod":
      return withMembers(object, { status: { phase: "Pending", qosClass: "BestEffort" } });
    case "Deployment":
      return withMembers(object, { status: {} });
    default:
      return type.statusSubresource ? without(object, "status") : object;
  }
}

/** What the API server gave to the object stays, whatever the request says. */
function allocated(
  type: SimulatedType,
  {
    current,
    merged,
    subresource,
  }: { readonly current: JsonObject; readonly merged: JsonObject; readonly subresource: string },
): JsonObject {
  const before = objectAt(current, "spec");
  const spec = objectAt(merged, "spec");
  switch (type.kind) {
    case "Namespace":
      return subresource === "finalize" ? merged : withMembers(merged, { spec: before });
    case "Service": {
      const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = before;
      const given = { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy };
      return withMembers(merged, { spec: withMembers(spec, { ...given, ...spec }) });
    }
    default:
      return merged;
  }
}
