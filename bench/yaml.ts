/**
 * From an object's bytes to its canonical YAML, beside what else could do it. Trust the ratios: all contestants take turns in one
 * process, and the figure of each is the median of its rounds. `--smoke`: one short round. `--json`: one document.
 *
 *     node bench/yaml.ts [--smoke] [--json]
 */

import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { canonicalYaml } from "../src/sanitize/canonical-yaml.ts";
import { parseObject } from "../src/sanitize/parse-object.ts";
import { manifestOf } from "../src/sanitize/manifest.ts";
import { sanitize } from "../src/sanitize/sanitize.ts";
import { environment, print, smoke } from "./environment.ts";
import { simulatedSecrets } from "../src/simulation/simulated-secrets.ts";

interface Contestant {
  readonly name: string;
  run(bytes: Uint8Array): unknown;
}

interface Figure {
  readonly name: string;
  readonly perSecond: number;
  readonly ratio: number;
}

const roundMs = smoke ? 20 : 300;
const rounds = smoke ? 1 : 7;
const deploymentKind = { group: "apps", kind: "Deployment" };

const contestants: readonly Contestant[] = [
  { name: "JSON.parse + JSON.stringify", run: (bytes) => JSON.stringify(JSON.parse(textOf(bytes))) },
  { name: "JSON.parse", run: (bytes) => JSON.parse(textOf(bytes)) as unknown },
  { name: "parse", run: parseObject },
  { name: "parse + sanitize", run: sanitized },
  { name: "parse + YAML, nothing dropped", run: (bytes) => canonicalYaml(parseObject(bytes)) },
  {
    name: "manifestOf (parse + sanitize + YAML)",
    run: (bytes) => manifestOf(bytes, { ...deploymentKind, secrets: simulatedSecrets }).yaml,
  },
  {
    name: "JSON.parse + sanitize + yaml package",
    run: (bytes) => stringify(sanitized(bytes), { sortMapEntries: true }),
  },
];

interface Result {
  readonly name: string;
  readonly jsonBytes: number;
  readonly yamlBytes: number;
  readonly hash: string;
  readonly figures: readonly Figure[];
}

const results = Object.entries({ "1 container": deployment(1), "3 containers": deployment(3) }).map(
  ([name, bytes]): Result => {
    const yaml = manifestOf(bytes, { ...deploymentKind, secrets: simulatedSecrets }).yaml;
    const hash = createHash("sha256").update(yaml).digest("hex").slice(0, 16);
    return { name, jsonBytes: bytes.length, yamlBytes: yaml.length, hash, figures: race(bytes) };
  },
);
const where = `${environment}, ${rounds} rounds of ${roundMs} ms`;
print({ bench: "yaml", environment: where, results }, [where, ...results.flatMap(linesOf)]);

function race(bytes: Uint8Array): readonly Figure[] {
  const rates = contestants.map((): number[] => []);
  for (let round = -1; round < rounds; round += 1) {
    contestants.forEach((contestant, index) => {
      const rate = rateOf(contestant, bytes);
      if (round >= 0) rates[index]?.push(rate);
    });
  }
  const medians = rates.map((sample) => sample.sort((a, b) => a - b)[sample.length >> 1] ?? 0);
  return contestants.map(({ name }, index) => {
    const perSecond = medians[index] ?? 0;
    return { name, perSecond: Math.round(perSecond), ratio: perSecond / (medians[0] ?? 1) };
  });
}

function rateOf(contestant: Contestant, bytes: Uint8Array): number {
  const start = performance.now();
  let runs = 0;
  let elapsedMs = 0;
  while (elapsedMs < roundMs) {
    for (let index = 0; index < 8; index += 1) contestant.run(bytes);
    runs += 8;
    elapsedMs = performance.now() - start;
  }
  return (runs * 1000) / elapsedMs;
}

