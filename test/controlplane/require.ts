/** Runs before the end-to-end tests: without the binaries they cannot start. */

import { findBinaries } from "./binaries.ts";

export function setup(): void {
  const { directory, missing } = findBinaries();
  if (missing.length > 0) {
    throw new Error(`${missing.join(", ")} not found in ${directory}: "npm run controlplane" builds what is missing.`);
  }
}
