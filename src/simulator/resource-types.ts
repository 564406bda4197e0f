/** The resource types that the simulated API server knows, with the field order that its Go structs would have. */

import type { ResourceType } from "../../machines/messages.ts";
import { typeKeyOf } from "../../machines/messages.ts";
import type { JsonObject, Layout } from "./json.ts";
import type { Lists } from "./pod-fields.ts";
import { POD_FIELDS, podLists } from "./pod-fields.ts";

export interface SimulatedType extends ResourceType {
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** Null for a custom resource: all of its maps are sorted. */
  readonly layout: Layout | null;
  /** Counts changes of the spec in metadata.generation. */
  readonly countsGenerations: boolean;
  readonly statusSubresource: boolean;
  /** A PUT may leave out resourceVersion; custom resources refuse that. */
  readonly unconditionalUpdate: boolean;
  /** A PUT of a name that is not there creates it (K9). */
  readonly createdByUpdate: boolean;
  /** A deletion leaves time to whoever runs it (Pods). */
  readonly deletedGracefully: boolean;
  /** What a status write may not change beside the spec (K17). */
  readonly keptFromStatus: "nothing" | "labels" | "metadata";
  /** The fields that have a name in the schema, for the owners of fields: everything else is a key of a map. */
  readonly fields: Layout;
  /** How the elements of a list are told apart; by dotted path. Lists that are not named are atomic. */
  readonly lists: Lists;
  /** Maps that are owned whole; dotted paths. */
  readonly atomicMaps: readonly string[];
  /** What an object without any content has in Go: its structs that are no pointers. */
  readonly zero: JsonObject;
}

const METADATA: Layout = {
  name: null,
  generateName: null,
  namespace: null,
  selfLink: null,
  uid: null,
  resourceVersion: null,
  generation: null,
  creationTimestamp: null,
  deletionTimestamp: null,
  deletionGracePeriodSeconds: null,
  labels: null,
  annotations: null,
  ownerReferences: { apiVersion: null, kind: null, name: null, uid: null, controller: null, blockOwnerDeletion: null },
  finalizers: null,
  managedFields: {
    manager: null,
    operation: null,
    apiVersion: null,
    time: null,
    fieldsType: null,
    fieldsV1: null,
    subresource: null,
  },
};

const HEAD: Layout = { kind: null, apiVersion: null, metadata: METADATA };

const DEPLOYMENT: Layout = {
  ...HEAD,
  spec: {
    replicas: null,
    selector: { matchLabels: null, matchExpressions: null },
    template: {
      metadata: METADATA,
      spec: POD_FIELDS,
    },
    strategy: { type: null, rollingUpdate: { maxUnavailable: null, maxSurge: null } },
    minReadySeconds: null,
    revisionHistoryLimit: null,
    paused: null,
    progressDeadlineSeconds: null,
  },
  status: {
    observedGeneration: null,
    replicas: null,
    updatedReplicas: null,
    readyReplicas: null,
    availableReplicas: null,
    unavailableReplicas: null,
    conditions: {
      type: null,
      status: null,
      lastUpdateTime: null,
      lastTransitionTime: null,
      reason: null,
      message: null,
    },
  },
};

const SERVICE: Layout = {
  ...HEAD,
  spec: {
    ports: { name: null, protocol: null, appProtocol: null, port: null, targetPort: null, nodePort: null },
    selector: null,
    clusterIP: null,
    clusterIPs: null,
    type: null,
    sessionAffinity: null,
    ipFamilies: null,
    ipFamilyPolicy: null,
    internalTrafficPolicy: null,
  },
  status: { loadBalancer: null },
};

const SCALE: Layout = { ...HEAD, spec: { replicas: null }, status: { replicas: null, selector: null } };

const BASE = {
  group: "",
  version: "v1",
  namespaced: true,
  scalable: false,
  shortNames: [],
  countsGenerations: false,
  statusSubresource: false,
  unconditionalUpdate: true,
  createdByUpdate: false,
  deletedGracefully: false,
  keptFromStatus: "nothing",
  lists: {},
  atomicMaps: [],
  zero: {},
} as const;

