/** Runs before the end-to-end tests: without the binaries they cannot start. */

import type { TestProject } from "vitest/node";

import { buildCommand, findBinaries, minorOf, newestKubernetes } from "./binaries.ts";
import { untestedServers } from "./older-servers.ts";

export function setup({ name, config }: TestProject): void {
  const minor = minorOf(
    config.env["KUBESCRIBE_KUBERNETES"] ?? process.env["KUBESCRIBE_KUBERNETES"] ?? newestKubernetes,
    name,
  );
  const { directory, missing } = findBinaries(minor);
  if (missing.length > 0) {
    throw new Error(
      `${missing.join(", ")} not found in ${directory}: "${buildCommand(minor)}" builds what is missing.`,
    );
  }
  if (minor === newestKubernetes) for (const line of untestedServers()) console.log(`- ${line}`);
}
