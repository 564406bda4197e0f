/**
 * What goes from objects of certain kinds, beside what goes from all (common-rules.ts). Keyed by group/kind, `core` for the core
 * group. docs/SANITIZING.md shows this table; a test keeps the two equal.
 */

import { annotationsOf, templateRules } from "./common-rules.ts";
import { isList, isObject, type Json, type JsonObject } from "./json-tree.ts";
import type { Rule } from "./rule.ts";

const workload = templateRules("spec.template");
const jobLabels = ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];

export const kindRules: Readonly<Record<string, readonly Rule[]>> = {
  "core/Namespace": [
    {
      path: "spec.finalizers",
      why: "The API server sets `kubernetes` on every namespace; only /finalize may change it.",
    },
  ],
  "core/Service": [
    {
      path: "spec.clusterIP",
      when: (value) => value !== "None",
      only: "not `None`, which is intent: a headless service",
      why: "Taken from this cluster's range.",
    },
    {
      path: "spec.clusterIPs",
      when: (value) => !isList(value) || value[0] !== "None",
      only: "not `None`",
      why: "Goes with clusterIP.",
    },
  ],
  "core/PersistentVolumeClaim": [
    {
      path: "spec.volumeName",
      when: (_, object) => annotationsOf(object)["pv.kubernetes.io/bound-by-controller"] !== undefined,
      only: "when the binder chose it (annotation pv.kubernetes.io/bound-by-controller)",
      why: "In another cluster the claim would wait for a volume that does not exist. One that a user chose stays.",
    },
  ],
  "core/PersistentVolume": [
    {
      path: "spec.claimRef.uid",
      why: "Of the claim in this cluster; without it the claim of that name may bind.",
    },
    { path: "spec.claimRef.resourceVersion", why: "Goes with the uid." },
  ],
  "core/Pod": [
    {
      path: "spec.nodeName",
      why: "The scheduler's choice; a Pod on a node that does not exist is deleted.",
    },
    {
      path: "spec.volumes",
      items: isTokenVolume,
      only: "`kube-api-access-` and five characters, projecting a service account token",
      why: "Admission adds it to every Pod, under a random name.",
    },
    ...["initContainers", "containers"].map((list): Rule => ({
      path: `spec.${list}[].volumeMounts`,
      items: isTokenMount,
      only: "those of that volume",
      why: "Goes with the volume.",
    })),
    {
      path: "spec.ephemeralContainers",
      why: "Refused in a Pod that is created; /ephemeralcontainers only adds them to running ones.",
    },
    {
      path: "spec.priority",
      why: "Computed from priorityClassName; admission refuses another number than its own.",
    },
    { path: "spec.preemptionPolicy", why: "As priority." },
    {
      path: "spec.overhead",
      why: "Computed from runtimeClassName; admission refuses another than its own.",
    },
    {
      path: "metadata.annotations",
      keys: [
        "kubernetes.io/config.mirror",
        "kubernetes.io/config.hash",
        "kubernetes.io/config.source",
        "kubernetes.io/config.seen",
      ],
      why: "The kubelet marks mirrors of static Pods with them; the API server refuses a mirror without nodeName.",
    },
    {
      path: "metadata.annotations",
      keys: ["kubernetes.io/limit-ranger"],
      why: "Admission tells which defaults it filled in; the defaults themselves stay.",
    },
    {
      path: "metadata.labels",
      keys: ["controller-uid", "batch.kubernetes.io/controller-uid"],
      when: (_, object) => ownedBy(object, "Job"),
      only: "when a Job owns it",
      why: "The Job's uid.",
    },
  ],
  "core/PodTemplate": templateRules("template"),
  "core/ReplicationController": workload,
  "core/ServiceAccount": ["secrets", "imagePullSecrets"].map((list): Rule => ({
    path: list,
    items: isGeneratedSecret,
    only: "the account's name, `-token-` or `-dockercfg-`, and five characters",
    why: "Token controllers generate these Secrets and list them; those that a user listed stay.",
  })),
  "core/Secret": [
    {
      path: "metadata.annotations",
      keys: ["kubernetes.io/service-account.uid"],
      why: "Of the account in this cluster; with another's uid the token controller deletes the Secret.",
    },
  ],
  "core/Node": [
    { path: "spec.podCIDR", why: "The node controller assigns it." },
    { path: "spec.podCIDRs", why: "Goes with podCIDR." },
    { path: "spec.providerID", why: "Names a machine of this cluster; once set it cannot change." },
    {
      path: "spec.taints",
      items: isControllerTaint,
      only: "node.kubernetes.io/ and node.cloudprovider.kubernetes.io/",
      why: "Controllers put them where a node is not ready, under pressure or cordoned (spec.unschedulable stays).",
    },
    { path: "spec.taints[].timeAdded", why: "The API server notes the time." },
    {
      path: "metadata.annotations",
      keys: [
        "node.alpha.kubernetes.io/ttl",
        "csi.volume.kubernetes.io/nodeid",
        "volumes.kubernetes.io/controller-managed-attach-detach",
      ],
      why: "Kubelet and controllers write them.",
    },
  ],
  "core/Endpoints": ["addresses", "notReadyAddresses"].flatMap((list): Rule[] => [
    { path: `subsets[].${list}[].targetRef.uid`, why: "Of a Pod in this cluster." },
    { path: `subsets[].${list}[].targetRef.resourceVersion`, why: "Goes with the uid." },
  ]),
  "discovery.k8s.io/EndpointSlice": [
    { path: "endpoints[].targetRef.uid", why: "Of a Pod in this cluster." },
    { path: "endpoints[].targetRef.resourceVersion", why: "Goes with the uid." },
  ],
  "apps/Deployment": workload,
  "apps/ReplicaSet": workload,
  "apps/DaemonSet": workload,
  "apps/StatefulSet": [
    ...workload,
    ...templateRules("spec.volumeClaimTemplates[]"),
    {
      path: "spec.volumeClaimTemplates[].status",
      why: "The API server adds a status to each template.",
    },
  ],
  "batch/Job": [
    ...workload,
    {
      path: "spec.selector",
      when: hasGeneratedSelector,
      only: "unless spec.manualSelector",
      why: "The API server generates it from the Job's uid, and refuses one that it did not.",
    },
    ...["spec.template.metadata.labels", "metadata.labels"].map((path): Rule => ({
      path,
      keys: jobLabels,
      when: hasGeneratedSelector,
      only: "unless spec.manualSelector",
      why: "Goes with the selector.",
    })),
  ],
  "batch/CronJob": [...templateRules("spec.jobTemplate"), ...templateRules("spec.jobTemplate.spec.template")],
  "rbac.authorization.k8s.io/ClusterRole": [
    {
      path: "rules",
      when: (_, object) => isObject(object["aggregationRule"]),
      only: "when there is an aggregationRule",
      why: "A controller gathers them from other roles and overwrites whatever stands there.",
    },
  ],
  "certificates.k8s.io/CertificateSigningRequest": ["username", "uid", "groups", "extra"].map((field): Rule => ({
    path: `spec.${field}`,
    why: "The API server notes who asked.",
  })),
  "coordination.k8s.io/Lease": ["holderIdentity", "acquireTime", "renewTime", "leaseTransitions"].map(
    (field): Rule => ({
      path: `spec.${field}`,
      why: "The holder's heartbeat, every few seconds.",
    }),
  ),
  "coordination.k8s.io/LeaseCandidate": ["pingTime", "renewTime"].map((field): Rule => ({
    path: `spec.${field}`,
    why: "The candidate's heartbeat.",
  })),
  "resource.k8s.io/DeviceTaintRule": [{ path: "spec.taint.timeAdded", why: "The API server notes the time." }],
  "apiregistration.k8s.io/APIService": [injectedBundle("spec.caBundle")],
  "apiextensions.k8s.io/CustomResourceDefinition": [injectedBundle("spec.conversion.webhook.clientConfig.caBundle")],
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration": [injectedBundle("webhooks[].clientConfig.caBundle")],
  "admissionregistration.k8s.io/MutatingWebhookConfiguration": [injectedBundle("webhooks[].clientConfig.caBundle")],
};

