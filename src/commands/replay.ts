/** The command that plays a run again. */

import type { Job } from "../simulation/job.ts";
import { stepsText } from "./step-list.ts";

export function replayCommand({ seed, changes, faults, attribution, ingestion, only }: Job): string {
  const flags = [
    `--seed ${seed}`,
    `--changes ${changes}`,
    ...(faults === null ? [] : [`--faults ${faults.length === 0 ? "none" : faults.join(",")}`]),
    ...(attribution === "exact" ? [] : [`--attribution ${attribution}`]),
    ...(ingestion === "correlate" ? [] : [`--ingestion ${ingestion}`]),
    ...(only === null ? [] : [`--only ${stepsText(only)}`]),
    "--trace",
  ];
  return `npm run simulate -- ${flags.join(" ")}`;
}
