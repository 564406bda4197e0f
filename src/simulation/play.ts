/** Plays a job: from the order to the report. */

import type { GitReader } from "./checkers/git-reader.ts";
import type { Job, Report } from "./job.ts";
import { planOf } from "./plan.ts";
import { simulate } from "./run.ts";

export async function play(job: Job, git: GitReader): Promise<Report> {
  const plan = planOf(job.seed, job.changes, job.faults);
  const { findings, ...outcome } = await simulate(job.seed, plan, { git, fsck: true });
  const tiers: Record<string, number> = {};
  let commits = 0;
  let planted = 0;
  for (const finding of findings.values()) {
    commits += finding.changes;
    planted += finding.planted;
    for (const [tier, count] of finding.tiers) tiers[tier] = (tiers[tier] ?? 0) + count;
  }
  return {
    seed: job.seed,
    faults: Object.entries(plan).flatMap(([name, on]) => (on === true ? [name] : [])),
    befell: Object.fromEntries(outcome.befell),
    steps: outcome.requests,
    requests: outcome.requests,
    changes: outcome.writes,
    commits,
    tiers,
    planted,
    simulatedMs: outcome.simulatedMs,
    events: outcome.events,
    heads: outcome.heads,
    broken: outcome.broken,
    trace: outcome.log,
  };
}