function injectedBundle(path: string): Rule {
  const injectors = [
    "cert-manager.io/inject-ca-from",
    "cert-manager.io/inject-ca-from-secret",
    "cert-manager.io/inject-apiserver-ca",
    "service.beta.openshift.io/inject-cabundle",
  ];
  return {
    path,
    when: (_, object) => injectors.some((injector) => annotationsOf(object)[injector] !== undefined),
    only: "when an annotation asks cert-manager or OpenShift to inject it",
    why: "A controller fills it in, from this cluster's certificates. One that a user wrote is intent and stays.",
  };
}

function isControllerTaint(item: Json): boolean {
  const key = isObject(item) ? item["key"] : undefined;
  return typeof key === "string" && /^node\.(?:cloudprovider\.)?kubernetes\.io\//.test(key);
}

function isTokenVolume(item: Json): boolean {
  if (!isObject(item) || !isTokenName(item["name"])) return false;
  const { projected } = item as { readonly projected?: Json };
  const sources = isObject(projected) ? projected["sources"] : undefined;
  return isList(sources) && sources.some((source) => isObject(source) && source["serviceAccountToken"] !== undefined);
}

function isTokenMount(item: Json): boolean {
  return (
    isObject(item) && isTokenName(item["name"]) && item["mountPath"] === "/var/run/secrets/kubernetes.io/serviceaccount"
  );
}

function isTokenName(name: Json | undefined): boolean {
  return typeof name === "string" && /^kube-api-access-[a-z0-9]{5}$/.test(name);
}

function isGeneratedSecret(item: Json, object: JsonObject): boolean {
  const { metadata } = object as { readonly metadata?: Json };
  const account = isObject(metadata) ? metadata["name"] : undefined;
  const name = isObject(item) ? item["name"] : undefined;
  if (typeof name !== "string" || typeof account !== "string" || !name.startsWith(`${account}-`)) return false;
  return /^(?:token|dockercfg)-[a-z0-9]{5}$/.test(name.slice(account.length + 1));
}

function hasGeneratedSelector(_: Json, object: JsonObject): boolean {
  const { spec } = object as { readonly spec?: Json };
  return !isObject(spec) || spec["manualSelector"] !== true;
}

function ownedBy(object: JsonObject, kind: string): boolean {
  const { metadata } = object as { readonly metadata?: Json };
  const owners = isObject(metadata) ? metadata["ownerReferences"] : undefined;
  return isList(owners) && owners.some((owner) => isObject(owner) && owner["kind"] === kind);
}
