/**
 * What reviews come through, and what the process keeps. The Secrets, the Lease and the list of webhooks are made empty, and the process
 * fills them: whoever applies this again changes nothing of that, and until the process runs no write is reviewed.
 */

import type { Document } from "./document.ts";
import {
  certificateSecret,
  installation,
  keysSecret,
  metadata,
  metricsPort,
  selector,
  webhookSecret,
} from "./names.ts";
import type { Template } from "./template.ts";
import { is, text, value, when } from "./template.ts";

const certManager = is("certificates", "cert-manager");

export function webhook(): readonly Document[] {
  return [
    {
      file: "webhook",
      comment: "The webhook's certificate and path: the process fills it in. Empty here, so that nothing is undone.",
      template: {
        apiVersion: "v1",
        kind: "Secret",
        metadata: metadata(webhookSecret),
        type: "Opaque",
      },
    },
    {
      file: "webhook",
      comment:
        "Keys that stand-ins for values of Secrets are made with: filled in once. Empty here, for the same reason.",
      template: { apiVersion: "v1", kind: "Secret", metadata: metadata(keysSecret), type: "Opaque" },
    },
    {
      file: "webhook",
      comment: "Which of several processes commits.",
      template: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: metadata(installation) },
    },
    { file: "service", comment: "Reviews, and metrics.", template: service },
    {
      file: "webhook",
      comment:
        "The process writes the webhooks into it, as its rules say. They fail open, and wait for two seconds at most.",
      template: configuration,
    },
    { file: "certificate", comment: "By cert-manager.", template: when(certManager, issuer) },
    { file: "certificate", comment: null, template: when(certManager, certificate) },
  ];
}

const service: Template = {
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata(installation),
  spec: {
    selector,
    ports: [
      { name: "webhook", port: 443, protocol: "TCP", targetPort: "webhook" },
      { name: "metrics", port: metricsPort, protocol: "TCP", targetPort: "metrics" },
    ],
  },
};

const configuration: Template = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: metadata(installation, {
    namespace: null,
    // AKS adds a namespace selector to what has not got it: reviews of its own namespaces would be missing.
    labels: { "admissions.enforcer/disabled": "true" },
    annotations: when(certManager, {
      "cert-manager.io/inject-ca-from": text(value("namespace"), `/${installation}`),
    }),
  }),
};

const issuer: Template = {
  apiVersion: "cert-manager.io/v1",
  kind: "Issuer",
  metadata: metadata(installation),
  spec: { selfSigned: {} },
};

const certificate: Template = {
  apiVersion: "cert-manager.io/v1",
  kind: "Certificate",
  metadata: metadata(installation),
  spec: {
    secretName: certificateSecret,
    dnsNames: [
      text(`${installation}.`, value("namespace"), ".svc"),
      text(`${installation}.`, value("namespace"), ".svc.cluster.local"),
    ],
    privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
    issuerRef: { group: "cert-manager.io", kind: "Issuer", name: installation },
  },
};
