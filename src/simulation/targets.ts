/** What is committed where: two targets that share a branch, one with a selector. */

import { decodeDocuments } from "../config/decode-documents.ts";
import type { SimulatedType } from "../simulator/resource-types.ts";
import type { CheckedTarget } from "./checkers/branch-check.ts";

const text = `
apiVersion: kubescribe.dev/v1alpha1
kind: GitRepoConfig
metadata: {name: all, namespace: default}
spec: {url: "file:///repos/shared.git", branch: main, path: all}
---
apiVersion: kubescribe.dev/v1alpha1
kind: GitRepoConfig
metadata: {name: apps, namespace: default}
spec: {url: "file:///repos/shared.git", branch: main, path: apps}
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

const decoded = decodeDocuments(text, "rules.yaml");
if (decoded.problems.length > 0) throw new Error(JSON.stringify(decoded.problems));
export const { documents } = decoded;

/** The same in the words of the checks. By the name of the GitRepoConfig. */
export const targets: ReadonlyMap<string, CheckedTarget & { readonly gitdir: string }> = new Map([
  ["all", { gitdir: "/repos/shared.git", prefix: "all/", selects: () => true }],
  [
    "apps",
    {
      gitdir: "/repos/shared.git",
      prefix: "apps/",
      selects: ({ resource }: SimulatedType) => ["configmaps", "deployments"].includes(resource),
    },
  ],
  [
    "team",
    {
      gitdir: "/repos/team.git",
      prefix: "",
      selects: ({ resource }: SimulatedType, namespace: string, labels: Readonly<Record<string, unknown>>) =>
        namespace === "a" && ["configmaps", "secrets", "widgets"].includes(resource) && labels["team"] === "x",
    },
  ],
]);
