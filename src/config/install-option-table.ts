/** The options of `kubescribe install`. The values of the chart have the same names, defaults and words. */

import { defaultNamespace, type OptionDefinition, type OptionKind } from "./option-table.ts";

const place = "What is installed";
const rights = "What it may read (nothing, until you say so)";
const surroundings = "What else the cluster has";
const question = "Instead of printing";

export const installOptionTable: readonly OptionDefinition[] = [
  option("namespace", place, { value: "NAME", fallback: defaultNamespace, help: "that everything lies in" }),
  option("image", place, {
    value: "IMAGE",
    help: "built from deploy/Dockerfile (default: kubescribe:VERSION, this one's)",
  }),
  option("replicas", place, {
    value: "N",
    fallback: "1",
    kind: { kind: "number", from: 1, to: 9, unit: "pods" },
    help: "pods; one records, the others wait to take over, and hand reviews on to it",
  }),
  option("certificates", place, {
    value: "self|cert-manager|files",
    fallback: "self",
    kind: { kind: "choice", choices: ["self", "cert-manager", "files"] },
    help: "whose the webhook's certificate is: its own, cert-manager's, or yours in a Secret kubescribe-tls",
  }),
  option("storage", place, {
    value: "none|pvc",
    fallback: "none",
    kind: { kind: "choice", choices: ["none", "pvc"] },
    help: "where its data lies: with the pod, or on a volume of its own (then one pod, and no rolling update)",
  }),
  option("storage-size", place, { value: "SIZE", fallback: "10Gi", help: "of that volume" }),
  option("storage-class", place, { value: "NAME", help: "of that volume (default: the cluster's own)" }),
  option("cpu", place, { value: "CPU", fallback: "100m", help: "that is requested for a pod" }),
  option("memory", place, { value: "SIZE", fallback: "384Mi", help: "that is requested for a pod" }),
  option("memory-limit", place, { value: "SIZE", fallback: "1Gi", help: "that a pod may take" }),
  option("watch", rights, {
    value: "TYPES",
    help: "types that it may watch, as apps/deployments,configmaps; Secrets only when they are named",
  }),
  option("git-secrets", rights, {
    value: "SECRETS",
    help: "Secrets with credentials of Git remotes, as NAMESPACE/NAME,NAMESPACE/NAME",
  }),
  option("network-policy", surroundings, {
    value: "CIDRS",
    help: "a NetworkPolicy: reviews come only from these addresses of the API server, as 10.0.0.1/32,10.0.0.2/32",
  }),
  flag("service-monitor", surroundings, "a ServiceMonitor for the operator of Prometheus"),
  flag("prometheus-rule", surroundings, "a PrometheusRule with the alerts"),
  flag("dashboard", surroundings, "a ConfigMap with the dashboard, for the sidecar of Grafana"),
  flag("check", question, "ask a cluster what it lacks, or what is wrong with the installation that it has"),
  option("kubeconfig", question, {
    value: "FILE",
    kind: { kind: "path", required: false },
    help: "credentials and address of that cluster (default: $KUBECONFIG, or ~/.kube/config)",
  }),
];

function option(
  name: string,
  group: string,
  rest: { readonly value: string; readonly fallback?: string; readonly kind?: OptionKind; readonly help: string },
): OptionDefinition {
  const { value, fallback = null, kind = { kind: "text" }, help } = rest;
  return { name, group, value, fallback, kind, help };
}

function flag(name: string, group: string, help: string): OptionDefinition {
  return { name, group, value: null, fallback: null, kind: { kind: "flag" }, help };
}
