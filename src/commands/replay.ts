/** The command that plays a run again. */

import type { Job } from "../simulation/job.ts";

export function replayCommand({ seed, changes, faults }: Job): string {
  const flags = [
    `--seed ${seed}`,
    `--changes ${changes}`,
    ...(faults === null ? [] : [`--faults ${faults.length === 0 ? "none" : faults.join(",")}`]),
    "--trace",
  ];
  return `npm run simulate -- ${flags.join(" ")}`;
}
