/** Every mutant that is hunted. */

import { attributionMutants } from "./attribution-mutants.ts";
import { branchMutants } from "./branch-mutants.ts";
import { coverageMutants } from "./coverage-mutants.ts";
import { gitMutants } from "./git-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { reviewMutants } from "./review-mutants.ts";
import { watchMutants } from "./watch-mutants.ts";

export const mutants: readonly Mutant[] = [
  ...attributionMutants,
  ...reviewMutants,
  ...watchMutants,
  ...branchMutants,
  ...gitMutants,
  ...coverageMutants,
];
