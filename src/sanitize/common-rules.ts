/** What goes from objects of every kind. docs/SANITIZING.md shows this table; a test keeps the two equal. */

import { isObject, type Json } from "./json-tree.ts";
import type { Rule } from "./rule.ts";

const builtInFinalizers = new Set([
  "kubernetes",
  "orphan",
  "foregroundDeletion",
  "kubernetes.io/pv-protection",
  "kubernetes.io/pvc-protection",
  "kubernetes.io/pv-controller",
  "kubernetes.io/vac-protection",
  "external-provisioner.volume.kubernetes.io/finalizer",
  "service.kubernetes.io/load-balancer-cleanup",
  "batch.kubernetes.io/job-tracking",
  "batch.kubernetes.io/cronjob-finalizer",
  "customresourcecleanup.apiextensions.k8s.io",
  "networking.k8s.io/service-cidr-finalizer",
  "resource.kubernetes.io/delete-protection",
  "scheduling.k8s.io/podgroup-protection",
]);

export const commonRules: readonly Rule[] = [
  { path: "status", why: "What controllers observe, not what somebody wants." },
  { path: "metadata.uid", why: "The API server assigns it; another cluster assigns another." },
  {
    path: "metadata.resourceVersion",
    why: "Changes with every write; an apply that carries it is refused.",
  },
  { path: "metadata.generation", why: "The API server counts it." },
  { path: "metadata.creationTimestamp", why: "The API server sets it." },
  {
    path: "metadata.deletionTimestamp",
    why: "The API server sets it; a terminating object has no file.",
  },
  { path: "metadata.deletionGracePeriodSeconds", why: "Goes with deletionTimestamp." },
  {
    path: "metadata.managedFields",
    why: "Bookkeeping of writes; a server-side apply must not carry it.",
  },
  { path: "metadata.selfLink", why: "Old API servers set it." },
  {
    path: "metadata.ownerReferences",
    why: "Each must hold the owner's uid, which another cluster does not have: its garbage collector would delete the object.",
  },
  {
    path: "metadata.finalizers",
    items: (item) => typeof item === "string" && (builtInFinalizers.has(item) || item.startsWith("external-attacher/")),
    only: "those that Kubernetes itself sets; others are somebody's intent",
    why: "Controllers set and remove them; without its controller one would block deletion.",
  },
  {
    path: "metadata.annotations",
    keys: [
      "kubectl.kubernetes.io/last-applied-configuration",
      "kapp.k14s.io/original",
      "kapp.k14s.io/original-diff",
      "banzaicloud.com/last-applied",
      "objectset.rio.cattle.io/applied",
    ],
    why: "A copy of the whole object as somebody applied it: doubles every change, and holds the values of Secrets.",
  },
  {
    path: "metadata.annotations",
    keys: ["deployment.kubernetes.io/*", "deprecated.daemonset.template.generation"],
    why: "The deployment and daemon set controllers count revisions and replicas in them.",
  },
  {
    path: "metadata.annotations",
    keys: [
      "pv.kubernetes.io/*",
      "volume.kubernetes.io/selected-node",
      "volume.kubernetes.io/storage-provisioner",
      "volume.kubernetes.io/storage-resizer",
      "volume.kubernetes.io/node-expansion-not-required",
      "volume.kubernetes.io/provisioner-deletion-secret-name",
      "volume.kubernetes.io/provisioner-deletion-secret-namespace",
      "volume.beta.kubernetes.io/storage-provisioner",
    ],
    why: "Controllers mark bound and provisioned volumes with them; in another cluster they would claim a binding that is none.",
  },
  {
    path: "metadata.annotations",
    keys: ["control-plane.alpha.kubernetes.io/leader"],
    why: "Leader election writes it every few seconds.",
  },
  {
    path: "metadata.annotations",
    keys: ["endpoints.kubernetes.io/last-change-trigger-time", "endpoints.kubernetes.io/over-capacity"],
    why: "The endpoints controllers write them.",
  },
  {
    path: "metadata.annotations",
    keys: ["autoscaling.alpha.kubernetes.io/conditions", "autoscaling.alpha.kubernetes.io/current-metrics"],
    why: "Status of an autoscaler that autoscaling/v1 has no field for.",
  },
  {
    path: "metadata.annotations",
    keys: ["cloud.google.com/neg-status", "ingress.kubernetes.io/backends", "field.cattle.io/publicEndpoints"],
    why: "Status that well-known controllers keep in annotations.",
  },
];

/** Of pod templates and their like, whose metadata is no object's. */
export function templateRules(path: string): readonly Rule[] {
  return [
    {
      path: `${path}.metadata.creationTimestamp`,
      when: isNull,
      only: "null",
      why: "API servers before 1.34 add it to every template.",
    },
  ];
}

export function annotationsOf(object: Json): Readonly<Record<string, Json | undefined>> {
  const metadata = isObject(object) ? object["metadata"] : undefined;
  const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
  return isObject(annotations) ? annotations : {};
}

function isNull(value: Json): boolean {
  return value === null;
}
