/** The kinds of the storm, and what an object of each looks like. Four names of each are fought over. */

import type { JsonObject } from "../controlplane/api-client.ts";

export interface StormKind {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly scalable: boolean;
  readonly status: JsonObject | null;
  /** A PUT without resourceVersion is taken; custom resources refuse it. */
  readonly blindPut: boolean;
  /** All but metadata; `version` is what writers change, `replicas` where there are any. */
  content(version: number, replicas: number): JsonObject;
}

export const namespace = "storm";
export const names = ["web-0", "web-1", "web-2", "web-3"] as const;

export const markerPrefix = "storm.example.com/writer";
export const hold = "storm.example.com/hold";

const plain = { namespaced: true, scalable: false, status: null, blindPut: true };
const podTemplate = (version: number): JsonObject => ({
  metadata: { labels: { app: "storm" } },
  spec: { containers: [{ name: "app", image: `example.com/app:v${version}`, env: [{ name: "EMPTY", value: "" }] }] },
});

export const kinds: readonly StormKind[] = [
  {
    ...plain,
    group: "",
    version: "v1",
    resource: "configmaps",
    kind: "ConfigMap",
    content: (version) => ({ data: { text: `v${version}`, lines: "a\nb\u2028<&>\n" } }),
  },
  {
    ...plain,
    group: "",
    version: "v1",
    resource: "secrets",
    kind: "Secret",
    content: (version) => ({ type: "Opaque", data: { key: Buffer.from(`v${version}`).toString("base64") } }),
  },
  {
    ...plain,
    group: "",
    version: "v1",
    resource: "services",
    kind: "Service",
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } },
    content: (version) => ({
      spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: [{ port: 80 + (version % 50) }] },
    }),
  },
  {
    ...plain,
    group: "apps",
    version: "v1",
    resource: "deployments",
    kind: "Deployment",
    scalable: true,
    status: { observedGeneration: 1 },
    content: (version, replicas) => ({
      spec: { replicas, selector: { matchLabels: { app: "storm" } }, template: podTemplate(version) },
    }),
  },
  {
    ...plain,
    group: "rbac.authorization.k8s.io",
    version: "v1",
    resource: "clusterroles",
    kind: "ClusterRole",
    namespaced: false,
    content: (version) => ({ rules: [{ apiGroups: [""], resources: [`things-${version}`], verbs: ["get"] }] }),
  },
  {
    ...plain,
    group: "storm.example.com",
    version: "v1",
    resource: "widgets",
    kind: "Widget",
    scalable: true,
    status: { replicas: 1 },
    blindPut: false,
    content: (version, replicas) => ({ spec: { replicas, text: `v${version}`, large: 9007199254740000, ratio: 0.1 } }),
  },
];

export function typeKeyOf({ group, resource }: Pick<StormKind, "group" | "resource">): string {
  return `${group === "" ? "core" : group}/${resource}`;
}

export function collectionPath(kind: StormKind): string {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  return `${root}${kind.namespaced ? `/namespaces/${namespace}` : ""}/${kind.resource}`;
}

/** Every namespace: what a watch asks for. */
export function clusterPath(kind: StormKind): string {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  return `${root}/${kind.resource}`;
}

export const widgetDefinition: JsonObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.storm.example.com" },
  spec: {
    group: "storm.example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
        },
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                "x-kubernetes-preserve-unknown-fields": true,
                properties: { replicas: { type: "integer" } },
              },
              status: { type: "object", properties: { replicas: { type: "integer" } } },
            },
          },
        },
      },
    ],
  },
};