const METADATA_LISTS: Lists = { "metadata.finalizers": "set", "metadata.ownerReferences": ["uid"] };

type Given = Omit<SimulatedType, "key" | "fields" | keyof typeof BASE> & Partial<SimulatedType>;

function define(type: Given): SimulatedType {
  const whole = { ...BASE, fields: type.layout ?? HEAD, ...type };
  return { ...whole, key: typeKeyOf(whole.group, whole.resource), lists: { ...METADATA_LISTS, ...whole.lists } };
}

export const CONFIG_MAPS = define({
  resource: "configmaps",
  kind: "ConfigMap",
  singular: "configmap",
  shortNames: ["cm"],
  layout: { ...HEAD, immutable: null, data: null, binaryData: null },
});
export const SECRETS = define({
  resource: "secrets",
  kind: "Secret",
  singular: "secret",
  layout: { ...HEAD, immutable: null, data: null, stringData: null, type: null },
});
export const SERVICES = define({
  resource: "services",
  kind: "Service",
  singular: "service",
  shortNames: ["svc"],
  statusSubresource: true,
  createdByUpdate: true,
  layout: SERVICE,
  lists: { "spec.ports": ["port", "protocol"], "status.conditions": ["type"] },
  atomicMaps: ["spec.selector"],
  zero: { spec: {}, status: { loadBalancer: {} } },
});
export const ENDPOINTS = define({
  resource: "endpoints",
  kind: "Endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  createdByUpdate: true,
  layout: { ...HEAD, subsets: { addresses: null, notReadyAddresses: null, ports: null } },
});
export const NAMESPACES = define({
  resource: "namespaces",
  kind: "Namespace",
  singular: "namespace",
  shortNames: ["ns"],
  namespaced: false,
  statusSubresource: true,
  layout: { ...HEAD, spec: { finalizers: null }, status: { phase: null, conditions: null } },
  lists: { "status.conditions": ["type"] },
  zero: { spec: {}, status: {} },
});
export const PODS = define({
  resource: "pods",
  kind: "Pod",
  singular: "pod",
  shortNames: ["po"],
  statusSubresource: true,
  deletedGracefully: true,
  countsGenerations: true,
  layout: {
    ...HEAD,
    spec: POD_FIELDS,
    status: { observedGeneration: null, phase: null, conditions: null, qosClass: null },
  },
  lists: { ...podLists("spec"), "status.conditions": ["type"] },
  zero: { spec: { containers: null }, status: {} },
});
export const DEPLOYMENTS = define({
  group: "apps",
  resource: "deployments",
  kind: "Deployment",
  singular: "deployment",
  shortNames: ["deploy"],
  scalable: true,
  countsGenerations: true,
  statusSubresource: true,
  keptFromStatus: "labels",
  layout: DEPLOYMENT,
  lists: { ...podLists("spec.template.spec"), "status.conditions": ["type"] },
  atomicMaps: ["spec.selector", "spec.template.spec.nodeSelector"],
  zero: {
    spec: { selector: null, strategy: {}, template: { metadata: {}, spec: { containers: null } } },
    status: {},
  },
});
/** What a scale request and its review show; it is stored nowhere. */
export const SCALES = define({
  group: "autoscaling",
  resource: "scales",
  kind: "Scale",
  singular: "scale",
  layout: SCALE,
});
/** Stands for every custom resource: no struct, no unconditional update. */
export const WIDGETS = define({
  group: "example.com",
  resource: "widgets",
  kind: "Widget",
  singular: "widget",
  shortNames: ["wd"],
  countsGenerations: true,
  statusSubresource: true,
  unconditionalUpdate: false,
  keptFromStatus: "metadata",
  layout: null,
});

export const BUILT_IN_TYPES: readonly SimulatedType[] = [
  CONFIG_MAPS,
  SECRETS,
  SERVICES,
  NAMESPACES,
  DEPLOYMENTS,
  WIDGETS,
];

export function apiVersionOf(type: ResourceType): string {
  return type.group === "" ? type.version : `${type.group}/${type.version}`;
}
