/** Compares what happened with what the history says: change by change, author by author. */

import type { HistoryCommit } from "./demo-history.ts";
import type { ExpectedChange } from "./demo-truth.ts";

export interface Judgement {
  readonly changes: number;
  readonly rightAuthors: number;
  /** Commits by their verdict, the most frequent first. */
  readonly tiers: readonly (readonly [tier: string, commits: number])[];
  /** Commits that are a change. */
  readonly commits: number;
  /** Commits that are none: snapshots and their like. */
  readonly notes: number;
  /** What is wrong, one sentence each; empty where all is well. */
  readonly faults: readonly string[];
}

/** `commits` oldest first. */
export function judge(expected: readonly ExpectedChange[], commits: readonly HistoryCommit[]): Judgement {
  const changes = commits.filter((commit) => commit.uid !== "");
  const byChange = new Map<string, HistoryCommit[]>();
  for (const commit of changes) byChange.set(keyOf(commit), [...(byChange.get(keyOf(commit)) ?? []), commit]);
  const faults: string[] = [];
  let rightAuthors = 0;
  for (const change of expected) {
    const found = byChange.get(keyOf(change)) ?? [];
    byChange.delete(keyOf(change));
    const commit = found[0];
    if (commit === undefined) faults.push(`${describe(change)} has no commit`);
    else if (found.length > 1) faults.push(`${describe(change)} has ${found.length} commits`);
    else if (isRight(change, commit)) rightAuthors += 1;
    else faults.push(`${describe(change)} was made by ${change.author ?? "nobody known"}, and says ${claimOf(commit)}`);
  }
  for (const unexpected of byChange.values()) {
    for (const commit of unexpected)
      faults.push(`commit ${commit.sha.slice(0, 7)} (${commit.subject}) stands for no write`);
  }
  faults.push(...disorder(changes));
  return {
    changes: expected.length,
    rightAuthors,
    tiers: tiersOf(changes),
    commits: changes.length,
    notes: commits.length - changes.length,
    faults,
  };
}

/** A settled author must be the one; a tie must have him among its candidates; the unknowable must say so. */
function isRight(change: ExpectedChange, commit: HistoryCommit): boolean {
  const nobody = commit.tier === "unresolved" || commit.tier === "collapsed";
  if (change.author === null) return nobody;
  if (commit.tier === "tie") return commit.candidates.includes(change.author);
  return !nobody && commit.user === change.author;
}

/** Commits of one type are in the order of its resourceVersions. */
function disorder(commits: readonly HistoryCommit[]): readonly string[] {
  const last = new Map<string, HistoryCommit>();
  const faults: string[] = [];
  for (const commit of commits) {
    const type = commit.resource.split(" ")[0] ?? "";
    const before = last.get(type);
    if (before !== undefined && BigInt(before.resourceVersion) >= BigInt(commit.resourceVersion)) {
      faults.push(`commit ${commit.sha.slice(0, 7)} (${commit.subject}) is out of order`);
    }
    last.set(type, commit);
  }
  return faults;
}

function tiersOf(commits: readonly HistoryCommit[]): Judgement["tiers"] {
  const counts = new Map<string, number>();
  for (const { tier } of commits) counts.set(tier, (counts.get(tier) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function keyOf({ uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string }): string {
  return `${uid} ${resourceVersion}`;
}

function describe(change: ExpectedChange): string {
  return `${change.resource} at ${change.resourceVersion}`;
}

function claimOf(commit: HistoryCommit): string {
  return `${commit.user} (${commit.tier})`;
}
