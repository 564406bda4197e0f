/** The process: a Deployment that the Pod Security level "restricted" lets in, and where its data lies. */

import type { Document } from "./document.ts";
import {
  certificateSecret,
  dataClaim,
  installation,
  metadata,
  metricsPort,
  selector,
  webhookPort,
  webhookSecret,
} from "./names.ts";
import type { Template } from "./template.ts";
import { each, fields, given, is, item, not, severalReplicas, value, when } from "./template.ts";

const onClaim = is("storage", "pvc");
const ownCertificate = is("certificates", "self");
/** Of the image's user, and of the files that are mounted for it. */
const user = 65532;
const webhookDir = "/etc/kubescribe/webhook";
const certificateDir = "/etc/kubescribe/tls";
const dataDir = "/var/lib/kubescribe";
/** In memory: what must not lie on a disk. */
const memoryDir = "/run/kubescribe";

export function workload(): readonly Document[] {
  return [
    { file: "storage", comment: "Journal, cursors, keys, local copies of remotes.", template: when(onClaim, claim) },
    { file: "deployment", comment: null, template: deployment },
    {
      file: "deployment",
      comment: "A node is drained of one at a time.",
      template: when(severalReplicas, disruptionBudget),
    },
  ];
}

const claim: Template = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: metadata(dataClaim),
  spec: {
    accessModes: ["ReadWriteOnce"],
    storageClassName: when(given("storageClass"), value("storageClass")),
    resources: { requests: { storage: value("storageSize") } },
  },
};

const args: Template = [
  "run",
  `--installation=${installation}`,
  "--namespace=$(POD_NAMESPACE)",
  "--pod-name=$(POD_NAME)",
  "--pod-address=$(POD_IP)",
  `--webhook-dir=${webhookDir}`,
  when(not(ownCertificate), `--tls-cert-file=${certificateDir}/tls.crt`),
  when(not(ownCertificate), `--tls-key-file=${certificateDir}/tls.key`),
  `--credentials-dir=${memoryDir}/credentials`,
  `--data-dir=${dataDir}`,
  `--admission-address=0.0.0.0:${webhookPort}`,
  `--metrics-address=0.0.0.0:${metricsPort}`,
  each("args", item()),
];

const container: Template = {
  name: "kubescribe",
  image: value("image"),
  args,
  env: [
    ["POD_NAME", "metadata.name"],
    ["POD_NAMESPACE", "metadata.namespace"],
    ["POD_IP", "status.podIP"],
  ].map(([name = "", fieldPath = ""]) => ({ name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } })),
  ports: [
    { name: "webhook", containerPort: webhookPort, protocol: "TCP" },
    { name: "metrics", containerPort: metricsPort, protocol: "TCP" },
  ],
  livenessProbe: { httpGet: { path: "/livez", port: "metrics" }, periodSeconds: 10, failureThreshold: 6 },
  readinessProbe: { httpGet: { path: "/readyz", port: "metrics" }, periodSeconds: 2, failureThreshold: 3 },
  // Until it has listened once: a large journal is read before that.
  startupProbe: { httpGet: { path: "/livez", port: "metrics" }, periodSeconds: 1, failureThreshold: 120 },
  resources: {
    requests: { cpu: value("cpu"), memory: value("memory") },
    limits: { memory: value("memoryLimit") },
  },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    readOnlyRootFilesystem: true,
  },
  volumeMounts: [
    { name: "data", mountPath: dataDir },
    { name: "memory", mountPath: memoryDir },
    { name: "webhook", mountPath: webhookDir, readOnly: true },
    when(not(ownCertificate), { name: "tls", mountPath: certificateDir, readOnly: true }),
  ],
};

/** For the group of its user, and nobody else. */
const secretMode = 0o440;

const volumes: Template = [
  {
    name: "data",
    emptyDir: when(not(onClaim), {}),
    persistentVolumeClaim: when(onClaim, { claimName: dataClaim }),
  },
  { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
  { name: "webhook", secret: { secretName: webhookSecret, optional: true, defaultMode: secretMode } },
  when(not(ownCertificate), { name: "tls", secret: { secretName: certificateSecret, defaultMode: secretMode } }),
];

const pod: Template = {
  serviceAccountName: installation,
  automountServiceAccountToken: true,
  terminationGracePeriodSeconds: 60,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  },
  containers: [container],
  volumes,
  "more fields": fields("pod"),
};

const deployment: Template = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: metadata(installation),
  spec: {
    replicas: value("replicas"),
    selector: { matchLabels: selector },
    // A volume is held by one pod. Without one the newer process takes over from the older one, and no review is missed.
    strategy: when(
      onClaim,
      { type: "Recreate" },
      { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    ),
    template: { metadata: { labels: selector }, spec: pod },
  },
};

const disruptionBudget: Template = {
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: metadata(installation),
  spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
};
