/** The chart's values: those of `kubescribe install`, with its words and its defaults, and a schema that says what each may be. */

import { stringify } from "yaml";
import { parseInstallOptions } from "../src/commands/install-options.ts";
import { installOptionTable } from "../src/config/install-option-table.ts";
import type { InstallValues } from "../src/manifests/install-values.ts";

interface ChartValue {
  readonly name: Exclude<keyof InstallValues, "namespace">;
  /** Of `kubescribe install`, whose help says what it is; or words. */
  readonly option?: string;
  readonly words?: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

const names = { type: "string", pattern: "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", maxLength: 253 };
const size = { type: ["string", "integer"], pattern: "^[0-9]+(Ki|Mi|Gi|Ti)?$" };
const flag = { type: "boolean" };
const strings = { type: "array", minItems: 1, items: { type: "string" } };

const chartValues: readonly ChartValue[] = [
  { name: "image", words: "Built from deploy/Dockerfile.", schema: { type: "string", minLength: 1 } },
  { name: "replicas", option: "replicas", schema: { type: "integer", minimum: 1, maximum: 9 } },
  { name: "certificates", option: "certificates", schema: { enum: ["self", "cert-manager", "files"] } },
  { name: "storage", option: "storage", schema: { enum: ["none", "pvc"] } },
  { name: "storageSize", option: "storage-size", schema: size },
  {
    name: "storageClass",
    words: "Of that volume; empty: the cluster's own.",
    schema: { type: "string", maxLength: 253 },
  },
  {
    name: "cpu",
    option: "cpu",
    schema: { type: ["string", "number"], pattern: String.raw`^([1-9][0-9]*m?|[0-9]+\.[0-9]{1,3})$` },
  },
  { name: "memory", option: "memory", schema: size },
  { name: "memoryLimit", option: "memory-limit", schema: size },
  {
    name: "watch",
    words:
      "Types that it may watch, as [{apiGroups: [apps], resources: [deployments]}]. Nothing, until you say so; no Secrets unless\n" +
      "they are named.",
    schema: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["apiGroups", "resources"],
        properties: { apiGroups: strings, resources: strings },
      },
    },
  },
  {
    name: "gitSecrets",
    words: "Secrets with credentials of Git remotes, as [{namespace: default, name: git}].",
    schema: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["namespace", "name"],
        properties: { namespace: names, name: names },
      },
    },
  },
  {
    name: "networkPolicy",
    words: "A NetworkPolicy: reviews come only from these addresses of the API server, as [10.0.0.1/32]. Empty: none.",
    schema: { type: "array", items: { type: "string", pattern: "^[0-9a-fA-F.:]+/[0-9]{1,3}$" } },
  },
  { name: "serviceMonitor", option: "service-monitor", schema: flag },
  { name: "prometheusRule", option: "prometheus-rule", schema: flag },
  { name: "dashboard", option: "dashboard", schema: flag },
  {
    name: "args",
    words: 'More options of "kubescribe run", as ["--log-level=debug"].',
    schema: { type: "array", items: { type: "string", pattern: "^--[a-z-]+(=.*)?$" } },
  },
  {
    name: "pod",
    words: "More of the Pod's spec, as {nodeSelector: {disk: ssd}, priorityClassName: important}.",
    schema: {
      type: "object",
      additionalProperties: false,
      properties: {
        affinity: { type: "object" },
        dnsConfig: { type: "object" },
        dnsPolicy: { type: "string" },
        hostNetwork: { type: "boolean" },
        imagePullSecrets: { type: "array" },
        nodeSelector: { type: "object" },
        priorityClassName: { type: "string" },
        tolerations: { type: "array" },
        topologySpreadConstraints: { type: "array" },
      },
    },
  },
];

export function valuesText(version: string): string {
  const { values } = parseInstallOptions([], { cwd: "/", version });
  const lines = chartValues.map((chartValue) => {
    const words = wordsOf(chartValue)
      .split("\n")
      .map((line) => `# ${line}\n`)
      .join("");
    return `${words}${stringify({ [chartValue.name]: values[chartValue.name] }, { lineWidth: 0 })}`;
  });
  return lines.join("\n");
}

export function valuesSchemaText(): string {
  const properties = Object.fromEntries(
    chartValues.map((chartValue) => [chartValue.name, { description: wordsOf(chartValue), ...chartValue.schema }]),
  );
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    // Helm puts it there for charts that are part of others.
    properties: { global: { type: "object" }, ...properties },
    additionalProperties: false,
    // A volume is held by one pod at a time.
    if: { properties: { storage: { const: "pvc" } }, required: ["storage"] },
    // oxlint-disable-next-line unicorn/no-thenable -- the word of JSON Schema
    then: { properties: { replicas: { maximum: 1 } } },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function wordsOf({ option, words }: ChartValue): string {
  if (words !== undefined) return words;
  const help = installOptionTable.find(({ name }) => name === option)?.help ?? "";
  return `${help.charAt(0).toUpperCase()}${help.slice(1)}.`;
}
