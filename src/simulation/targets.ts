/** What is committed where: two targets in one repository, on a branch each or sharing one, and one with a selector. */

import { decodeDocuments } from "../config/decode-documents.ts";
import type { RuleDocument } from "../config/documents.ts";
import type { SimulatedType } from "../simulator/resource-types.ts";
import type { CheckedTarget } from "./checkers/target-files.ts";

export interface PlacedTarget extends CheckedTarget {
  readonly gitdir: string;
  readonly branch: string;
}

export interface Targets {
  readonly documents: readonly RuleDocument[];
  /** The same in the words of the checks. By namespace and name of the GitRepoConfig. */
  readonly placed: ReadonlyMap<string, PlacedTarget>;
}

export function targetsOf({ sharedBranch }: { readonly sharedBranch: boolean }): Targets {
  const appsBranch = sharedBranch ? "main" : "apps";
  const decoded = decodeDocuments(textOf(appsBranch), "rules.yaml");
  if (decoded.problems.length > 0) throw new Error(JSON.stringify(decoded.problems));
  const shared = "/repos/shared.git";
  return {
    documents: decoded.documents,
    placed: new Map([
      ["default/all", { gitdir: shared, branch: "main", prefix: "all/", selects: () => true }],
      ["default/apps", { gitdir: shared, branch: appsBranch, prefix: "apps/", selects: isApp }],
      ["a/team", { gitdir: "/repos/team.git", branch: "main", prefix: "", selects: isOfTeam }],
    ]),
  };
}

function isApp({ resource }: SimulatedType): boolean {
  return ["configmaps", "deployments"].includes(resource);
}

function isOfTeam({ resource }: SimulatedType, namespace: string, labels: Readonly<Record<string, unknown>>): boolean {
  return namespace === "a" && ["configmaps", "secrets", "widgets"].includes(resource) && labels["team"] === "x";
}

function textOf(appsBranch: string): string {
  return `
apiVersion: kubescribe.dev/v1alpha1
kind: GitRepoConfig
metadata: {name: all, namespace: default}
spec: {url: "file:///repos/shared.git", branch: main, path: all}
---
apiVersion: kubescribe.dev/v1alpha1
kind: GitRepoConfig
metadata: {name: apps, namespace: default}
spec: {url: "file:///repos/shared.git", branch: ${appsBranch}, path: apps}
---
apiVersion: kubescribe.dev/v1alpha1
kind: GitRepoConfig
metadata: {name: team, namespace: a}
spec: {url: "file:///repos/team.git", branch: main}
---
apiVersion: kubescribe.dev/v1alpha1
kind: ClusterWatchRule
metadata: {name: all}
spec:
  repo: {name: all, namespace: default}
  rules: [{apiGroups: ["*"], apiVersions: ["*"], resources: ["*"], operations: [CREATE, UPDATE, DELETE]}]
---
apiVersion: kubescribe.dev/v1alpha1
kind: ClusterWatchRule
metadata: {name: apps}
spec:
  repo: {name: apps, namespace: default}
  rules: [{apiGroups: ["", apps], apiVersions: ["*"], resources: [configmaps, deployments], operations: [CREATE, UPDATE, DELETE]}]
---
apiVersion: kubescribe.dev/v1alpha1
kind: WatchRule
metadata: {name: team, namespace: a}
spec:
  repo: {name: team, namespace: a}
  selector: {matchLabels: {team: x}}
  rules: [{apiGroups: ["", example.com], apiVersions: ["*"], resources: [configmaps, secrets, widgets], operations: [CREATE, UPDATE, DELETE]}]
`;
}
