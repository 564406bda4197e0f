/** Rule documents for tests: right as they are; `extra` lines go into the spec. */

export function repository(extra = "", url = '  url: "file:///var/lib/kubescribe/history.git"'): string {
  const path = extra.includes("path:") || url === "" ? "" : "path: clusters/prod";
  return [
    "apiVersion: kubescribe.dev/v1alpha1",
    "kind: GitRepoConfig",
    "metadata: {name: history, namespace: default}",
    "# the target",
    "spec:",
    url,
    extra,
    path === "" ? "" : `  ${path}`,
  ]
    .filter((line) => line !== "")
    .join("\n");
}

const rules = `  rules:
  - {apiGroups: ["", apps], apiVersions: ["*"], resources: [configmaps, deployments], operations: [CREATE, UPDATE, DELETE]}`;

export function clusterRule(spec = rules, extra = ""): string {
  return [
    "apiVersion: kubescribe.dev/v1alpha1",
    "kind: ClusterWatchRule",
    "metadata: {name: workloads}",
    "spec:",
    "  repo: {name: history, namespace: default}",
    spec,
    extra,
  ]
    .filter((line) => line !== "")
    .join("\n");
}

export function watchRule(extra = ""): string {
  return [
    "apiVersion: kubescribe.dev/v1alpha1",
    "kind: WatchRule",
    "metadata: {name: own, namespace: team-a}",
    "spec:",
    "  repo: {name: history, namespace: default}",
    rules,
    extra,
  ]
    .filter((line) => line !== "")
    .join("\n");
}
