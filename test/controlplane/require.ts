/** Runs before the end-to-end tests: without the binaries they cannot start. */

import type { TestProject } from "vitest/node";

import { buildCommand, findBinaries, minorOf, minorUnderTest, newestKubernetes } from "./binaries.ts";
import { untestedServers } from "./older-servers.ts";

export function setup({ name }: TestProject): void {
  const [, older] = /^e2e-(.+)$/.exec(name) ?? [];
  const minor = older === undefined ? minorUnderTest() : minorOf(older, name);
  const { directory, missing } = findBinaries(minor);
  if (missing.length > 0) {
    throw new Error(
      `${missing.join(", ")} not found in ${directory}: "${buildCommand(minor)}" builds what is missing.`,
    );
  }
  if (minor === newestKubernetes) for (const line of untestedServers()) console.log(`- ${line}`);
}
