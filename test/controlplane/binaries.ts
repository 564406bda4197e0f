/** Where the binaries that tests need are: KUBEBUILDER_ASSETS, or a cache outside the checkout, keyed by version (K46). */

import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Of each minor version that tests run on its latest patch, the newest first. The others beside it are built when they are asked for. */
export const kubernetesVersions = { "1.36": "1.36.3", "1.34": "1.34.4" } as const;
export const kubernetesMinors = Object.keys(kubernetesVersions) as KubernetesMinor[];
export const newestKubernetes: KubernetesMinor = "1.36";
export const etcdVersion = "3.6.6";
export const sopsVersion = "3.13.3";
export const helmVersion = "3.22.0";
export const kubernetesPrograms = ["kube-apiserver", "kubectl", "kube-controller-manager"] as const;
const binaryNames = ["etcd", ...kubernetesPrograms] as const;

export type BinaryName = (typeof binaryNames)[number];
export type KubernetesMinor = keyof typeof kubernetesVersions;

/** What this process runs its control planes with: KUBESCRIBE_KUBERNETES, as 1.34; the newest when it is not set. */
export function minorUnderTest(): KubernetesMinor {
  return minorOf(process.env["KUBESCRIBE_KUBERNETES"] ?? newestKubernetes, "KUBESCRIBE_KUBERNETES");
}

/** Throws, with what is known, on any other word. `where` it stands. */
export function minorOf(word: string, where: string): KubernetesMinor {
  const found = kubernetesMinors.find((minor) => minor === word);
  if (found === undefined) throw new Error(`${where}: expected ${kubernetesMinors.join(" or ")}, found "${word}".`);
  return found;
}

export interface Binaries {
  readonly directory: string;
  /** From KUBEBUILDER_ASSETS: not ours to build. */
  readonly given: boolean;
  readonly missing: readonly BinaryName[];
}

/** Every version runs on the newest one's etcd, so an older one has none of its own; nor is it ever in KUBEBUILDER_ASSETS. */
export function findBinaries(minor = minorUnderTest()): Binaries {
  const newest = minor === newestKubernetes;
  const assets = newest ? (process.env["KUBEBUILDER_ASSETS"] ?? "") : "";
  const given = assets !== "";
  const directory = given ? assets : cacheDirectory(minor);
  const names = newest ? binaryNames : kubernetesPrograms;
  return { directory, given, missing: names.filter((name) => !executable(join(directory, name))) };
}

export function binaryPath(name: BinaryName): string {
  const minor = minorUnderTest();
  const { directory, given, missing } = findBinaries(name === "etcd" ? newestKubernetes : minor);
  if (missing.includes(name)) {
    throw new Error(
      given
        ? `${name} is not in KUBEBUILDER_ASSETS (${directory}): put it there, or unset the variable and run "npm run controlplane".`
        : `${name} is not in ${directory}: run "${buildCommand(minor)}", which builds it.`,
    );
  }
  return join(directory, name);
}

export function buildCommand(minor: KubernetesMinor): string {
  return minor === newestKubernetes ? "npm run controlplane" : `npm run controlplane -- --server ${minor}`;
}

/** No part of what KUBEBUILDER_ASSETS names: they are always built here. */
export type Tool = "sops" | "helm";

export function findTool(tool: Tool): { readonly directory: string; readonly missing: boolean } {
  const directory = join(cacheOf(tool), `${tool}-${tool === "sops" ? sopsVersion : helmVersion}`);
  return { directory, missing: !executable(join(directory, tool)) };
}

export function toolPath(tool: Tool): string {
  const { directory, missing } = findTool(tool);
  if (missing) throw new Error(`${tool} is not in ${directory}: run "npm run controlplane", which builds it with Go.`);
  return join(directory, tool);
}

function cacheDirectory(minor: KubernetesMinor): string {
  const kubernetes = `kubernetes-${kubernetesVersions[minor]}`;
  return join(cacheOf("controlplane"), minor === newestKubernetes ? `${kubernetes}-etcd-${etcdVersion}` : kubernetes);
}

function cacheOf(what: string): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? "";
  return join(cache === "" ? join(homedir(), ".cache") : cache, "kubescribe", what);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
