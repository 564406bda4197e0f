/** Plays a job: from the order to the report. */

import type { Circumstances } from "./checkers/circumstances.ts";
import type { Findings } from "./checkers/findings.ts";
import type { GitReader, HistoryCommit } from "./checkers/git-reader.ts";
import { RepositoryCheck } from "./checkers/repository-check.ts";
import { foreigner } from "./foreign-commit.ts";
import { brokenBounds } from "./highest.ts";
import type { Job, Report } from "./job.ts";
import { Run } from "./run.ts";
import { types } from "./workload.ts";
import { commitLine } from "./write-line.ts";

export async function play(job: Job, git: GitReader): Promise<Report> {
  const run = new Run(job);
  await run.play();
  const { findings, heads, complaints } = await read(run, git);
  const tiers: Record<string, number> = {};
  const broken = [...run.broken, ...brokenBounds(run), ...complaints];
  let commits = 0;
  let planted = 0;
  for (const [name, finding] of findings) {
    commits += finding.changes;
    planted += finding.planted;
    for (const [tier, count] of finding.tiers) tiers[tier] = (tiers[tier] ?? 0) + count;
    broken.push(...finding.broken.map((line) => `${name}: ${line}`));
  }
  const faults = [...run.plan.switches];
  const silent = faults.filter((name) => ![...run.befell.keys()].some((befell) => befell.split(" ")[0] === name));
  return {
    seed: job.seed,
    faults,
    befell: { ...Object.fromEntries(silent.map((name) => [name, 0])), ...Object.fromEntries(run.befell) },
    steps: run.steps,
    requests: run.users.requests,
    changes: run.truth.writes.length,
    commits,
    tiers,
    planted,
    simulatedMs: run.clock.monotonicMs(),
    events: run.clock.fingerprint.toString(16).padStart(8, "0"),
    heads,
    broken,
    trace: run.witness.lines,
  };
}

interface Reading {
  readonly findings: ReadonlyMap<string, Findings>;
  readonly heads: Record<string, string>;
  readonly complaints: readonly string[];
}

/** Branch by branch, with the targets that share it. */
async function read(run: Run, git: GitReader): Promise<Reading> {
  const findings = new Map<string, Findings>();
  const heads: Record<string, string> = {};
  const complaints: string[] = [];
  const checked = new Set<string>();
  for (const inside of Map.groupBy(run.targets, ([, { gitdir, branch }]) => `${gitdir} ${branch}`).values()) {
    const [first] = inside;
    if (first === undefined) continue;
    const [, { gitdir: gitDirectory, branch }] = first;
    const check = new RepositoryCheck(new Map(inside), types, circumstancesOf(run));
    const onCommit = (commit: HistoryCommit): void => {
      heads[`${gitDirectory} ${branch}`] = commit.id;
      if (run.job.traced) run.witness.note(`${branch}: ${commitLine(commit.subject, commit.trailers)}`);
      if (!isForeign(commit)) check.see(commit);
    };
    const fsck = !checked.has(gitDirectory);
    checked.add(gitDirectory);
    const said = await git.read({ disk: run.disk.files, gitDirectory, branch, fsck, onCommit });
    complaints.push(...said.map((complaint) => `git: ${gitDirectory}: ${complaint}`));
    for (const [name, found] of check.end()) findings.set(name, found);
  }
  return { findings, heads, complaints };
}

/** Somebody else's, who touches no file of ours. */
function isForeign({ committerEmail, files }: HistoryCommit): boolean {
  return committerEmail === foreigner.email && files.every(({ path }) => !path.includes("/"));
}

function circumstancesOf({ truth, reviews, watches, refusals, sights, options: { bounds } }: Run): Circumstances {
  const limits = {
    ...bounds,
    pendingTtlMs: bounds.pendingTtlSeconds * 1000,
    freshnessMs: bounds.freshnessSeconds * 1000,
  };
  return { truth, reviews, watches, refusals, sights, limits };
}
