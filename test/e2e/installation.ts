/** `kubescribe install` as a user types it, and what it printed. */

import { spawnSync } from "node:child_process";
import { parseAllDocuments } from "yaml";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

export interface Printed {
  readonly text: string;
  readonly objects: readonly ManifestObject[];
}

export function install(args: readonly string[]): Printed {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "install", ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`install ${args.join(" ")} ended with ${status}: ${stderr}`);
  return { text: stdout, objects: objectsIn(stdout) };
}

export function objectsIn(text: string): readonly ManifestObject[] {
  const documents = parseAllDocuments(text, { version: "1.1" });
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => document.toJS() as ManifestObject | null).filter((object) => object !== null);
}

/** `Deployment kubescribe-system/kubescribe`. */
export function titleOf({ kind, metadata: { namespace, name } }: ManifestObject): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

const clusterScoped = [
  "Namespace",
  "CustomResourceDefinition",
  "ClusterRole",
  "ClusterRoleBinding",
  "ValidatingWebhookConfiguration",
];

/** Where the API server has it. */
export function pathOf({ apiVersion, kind, metadata: { name, namespace } }: ManifestObject): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = kind === "NetworkPolicy" ? "networkpolicies" : `${kind.toLowerCase()}s`;
  const scope = clusterScoped.includes(kind) ? "" : `/namespaces/${namespace}`;
  return `${root}${scope}/${plural}/${name}`;
}
