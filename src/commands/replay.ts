/** The command that plays a run again. */

import type { FaultRates, Job } from "../simulation/job.ts";
import { usualRates } from "../simulation/job.ts";
import { stepsText } from "./step-list.ts";

export function replayCommand({ seed, changes, faults, rates, attribution, ingestion, only }: Job): string {
  const flags = [
    `--seed ${seed}`,
    `--changes ${changes}`,
    ...faultFlags(faults, rates),
    ...(attribution === "exact" ? [] : [`--attribution ${attribution}`]),
    ...(ingestion === "correlate" ? [] : [`--ingestion ${ingestion}`]),
    ...(only === null ? [] : [`--only ${stepsText(only)}`]),
    "--trace",
  ];
  return `npm run simulate -- ${flags.join(" ")}`;
}

function faultFlags(faults: Job["faults"], { every, weights }: FaultRates): readonly string[] {
  const named = faults?.map((name) => (weights[name] === undefined ? name : `${name}:${weights[name]}`));
  return [
    ...(named === undefined ? [] : [`--faults ${named.length === 0 ? "none" : named.join(",")}`]),
    ...(every === usualRates.every ? [] : [`--fault-every ${every}`]),
  ];
}