function linesOf({ name, jsonBytes, yamlBytes, hash, figures }: Result): readonly string[] {
  return [
    `\nDeployment, ${name}: ${jsonBytes} bytes of JSON, ${yamlBytes} of YAML (${hash})`,
    ...figures.map(
      (figure) => `${String(figure.perSecond).padStart(8)}/s  ${figure.ratio.toFixed(2).padStart(5)}  ${figure.name}`,
    ),
  ];
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function sanitized(bytes: Uint8Array): unknown {
  const object = parseObject(bytes);
  sanitize(object, deploymentKind);
  return object;
}

/** As an API server sends it: its key order, managedFields and status. */
function deployment(containers: number): Uint8Array {
  const names = ["web", "proxy", "metrics"].slice(0, containers);
  const labels = {
    "app.kubernetes.io/instance": "shop",
    "app.kubernetes.io/name": "web",
    "app.kubernetes.io/version": "1.25.3",
  };
  const object = {
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "4be52ede-8d02-46d4-8af7-43b3cb8e7b11",
      resourceVersion: "123456",
      generation: 7,
      creationTimestamp: "2026-01-02T03:04:05Z",
      labels,
      annotations: { "deployment.kubernetes.io/revision": "7", "example.com/owner": "team shop <shop@example.com>" },
      managedFields: [managedFields(names), statusFields()],
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: { "app.kubernetes.io/instance": "shop", "app.kubernetes.io/name": "web" } },
      template: {
        metadata: { labels, annotations: { "prometheus.io/port": "9090", "prometheus.io/scrape": "true" } },
        spec: {
          volumes: [
            { name: "config", configMap: { name: "web-config", defaultMode: 420 } },
            { name: "tmp", emptyDir: {} },
          ],
          containers: names.map(container),
          restartPolicy: "Always",
          terminationGracePeriodSeconds: 30,
          dnsPolicy: "ClusterFirst",
          serviceAccountName: "web",
          serviceAccount: "web",
          securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 2000 },
          schedulerName: "default-scheduler",
        },
      },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
    status: {
      observedGeneration: 7,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      conditions: ["Available", "Progressing"].map((type) => ({
        type,
        status: "True",
        lastUpdateTime: "2026-01-02T03:04:05Z",
        lastTransitionTime: "2026-01-02T03:04:05Z",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      })),
    },
  };
  return Buffer.from(JSON.stringify(object));
}

function container(name: string): unknown {
  const probe = {
    httpGet: { path: "/healthz", port: "http", scheme: "HTTP" },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
  };
  return {
    name,
    image: `registry.example.com/shop/${name}:1.25.3`,
    command: ["/bin/sh", "-c", `set -e\nexec /app/${name} --config=/etc/web/config.yaml\n`],
    args: ["--listen=:8080", "--log-level=info", "--feature", "checkout,search"],
    ports: [
      { name: "http", containerPort: 8080, protocol: "TCP" },
      { name: "metrics", containerPort: 9090, protocol: "TCP" },
    ],
    env: [
      { name: "LOG_FORMAT", value: "json" },
      { name: "CACHE", value: "true" },
      { name: "POD_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
      { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "web", key: "password" } } },
    ],
    resources: { limits: { cpu: "500m", memory: "256Mi" }, requests: { cpu: "100m", memory: "128Mi" } },
    volumeMounts: [
      { name: "config", readOnly: true, mountPath: "/etc/web" },
      { name: "tmp", mountPath: "/tmp" },
    ],
    livenessProbe: { ...probe, failureThreshold: 3 },
    readinessProbe: { ...probe, failureThreshold: 2 },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: "IfNotPresent",
    securityContext: { capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
  };
}

function managedFields(names: readonly string[]): unknown {
  const fields = (list: readonly string[]): unknown =>
    Object.fromEntries([[".", {}], ...list.map((name) => [`f:${name}`, {}])]);
  const containerFields = fields([
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "livenessProbe",
    "name",
    "ports",
    "resources",
  ]);
  return {
    manager: "kubectl",
    operation: "Apply",
    apiVersion: "apps/v1",
    time: "2026-01-02T03:04:05Z",
    fieldsType: "FieldsV1",
    fieldsV1: {
      "f:metadata": { "f:annotations": fields(["example.com/owner"]), "f:labels": fields(["app.kubernetes.io/name"]) },
      "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
          "f:spec": {
            "f:containers": Object.fromEntries(names.map((name) => [`k:{"name":"${name}"}`, containerFields])),
          },
        },
      },
    },
  };
}

function statusFields(): unknown {
  return {
    manager: "kube-controller-manager",
    operation: "Update",
    apiVersion: "apps/v1",
    time: "2026-01-02T03:04:05Z",
    fieldsType: "FieldsV1",
    fieldsV1: {
      "f:metadata": { "f:annotations": { "f:deployment.kubernetes.io/revision": {} } },
      "f:status": { "f:readyReplicas": {} },
    },
    subresource: "status",
  };
}
