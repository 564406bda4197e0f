/**
 * What kubescribe may do in a cluster, and nothing else: read its rules and write their status; know the cluster by the uid of
 * kube-system; keep its own webhook configuration, its two Secrets and its Lease, each by name. What it may watch is for others to grant.
 */

import { aggregationLabel, group, installation, keysSecret, metadata, ruleResources, webhookSecret } from "./names.ts";
import type { Document } from "./document.ts";
import { gitSecretRoleName } from "./secret-role.ts";
import type { Template } from "./template.ts";
import { each, given, item, text, value, when } from "./template.ts";

const rbac = "rbac.authorization.k8s.io";
const apiVersion = `${rbac}/v1`;

export function access(): readonly Document[] {
  return [
    {
      file: "service-account",
      comment: "Who the process is.",
      template: {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: metadata(installation),
        automountServiceAccountToken: false,
      },
    },
    { file: "access", comment: aggregateComment, template: aggregate },
    { file: "access", comment: null, template: bindingOf("ClusterRole", installation, { cluster: true }) },
    { file: "access", comment: "What it always needs of the whole cluster.", template: base },
    { file: "access", comment: watchComment, template: when(given("watch"), watched) },
    {
      file: "access",
      comment: "What it keeps in its own namespace. All are made below: it may not create any.",
      template: own,
    },
    { file: "access", comment: null, template: bindingOf("Role", installation, { cluster: false }) },
    {
      file: "access",
      comment: "Credentials of Git remotes, each by name.",
      template: each("gitSecrets", gitSecretRole),
    },
    { file: "access", comment: null, template: each("gitSecrets", gitSecretBinding) },
  ];
}

const aggregateComment = `Everything it may do in the whole cluster: the sum of the ClusterRoles with this label. To let it watch another
type, make one of your own:

  apiVersion: ${apiVersion}
  kind: ClusterRole
  metadata:
    name: ${installation}-watch-NAME
    labels: {${Object.keys(aggregationLabel)[0] ?? ""}: "true"}
  rules:
  - {apiGroups: [apps], resources: [deployments], verbs: [get, list, watch]}`;

/** No rules: the cluster writes them, and a list here would be fought over. */
const aggregate: Template = {
  apiVersion,
  kind: "ClusterRole",
  metadata: metadata(installation, { namespace: null }),
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregationLabel }] },
};

const base: Template = {
  apiVersion,
  kind: "ClusterRole",
  metadata: metadata(`${installation}-base`, { namespace: null, labels: aggregationLabel }),
  rules: [
    { apiGroups: [group], resources: [...ruleResources], verbs: ["get", "list", "watch"] },
    {
      apiGroups: [group],
      resources: ruleResources.map((resource) => `${resource}/status`),
      verbs: ["update", "patch"],
    },
    { apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] },
    {
      apiGroups: ["admissionregistration.k8s.io"],
      resources: ["validatingwebhookconfigurations"],
      resourceNames: [installation],
      verbs: ["get", "update", "patch"],
    },
  ],
};

const watchComment = "What it may watch.";
const watched: Template = {
  apiVersion,
  kind: "ClusterRole",
  metadata: metadata(`${installation}-watch-install`, { namespace: null, labels: aggregationLabel }),
  rules: [
    each("watch", { apiGroups: item("apiGroups"), resources: item("resources"), verbs: ["get", "list", "watch"] }),
  ],
};

const own: Template = {
  apiVersion,
  kind: "Role",
  metadata: metadata(installation),
  rules: [
    { apiGroups: [""], resources: ["secrets"], resourceNames: [webhookSecret], verbs: ["get", "update", "patch"] },
    { apiGroups: [""], resources: ["secrets"], resourceNames: [keysSecret], verbs: ["get", "update"] },
    {
      apiGroups: ["coordination.k8s.io"],
      resources: ["leases"],
      resourceNames: [installation],
      verbs: ["get", "update", "patch"],
    },
  ],
};

const gitSecretName = text(gitSecretRoleName(installation, ""), item("name"));
const gitSecretRole: Template = {
  apiVersion,
  kind: "Role",
  metadata: metadata(gitSecretName, { namespace: item("namespace") }),
  rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: [item("name")], verbs: ["get"] }],
};
const gitSecretBinding: Template = {
  apiVersion,
  kind: "RoleBinding",
  metadata: metadata(gitSecretName, { namespace: item("namespace") }),
  roleRef: { apiGroup: rbac, kind: "Role", name: gitSecretName },
  subjects: [{ kind: "ServiceAccount", name: installation, namespace: value("namespace") }],
};

function bindingOf(kind: "ClusterRole" | "Role", name: string, { cluster }: { readonly cluster: boolean }): Template {
  return {
    apiVersion,
    kind: cluster ? "ClusterRoleBinding" : "RoleBinding",
    metadata: metadata(name, cluster ? { namespace: null } : {}),
    roleRef: { apiGroup: rbac, kind, name },
    subjects: [{ kind: "ServiceAccount", name: installation, namespace: value("namespace") }],
  };
}
