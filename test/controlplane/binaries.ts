/** Where the binaries that tests need are: KUBEBUILDER_ASSETS, or a cache outside the checkout, keyed by version (K46). */

import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export const kubernetesVersion = "1.36.3";
export const etcdVersion = "3.6.6";
export const sopsVersion = "3.13.3";
export const helmVersion = "3.22.0";
export const binaryNames = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"] as const;

export type BinaryName = (typeof binaryNames)[number];

export interface Binaries {
  readonly directory: string;
  /** From KUBEBUILDER_ASSETS: not ours to build. */
  readonly given: boolean;
  readonly missing: readonly BinaryName[];
}

export function findBinaries(): Binaries {
  const assets = process.env["KUBEBUILDER_ASSETS"] ?? "";
  const given = assets !== "";
  const directory = given ? assets : cacheDirectory();
  return { directory, given, missing: binaryNames.filter((name) => !executable(join(directory, name))) };
}

export function binaryPath(name: BinaryName): string {
  const { directory, given, missing } = findBinaries();
  if (missing.includes(name)) {
    throw new Error(
      given
        ? `${name} is not in KUBEBUILDER_ASSETS (${directory}): put it there, or unset the variable and run "npm run controlplane".`
        : `${name} is not in ${directory}: run "npm run controlplane", which builds it.`,
    );
  }
  return join(directory, name);
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

function cacheDirectory(): string {
  return join(cacheOf("controlplane"), `kubernetes-${kubernetesVersion}-etcd-${etcdVersion}`);
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
