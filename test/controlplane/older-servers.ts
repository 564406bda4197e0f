/** The versions beside the newest that installations are tested on: those that KUBESCRIBE_API_SERVERS names, as `1.34`; else those that are built. */

import {
  buildCommand,
  findBinaries,
  type KubernetesMinor,
  kubernetesMinors,
  kubernetesVersions,
  minorOf,
  newestKubernetes,
} from "./binaries.ts";

const variable = "KUBESCRIBE_API_SERVERS";
const older = kubernetesMinors.filter((minor) => minor !== newestKubernetes);

/** Whose subject is an installation as a whole, or what an API server must understand of it. */
export const installationTests = [
  "cluster",
  "first-commit",
  "helm",
  "install",
  "rule-documents",
  "uninstall",
  "upgrade",
  "webhook-keeper",
].map((name) => `test/e2e/${name}.test.ts`);

/** One that is named and not built is among them: its tests fail, and say what builds it. */
export function olderServers(): readonly KubernetesMinor[] {
  const words = (process.env[variable] ?? "").split(",").map((word) => word.trim());
  const named = words.filter((word) => word !== "").map((word) => minorOf(word, variable));
  return older.filter((minor) => (named.length === 0 ? isBuilt(minor) : named.includes(minor)));
}

/** A line for each version that nothing is tested on this time. */
export function untestedServers(): readonly string[] {
  const tested = olderServers();
  return older
    .filter((minor) => !tested.includes(minor))
    .map((minor) => {
      const why = isBuilt(minor) ? `${variable} names others` : `"${buildCommand(minor)}" builds it`;
      return `installations are not tested on kube-apiserver ${kubernetesVersions[minor]}: ${why}`;
    });
}

function isBuilt(minor: KubernetesMinor): boolean {
  return findBinaries(minor).missing.length === 0;
}
