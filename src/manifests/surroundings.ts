/** What only some clusters have a use for: who may connect, and what Prometheus and Grafana read. */

import type { Document } from "./document.ts";
import { installation, metadata, metricsPort, selector, webhookPort } from "./names.ts";
import type { Template } from "./template.ts";
import { each, file, given, item, when } from "./template.ts";

export function surroundings(): readonly Document[] {
  return [
    {
      file: "network-policy",
      comment: "Reviews come from these addresses, and from its own pods, which hand them on to each other.",
      template: when(given("networkPolicy"), networkPolicy),
    },
    { file: "monitoring", comment: null, template: when(given("serviceMonitor"), serviceMonitor) },
    { file: "monitoring", comment: null, template: when(given("prometheusRule"), prometheusRule) },
    { file: "monitoring", comment: "Read by Grafana's sidecar.", template: when(given("dashboard"), dashboard) },
  ];
}

const networkPolicy: Template = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: metadata(installation),
  spec: {
    podSelector: { matchLabels: selector },
    policyTypes: ["Ingress"],
    ingress: [
      {
        ports: [{ port: webhookPort, protocol: "TCP" }],
        from: [{ podSelector: { matchLabels: selector } }, each("networkPolicy", { ipBlock: { cidr: item() } })],
      },
      { ports: [{ port: metricsPort, protocol: "TCP" }], from: [{ namespaceSelector: {} }] },
    ],
  },
};

const serviceMonitor: Template = {
  apiVersion: "monitoring.coreos.com/v1",
  kind: "ServiceMonitor",
  metadata: metadata(installation),
  spec: { selector: { matchLabels: selector }, endpoints: [{ port: "metrics", path: "/metrics" }] },
};

const prometheusRule: Template = {
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PrometheusRule",
  metadata: metadata(installation),
  spec: file("alerts.yaml"),
};

const dashboard: Template = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: metadata(`${installation}-dashboard`, { labels: { grafana_dashboard: "1" } }),
  data: { "kubescribe.json": file("dashboard.json") },
};
