/** What the API server does to an object before admission: defaults, what a client may not set, generation. */

import type { Json, JsonObject } from "./json.ts";
import { arrayAt, equalJson, isObject, numberAt, objectAt, stringAt, withMembers, without } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";
import { apiVersionOf } from "./resource-types.ts";

export interface Birth {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** Whole seconds, RFC 3339. */
  readonly time: string;
  /** For Services. */
  readonly clusterIp: string;
}

export function prepareForCreate(type: SimulatedType, body: JsonObject, birth: Birth): JsonObject {
  const given = objectAt(body, "metadata");
  const metadata = withMembers(
    without(given, "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"),
    {
      name: birth.name,
      namespace: type.namespaced ? birth.namespace : undefined,
      uid: birth.uid,
      generation: type.countsGenerations ? 1 : undefined,
      creationTimestamp: birth.time,
    },
  );
  const object = { ...body, kind: type.kind, apiVersion: apiVersionOf(type), metadata };
  return withDefaults(type, type.statusSubresource ? without(object, "status") : object, birth);
}

/** A whole new object over the current one; `subresource` says which part may change. */
export function prepareForUpdate(
  type: SimulatedType,
  {
    current,
    next,
    subresource,
  }: { readonly current: JsonObject; readonly next: JsonObject; readonly subresource: string },
): JsonObject {
  const before = objectAt(current, "metadata");
  const metadata = withMembers(objectAt(next, "metadata"), {
    name: before["name"],
    generateName: before["generateName"],
    namespace: before["namespace"],
    uid: before["uid"],
    creationTimestamp: before["creationTimestamp"],
    deletionTimestamp: before["deletionTimestamp"],
    deletionGracePeriodSeconds: before["deletionGracePeriodSeconds"],
    generation: before["generation"],
    managedFields: before["managedFields"],
    resourceVersion: undefined,
    selfLink: undefined,
  });
  if (subresource === "status") {
    // Annotations and finalizers pass through a status write (K17); labels do not.
    // Of a custom resource nothing but the status does.
    const kept = type.layout === null ? before : withMembers(metadata, { labels: before["labels"] });
    return withMembers(current, { metadata: kept, status: next["status"] });
  }
  const merged = withMembers(next, {
    kind: type.kind,
    apiVersion: apiVersionOf(type),
    metadata,
    ...(type.statusSubresource ? { status: current["status"] } : {}),
  });
  const object = withDefaults(type, merged, {
    uid: stringAt(before, "uid"),
    name: stringAt(before, "name"),
    namespace: stringAt(before, "namespace"),
    time: "",
    clusterIp: stringAt(objectAt(current, "spec"), "clusterIP"),
  });
  if (!type.countsGenerations || equalJson(generationInput(current), generationInput(object))) return object;
  return withMembers(object, {
    metadata: withMembers(metadata, { generation: numberAt(metadata, "generation") + 1 }),
  });
}

/** What deletion with finalizers sets; the generation moves too, where there is one. */
export function markDeleted(type: SimulatedType, object: JsonObject, time: string): JsonObject {
  const metadata = objectAt(object, "metadata");
  const marked = withMembers(metadata, {
    deletionTimestamp: time,
    deletionGracePeriodSeconds: type.namespaced ? 0 : undefined,
    generation: type.countsGenerations ? numberAt(metadata, "generation") + 1 : undefined,
  });
  return withMembers(object, {
    metadata: marked,
    ...(type.kind === "Namespace" ? { status: withMembers(objectAt(object, "status"), { phase: "Terminating" }) } : {}),
  });
}

/** A Namespace keeps its finalizers in its spec. */
export function finalizersOf(type: SimulatedType, object: JsonObject): readonly Json[] {
  const own = arrayAt(objectAt(object, "metadata"), "finalizers");
  return type.kind === "Namespace" ? [...own, ...arrayAt(objectAt(object, "spec"), "finalizers")] : own;
}

function generationInput(object: JsonObject): JsonObject {
  return without(object, "kind", "apiVersion", "metadata", "status");
}

function withDefaults(type: SimulatedType, object: JsonObject, birth: Birth): JsonObject {
  switch (type.kind) {
    case "Secret":
      return secretDefaults(object);
    case "Service":
      return serviceDefaults(object, birth.clusterIp);
    case "Namespace":
      // An update may empty the finalizers; that is how a namespace goes.
      return birth.time === "" ? object : namespaceDefaults(object, birth.name);
    case "Deployment":
      return deploymentDefaults(object);
    default:
      return object;
  }
}

function secretDefaults(object: JsonObject): JsonObject {
  const plain = Object.entries(objectAt(object, "stringData")).map(
    ([key, value]) => [key, Buffer.from(typeof value === "string" ? value : "").toString("base64")] as const,
  );
  const data = { ...objectAt(object, "data"), ...Object.fromEntries(plain) };
  return withMembers(without(object, "stringData"), {
    data: Object.keys(data).length === 0 ? undefined : data,
    type: stringAt(object, "type") || "Opaque",
  });
}

function serviceDefaults(object: JsonObject, clusterIp: string): JsonObject {
  const spec = objectAt(object, "spec");
  const ports = arrayAt(spec, "ports")
    .filter(isObject)
    .map((port) => ({ protocol: "TCP", targetPort: port["port"] ?? null, ...port }));
  return withMembers(object, {
    spec: {
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      sessionAffinity: "None",
      type: "ClusterIP",
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ...spec,
      ports,
    },
    status: withMembers({ loadBalancer: {} }, objectAt(object, "status")),
  });
}

function namespaceDefaults(object: JsonObject, name: string): JsonObject {
  const metadata = objectAt(object, "metadata");
  return withMembers(object, {
    metadata: withMembers(metadata, {
      labels: { ...objectAt(metadata, "labels"), "kubernetes.io/metadata.name": name },
    }),
    spec: { finalizers: ["kubernetes"], ...objectAt(object, "spec") },
    status: { phase: "Active", ...objectAt(object, "status") },
  });
}

function deploymentDefaults(object: JsonObject): JsonObject {
  const spec = objectAt(object, "spec");
  const template = objectAt(spec, "template");
  const podSpec = objectAt(template, "spec");
  const containers = arrayAt(podSpec, "containers")
    .filter(isObject)
    .map((container) => ({
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: /:(?!latest$)/.test(stringAt(container, "image")) ? "IfNotPresent" : "Always",
      ...container,
    }));
  const pods = {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
    ...podSpec,
    containers,
  };
  return withMembers(object, {
    spec: {
      replicas: 1,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
      template: { ...template, spec: pods },
    },
    status: objectAt(object, "status"),
  });
}
