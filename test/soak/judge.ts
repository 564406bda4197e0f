/** Every acknowledged write has its one commit, by its author; and nobody has one that he did not make. */

import { doubled, fsck, readCommits } from "../e2e/history.ts";
import type { Household } from "./household.ts";
import type { Writers } from "./writers.ts";

export interface Verdict {
  /** Lost, doubled, miscredited. */
  readonly faults: readonly string[];
  /** Changes that nobody is named for. */
  readonly unnamed: number;
  readonly commits: number;
  readonly changes: number;
  readonly tiers: ReadonlyMap<string, number>;
  readonly coverage: readonly string[];
  readonly fsck: string;
}

const patienceMs = 60_000;
const shownFaults = 20;

export async function judge(household: Household, writers: Writers): Promise<Verdict> {
  await household.settled(patienceMs);
  const commits = await readCommits(household.repository);
  const changes = new Map(
    commits
      .filter(({ resource }) => resource.includes("/configmaps default/soak-"))
      .map((commit) => [
        `${commit.resource.slice(commit.resource.lastIndexOf("/") + 1)} ${commit.resourceVersion}`,
        commit,
      ]),
  );
  const faults: string[] = [];
  const tiers = new Map<string, number>();
  let unnamed = 0;
  for (const { name, user, resourceVersion } of writers.acknowledged) {
    const commit = changes.get(`${name} ${resourceVersion}`);
    if (commit === undefined) {
      faults.push(`${name} at ${resourceVersion} by ${user} is lost`);
      continue;
    }
    changes.delete(`${name} ${resourceVersion}`);
    tiers.set(commit.tier, (tiers.get(commit.tier) ?? 0) + 1);
    if (commit.tier === "unresolved" || commit.tier === "collapsed") {
      unnamed += 1;
      continue;
    }
    const named = commit.tier === "tie" ? commit.candidates.includes(user) : commit.user === user;
    if (!named) faults.push(`${name} at ${resourceVersion}, ${commit.tier} by ${commit.user}: ${user} wrote it`);
  }
  for (const key of changes.keys()) faults.push(`${key}: nobody was told that he wrote it`);
  faults.push(...doubled(commits).map((key) => `two commits for ${key}`));
  const checked = await fsck(household.repository);
  if (checked !== "") faults.push(`git fsck --strict: ${checked}`);
  const more = faults.length - shownFaults;
  return {
    faults: more > 0 ? [...faults.slice(0, shownFaults), `and ${more} more`] : faults,
    unnamed,
    commits: commits.length,
    changes: writers.acknowledged.length,
    tiers,
    coverage: commits.filter(({ kind }) => kind === "coverage").map(({ subject }) => subject),
    fsck: checked === "" ? "clean" : checked,
  };
}
