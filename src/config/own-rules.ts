/**
 * What is recorded without being asked for: the rule documents themselves, so that a history says by whose rules it was made. A target
 * gets those of its own namespace; one that a ClusterWatchRule writes to, all of them. Pure.
 */

import { apiVersion, type GitRepoConfig, type RuleConfig, type RuleDocument } from "./documents.ts";

const [group = "", version = ""] = apiVersion.split("/");
const ownRuleName = "kubescribe";

export function withOwnRules(documents: readonly RuleDocument[]): readonly RuleDocument[] {
  const clusterWide = new Set(
    documents.flatMap((document) =>
      document.kind === "ClusterWatchRule" ? [`${document.repo.namespace}/${document.repo.name}`] : [],
    ),
  );
  const repositories = documents.filter((document) => document.kind === "GitRepoConfig");
  const own = repositories.map((config) => ownRule(config, clusterWide.has(`${config.namespace}/${config.name}`)));
  return [...documents, ...own];
}

function ownRule({ place, name, namespace }: GitRepoConfig, all: boolean): RuleConfig {
  const resources = ["gitrepoconfigs", "watchrules", ...(all ? ["clusterwatchrules"] : [])];
  return {
    kind: all ? "ClusterWatchRule" : "WatchRule",
    place,
    name: ownRuleName,
    namespace: all ? "" : namespace,
    repo: { place, name, namespace },
    namespaces: all ? null : [namespace],
    rules: [
      {
        place,
        apiGroups: [group],
        apiVersions: [version],
        resources,
        operations: ["CREATE", "UPDATE", "DELETE"],
      },
    ],
    matchLabels: {},
    matchExpressions: [],
  };
}
