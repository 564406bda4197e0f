/** The proof's result as docs/PROOF.md shows it: what stands between the marks comes from the run. */

import type { Report } from "../../src/simulation/job.ts";
import type { Part, PartJob } from "./parts.ts";
import { parts } from "./parts.ts";

export interface Proven {
  readonly job: PartJob;
  readonly report: Report;
}

export interface Course {
  /** As it was typed. */
  readonly command: string;
  readonly machine: string;
  readonly commit: string;
  readonly minutes: number;
  readonly peakMiB: number;
}

const begin = "<!-- from the run: npm run proof -- --record -->\n";
const end = "<!-- end of the run -->\n";

/** `page` with the results of this run in the place of others. */
export function pageOf(page: string, proven: readonly Proven[], course: Course): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error("docs/PROOF.md has lost its marks");
  return page.slice(0, from + begin.length) + resultOf(proven, course) + page.slice(to);
}

export function resultOf(proven: readonly Proven[], { command, machine, commit, minutes, peakMiB }: Course): string {
  const reports = proven.map(({ report }) => report);
  const broken = reports.filter((report) => report.broken.length > 0).length;
  return `
\`${command}\` at ${commit}, ${machine}: ${minutes.toFixed(0)} minutes, at most ${peakMiB.toFixed(0)} MiB.
**${broken === 0 ? "Nothing was broken." : `${broken} runs broke a promise.`}**

${table([
  ["part", "runs", "changes", "longest run", "commits", "requests", "faults", "simulated hours", "named", "broken"],
  ...parts.map((part) => rowOf(part.name, ofPart(proven, part))),
  rowOf("all together", reports),
])}
Attribution, commits of changes: ${listed(summed(reports.map(({ tiers }) => tiers)))}.

What befell: ${listed(summed(reports.map(({ befell }) => befell)))}.

<details><summary>Each run</summary>

${table([
  ["seed", "part", "changes", "commits", "faults", "events", "HEAD of the first branch", "broken"],
  ...proven.map(({ job, report }) => [
    String(report.seed),
    job.part.name,
    thousands(report.changes),
    thousands(report.commits),
    thousands(total(report.befell)),
    report.events,
    (Object.values(report.heads)[0] ?? "").slice(0, 12),
    String(report.broken.length),
  ]),
])}
</details>

`;
}

function ofPart(proven: readonly Proven[], part: Part): readonly Report[] {
  return proven.filter(({ job }) => job.part.name === part.name).map(({ report }) => report);
}

function rowOf(name: string, reports: readonly Report[]): readonly string[] {
  const sum = (of: (report: Report) => number): number => reports.reduce((so, report) => so + of(report), 0);
  const tiers = summed(reports.map((report) => report.tiers));
  const nameless = (tiers.get("unresolved") ?? 0) + (tiers.get("collapsed") ?? 0);
  const commits = [...tiers.values()].reduce((so, count) => so + count, 0);
  return [
    name,
    thousands(reports.length),
    thousands(sum(({ changes }) => changes)),
    thousands(Math.max(0, ...reports.map(({ changes }) => changes))),
    thousands(sum((report) => report.commits)),
    thousands(sum(({ requests }) => requests)),
    thousands(sum(({ befell }) => total(befell))),
    (sum(({ simulatedMs }) => simulatedMs) / 3_600_000).toFixed(1),
    commits === 0 ? "" : `${((1 - nameless / commits) * 100).toFixed(0)}%`,
    String(sum(({ broken }) => broken.length)),
  ];
}

function total(counted: Readonly<Record<string, number>>): number {
  return Object.values(counted).reduce((sum, count) => sum + count, 0);
}

function summed(all: readonly Readonly<Record<string, number>>[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const each of all)
    for (const [name, count] of Object.entries(each)) sums.set(name, (sums.get(name) ?? 0) + count);
  return sums;
}

/** The most frequent first; what is part of another name's count is not said twice. */
function listed(counted: ReadonlyMap<string, number>): string {
  const names = [...counted].filter(
    ([name, count]) => count > 0 || ![...counted.keys()].some((other) => other.startsWith(`${name} (`)),
  );
  return names
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${thousands(count)}`)
    .join(", ");
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  const rule = head.map((_, at) => (at === 0 ? "---" : "--:"));
  return [head, rule, ...rows].map(line).join("");
}

function thousands(count: number): string {
  return count.toLocaleString("en-US");
}
