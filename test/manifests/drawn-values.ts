/** What somebody may install, drawn: words that YAML, Helm and Kubernetes could each take for something else. */

import fc from "fast-check";
import type { InstallValues } from "../../src/manifests/install-values.ts";

const label = fc.constantFrom("a", "1", "0x1", "1e3", "null", "true", "no", "on", "y", "kube-system", "2026-01-02");
/** Helm writes these down by itself, and readers of YAML 1.1 do not agree on `y`. */
const podWord = label.filter((word) => word !== "y");
const resource = fc.constantFrom("configmaps", "deployments", "*", "y", "1e3");
const size = fc.constantFrom("1", "1073741824", "1Gi", "10Gi", "4Ti");
const quotes = fc.string({
  unit: fc.constantFrom("a", "=", '"', "'", "{{", "}}", "\\", " ", "<", "&", "#", ": ", "é", "$(X)"),
  maxLength: 8,
});

export const drawnValues: fc.Arbitrary<InstallValues> = fc
  .record<InstallValues>({
    namespace: label,
    image: fc.constantFrom("kubescribe:1", "registry.example.com:5000/a/b@sha256:00", "1", "null"),
    replicas: fc.integer({ min: 1, max: 9 }),
    storage: fc.constantFrom("none", "pvc"),
    storageSize: size,
    storageClass: fc.oneof(fc.constant(""), label),
    certificates: fc.constantFrom("self", "cert-manager", "files"),
    watch: fc.array(
      fc.record({
        apiGroups: fc.array(fc.constantFrom("", "apps", "y"), { minLength: 1, maxLength: 2 }),
        resources: fc.array(resource, { minLength: 1, maxLength: 2 }),
      }),
      { maxLength: 2 },
    ),
    gitSecrets: fc.uniqueArray(fc.record({ namespace: label, name: label }), {
      maxLength: 2,
      selector: ({ namespace, name }) => `${namespace}/${name}`,
    }),
    networkPolicy: fc.array(fc.constantFrom("10.0.0.1/32", "fd00::/8"), { maxLength: 2 }),
    serviceMonitor: fc.boolean(),
    prometheusRule: fc.constant(false),
    dashboard: fc.constant(false),
    cpu: fc.constantFrom("1", "100m", "0.5"),
    memory: size,
    memoryLimit: size,
    args: fc.array(
      quotes.map((value) => `--log-level=${value}`),
      { maxLength: 3 },
    ),
    pod: fc.record(
      {
        nodeSelector: fc.dictionary(fc.constantFrom("disk", "yes"), podWord, { maxKeys: 2 }),
        hostNetwork: fc.boolean(),
        tolerations: fc.array(fc.record({ key: podWord, operator: fc.constant("Exists") }), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
  })
  .map((values) => (values.storage === "pvc" ? { ...values, replicas: 1 } : values));
