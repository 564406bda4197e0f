/** What decoding makes of a request's object: members that say nothing go, as Go's structs drop them, and defaults come. */

import type { Json, JsonObject } from "./json.ts";
import { arrayAt, isObject, objectAt, stringAt, withMembers, without } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";
import { apiVersionOf } from "./resource-types.ts";

export function decode(type: SimulatedType, object: JsonObject): JsonObject {
  const named = { ...object, kind: type.kind, apiVersion: apiVersionOf(type) };
  if (type.layout !== null) return withDefaults(type, withoutUnset(named, ROOT));
  // Of a custom resource only the metadata goes through a struct.
  return { ...named, metadata: withoutUnset(objectAt(object, "metadata"), ROOT.below.get("metadata")) };
}

/** Fields that Go leaves out when they are empty, false or 0; dotted paths, within Pod templates from `spec` on. */
const LEFT_OUT = [
  "metadata.labels",
  "metadata.annotations",
  "metadata.finalizers",
  "metadata.ownerReferences",
  "metadata.managedFields",
  "metadata.resourceVersion",
  "metadata.uid",
  "metadata.generateName",
  "data",
  "binaryData",
  "stringData",
  "subsets",
  "spec.paused",
  "spec.minReadySeconds",
  "spec.selector.matchLabels",
  "spec.containers.env",
  "spec.containers.env.value",
  "spec.containers.ports",
  "spec.containers.command",
  "spec.containers.args",
  "spec.nodeSelector",
  "spec.volumes",
  "spec.ports.name",
  "spec.finalizers",
  "status.observedGeneration",
  "status.replicas",
  "status.updatedReplicas",
  "status.readyReplicas",
  "status.availableReplicas",
  "status.unavailableReplicas",
  "status.conditions",
  "status.phase",
];

/** A field, and those below it. */
interface Place {
  readonly below: Map<string, Place>;
  leftOut: boolean;
}

const ROOT = treeOf([...LEFT_OUT, ...LEFT_OUT.map((path) => `spec.template.${path}`)]);

function treeOf(paths: readonly string[]): Place {
  const root: Place = { below: new Map(), leftOut: false };
  for (const path of paths) {
    let place = root;
    for (const name of path.split(".")) {
      const next = place.below.get(name) ?? { below: new Map<string, Place>(), leftOut: false };
      place.below.set(name, next);
      place = next;
    }
    place.leftOut = true;
  }
  return root;
}

function withoutUnset(object: JsonObject, place: Place | undefined): JsonObject {
  const members = Object.entries(object);
  const kept = members.filter(
    ([key, value]) => value !== null && !(place?.below.get(key)?.leftOut === true && isZero(value)),
  );
  const within = kept.map(([key, value]) => [key, withoutUnsetWithin(value, place?.below.get(key))] as const);
  const whole = kept.length === members.length && within.every(([key, value]) => value === object[key]);
  return whole ? object : Object.fromEntries(within);
}

/** Elements of a list have the place of the list. */
function withoutUnsetWithin(value: Json, place: Place | undefined): Json {
  if (isObject(value)) return withoutUnset(value, place);
  if (!Array.isArray(value)) return value;
  const list = value as readonly Json[];
  const within = list.map((item) => (isObject(item) ? withoutUnset(item, place) : item));
  return within.every((item, at) => item === list[at]) ? list : within;
}

function isZero(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return value === "" || value === false || value === 0;
}

function withDefaults(type: SimulatedType, object: JsonObject): JsonObject {
  switch (type.kind) {
    case "Secret":
      return secretDefaults(object);
    case "Service":
      return serviceDefaults(object);
    case "Namespace":
      return namespaceDefaults(object);
    case "Deployment":
      return deploymentDefaults(object);
    case "Pod":
      return withMembers(object, {
        spec: { enableServiceLinks: true, ...podDefaults(objectAt(object, "spec")) },
        status: objectAt(object, "status"),
      });
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

function serviceDefaults(object: JsonObject): JsonObject {
  const spec = objectAt(object, "spec");
  const ports = arrayAt(spec, "ports")
    .filter(isObject)
    .map((port) => ({ protocol: "TCP", targetPort: port["port"] ?? null, ...port }));
  return withMembers(object, {
    spec: { internalTrafficPolicy: "Cluster", sessionAffinity: "None", type: "ClusterIP", ...spec, ports },
    status: withMembers({ loadBalancer: {} }, objectAt(object, "status")),
  });
}

function namespaceDefaults(object: JsonObject): JsonObject {
  const metadata = objectAt(object, "metadata");
  const name = stringAt(metadata, "name");
  const own = name === "" ? {} : { "kubernetes.io/metadata.name": name };
  return withMembers(object, {
    metadata: withMembers(metadata, { labels: { ...objectAt(metadata, "labels"), ...own } }),
    spec: objectAt(object, "spec"),
    status: objectAt(object, "status"),
  });
}

function deploymentDefaults(object: JsonObject): JsonObject {
  const spec = objectAt(object, "spec");
  const template = objectAt(spec, "template");
  return withMembers(object, {
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
      strategy: strategyDefaults(objectAt(spec, "strategy")),
      template: { ...template, spec: podDefaults(objectAt(template, "spec")) },
    },
    status: objectAt(object, "status"),
  });
}

function strategyDefaults(strategy: JsonObject): JsonObject {
  const type = stringAt(strategy, "type") || "RollingUpdate";
  if (type !== "RollingUpdate") return { ...strategy, type };
  const rollingUpdate = { maxUnavailable: "25%", maxSurge: "25%", ...objectAt(strategy, "rollingUpdate") };
  return { type, rollingUpdate };
}

function podDefaults(spec: JsonObject): JsonObject {
  const containers = arrayAt(spec, "containers")
    .filter(isObject)
    .map((container) => ({
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: /:(?!latest$)/.test(stringAt(container, "image")) ? "IfNotPresent" : "Always",
      ...container,
      ...("ports" in container ? { ports: portsOf(container) } : {}),
    }));
  return {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
    ...spec,
    containers,
  };
}

function portsOf(container: JsonObject): readonly Json[] {
  return arrayAt(container, "ports")
    .filter(isObject)
    .map((port) => ({ protocol: "TCP", ...port }));
}
