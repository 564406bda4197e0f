/** All that may befall a run, by the names that `--faults` takes. */

import type { Fault, Setting } from "../fault.ts";
import { apiOutages } from "./api-outages.ts";
import { brokenAnswers } from "./broken-answers.ts";
import { clockJumps } from "./clock-jumps.ts";
import { compactions } from "./compactions.ts";
import { crashes } from "./crashes.ts";
import { cutReviews } from "./cut-reviews.ts";
import { denials } from "./denials.ts";
import { doubledReviews } from "./doubled-reviews.ts";
import { expiries } from "./expiries.ts";
import { forgedReviews } from "./forged-reviews.ts";
import { forgottenRivals } from "./forgotten-rivals.ts";
import { fullDisks } from "./full-disks.ts";
import { laggingServers } from "./lagging-servers.ts";
import { latePowerLosses } from "./late-power-losses.ts";
import { lateReviews } from "./late-reviews.ts";
import { leases } from "./leases.ts";
import { lostGit } from "./lost-git.ts";
import { lostReviews } from "./lost-reviews.ts";
import { lyingGit } from "./lying-git.ts";
import { movedRefs } from "./moved-refs.ts";
import { rejectingGit } from "./rejecting-git.ts";
import { repeatedActs } from "./repeated-acts.ts";
import { restores } from "./restores.ts";
import { revertedActs } from "./reverted-acts.ts";
import { ruleChanges } from "./rule-changes.ts";
import { serverRestarts } from "./server-restarts.ts";
import { settings } from "./settings.ts";
import { slowGit } from "./slow-git.ts";
import { stops } from "./stops.ts";
import { storms } from "./storms.ts";
import { undoneActs } from "./undone-acts.ts";
import { unreadableGit } from "./unreadable-git.ts";
import { watchCuts } from "./watch-cuts.ts";
import { watchRepeats } from "./watch-repeats.ts";
import { watchStalls } from "./watch-stalls.ts";
import { webhookOutages } from "./webhook-outages.ts";

export const faults: readonly Fault[] = [
  lostReviews,
  lateReviews,
  doubledReviews,
  cutReviews,
  forgedReviews,
  webhookOutages,
  denials,
  watchCuts,
  watchStalls,
  watchRepeats,
  expiries,
  brokenAnswers,
  laggingServers,
  serverRestarts,
  apiOutages,
  compactions,
  leases,
  restores,
  crashes,
  stops,
  fullDisks,
  unreadableGit,
  slowGit,
  rejectingGit,
  lyingGit,
  lostGit,
  movedRefs,
  clockJumps,
  storms,
];

/** Several things at once, which would hardly ever meet. Drawn by dice of their own: what came before them is not shifted. */
export const coincidences: readonly Fault[] = [
  repeatedActs,
  forgottenRivals,
  latePowerLosses,
  undoneActs,
  revertedActs,
  ruleChanges,
];

export const catalogue: readonly (Fault | Setting)[] = [...faults, ...settings, ...coincidences];
