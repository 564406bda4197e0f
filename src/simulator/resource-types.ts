/** The resource types that the simulated API server knows, with the field order that its Go structs would have. */

import type { ResourceType } from "../../machines/messages.ts";
import { typeKeyOf } from "../../machines/messages.ts";
import type { Layout } from "./json.ts";

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

const CONTAINER: Layout = {
  name: null,
  image: null,
  command: null,
  args: null,
  workingDir: null,
  ports: { name: null, hostPort: null, containerPort: null, protocol: null },
  env: { name: null, value: null, valueFrom: null },
  resources: { limits: null, requests: null },
  volumeMounts: null,
  livenessProbe: null,
  readinessProbe: null,
  terminationMessagePath: null,
  terminationMessagePolicy: null,
  imagePullPolicy: null,
};

const DEPLOYMENT: Layout = {
  ...HEAD,
  spec: {
    replicas: null,
    selector: { matchLabels: null, matchExpressions: null },
    template: {
      metadata: METADATA,
      spec: {
        volumes: null,
        initContainers: CONTAINER,
        containers: CONTAINER,
        restartPolicy: null,
        terminationGracePeriodSeconds: null,
        dnsPolicy: null,
        nodeSelector: null,
        serviceAccountName: null,
        securityContext: null,
        schedulerName: null,
      },
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

export const SCALE: Layout = { ...HEAD, spec: { replicas: null }, status: { replicas: null, selector: null } };

const BASE = {
  group: "",
  version: "v1",
  namespaced: true,
  scalable: false,
  shortNames: [],
  countsGenerations: false,
  statusSubresource: false,
  unconditionalUpdate: true,
} as const;

function define(type: Omit<SimulatedType, "key" | keyof typeof BASE> & Partial<SimulatedType>): SimulatedType {
  const whole = { ...BASE, ...type };
  return { ...whole, key: typeKeyOf(whole.group, whole.resource) };
}

export const CONFIG_MAPS = define({
  resource: "configmaps",
  kind: "ConfigMap",
  singular: "configmap",
  shortNames: ["cm"],
  layout: { ...HEAD, immutable: null, data: null, binaryData: null },
});
const SECRETS = define({
  resource: "secrets",
  kind: "Secret",
  singular: "secret",
  layout: { ...HEAD, immutable: null, data: null, stringData: null, type: null },
});
const SERVICES = define({
  resource: "services",
  kind: "Service",
  singular: "service",
  shortNames: ["svc"],
  statusSubresource: true,
  layout: SERVICE,
});
export const NAMESPACES = define({
  resource: "namespaces",
  kind: "Namespace",
  singular: "namespace",
  shortNames: ["ns"],
  namespaced: false,
  statusSubresource: true,
  layout: { ...HEAD, spec: { finalizers: null }, status: { phase: null, conditions: null } },
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
  layout: DEPLOYMENT,
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
