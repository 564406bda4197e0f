/** The rule documents as types of the cluster's own. A chart keeps them when it goes: with them all rules would go. */

import type { Document } from "./document.ts";
import { group, metadata } from "./names.ts";
import { repositorySpec } from "./repository-schema.ts";
import type { Schema } from "./schema.ts";
import { repositoryStatus, ruleStatus } from "./status-schema.ts";
import type { Template } from "./template.ts";
import { inChart, when } from "./template.ts";
import { clusterWatchRuleSpec, watchRuleSpec } from "./watch-rule-schema.ts";

export function customResources(): readonly Document[] {
  return kinds.map((kind, index) => ({
    file: "custom-resources",
    comment: index === 0 ? "Where changes go, and what is watched: the same documents as in files." : null,
    template: definitionOf(kind),
  }));
}

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly description: string;
  readonly spec: Schema;
  readonly status: Schema;
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  readonly type: "string" | "date" | "integer";
  readonly jsonPath: string;
  readonly description: string;
  /** 1: only with `-o wide`. */
  readonly priority?: 1;
}

const age: Column = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Since when it is there.",
};

function condition(type: "Ready" | "Synced" | "Pushed", description: string): Column {
  return { name: type, type: "string", jsonPath: `.status.conditions[?(@.type=="${type}")].status`, description };
}

const why: Column = {
  name: "Why",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].message',
  description: "Why it is ready, or not.",
  priority: 1,
};

const ruleColumns: readonly Column[] = [
  {
    name: "Repository",
    type: "string",
    jsonPath: ".spec.repo.name",
    description: "The GitRepoConfig that it goes to.",
  },
  condition("Ready", "Whether all that it names is watched."),
  { name: "Types", type: "string", jsonPath: ".status.watchedTypes", description: "What is watched.", priority: 1 },
  why,
  age,
];

const kinds: readonly Kind[] = [
  {
    kind: "GitRepoConfig",
    plural: "gitrepoconfigs",
    singular: "gitrepoconfig",
    shortName: "grc",
    scope: "Namespaced",
    description: "A branch of a Git repository that changes of the cluster are committed to.",
    spec: repositorySpec,
    status: repositoryStatus,
    columns: [
      { name: "URL", type: "string", jsonPath: ".spec.url", description: "The repository." },
      { name: "Branch", type: "string", jsonPath: ".spec.branch", description: "The branch." },
      condition("Ready", "Whether changes are recorded."),
      condition("Pushed", "Whether the remote has all commits."),
      { name: "Commit", type: "string", jsonPath: ".status.lastCommit", description: "The last one.", priority: 1 },
      {
        name: "Committed",
        type: "date",
        jsonPath: ".status.lastCommitTime",
        description: "How long ago the last commit was made.",
      },
      why,
      age,
    ],
  },
  {
    kind: "WatchRule",
    plural: "watchrules",
    singular: "watchrule",
    shortName: "wr",
    scope: "Namespaced",
    description: "Types whose changes are recorded, in the namespace of the rule.",
    spec: watchRuleSpec,
    status: ruleStatus,
    columns: ruleColumns,
  },
  {
    kind: "ClusterWatchRule",
    plural: "clusterwatchrules",
    singular: "clusterwatchrule",
    shortName: "cwr",
    scope: "Cluster",
    description: "Types whose changes are recorded, in the whole cluster.",
    spec: clusterWatchRuleSpec,
    status: ruleStatus,
    columns: ruleColumns,
  },
];

function definitionOf({
  kind,
  plural,
  singular,
  shortName,
  scope,
  description,
  spec,
  status,
  columns,
}: Kind): Template {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: metadata(`${plural}.${group}`, {
      namespace: null,
      annotations: when(inChart, { "helm.sh/resource-policy": "keep" }),
    }),
    spec: {
      group,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: ["kubescribe"] },
      versions: [
        {
          name: "v1alpha1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map((column) => ({ ...column })),
          schema: {
            openAPIV3Schema: {
              type: "object",
              description,
              required: ["spec"],
              properties: {
                apiVersion: { type: "string", description: "kubescribe.dev/v1alpha1." },
                kind: { type: "string", description: `${kind}.` },
                metadata: { type: "object" },
                spec,
                status,
              },
            },
          },
        },
      ],
    },
  };
}
