/** What a soak came to, as docs/SOAK.md shows it. */

import { cpus } from "node:os";

import type { Household, Life } from "./household.ts";
import type { Incident } from "./incidents.ts";
import type { Verdict } from "./judge.ts";
import type { Writers } from "./writers.ts";

export interface Soak {
  readonly household: Pick<Household, "lives">;
  readonly writers: Pick<Writers, "count" | "failed" | "slowestMs">;
  readonly verdict: Verdict;
  readonly befell: readonly Incident["name"][];
  readonly seconds: number;
}

export function pageOf({ household, writers, verdict, befell, seconds }: Soak): string {
  const counts = Map.groupBy(befell, (name) => name);
  const rows: readonly (readonly [string, string])[] = [
    ["time", `${(seconds / 60).toFixed(1)} minutes, ${cpus().length} cores, node ${process.version}`],
    ["what befell it", [...counts].map(([name, all]) => `${name} ${all.length} times`).join(", ")],
    [
      "acknowledged writes",
      `${writers.count}, by 4 users on 40 objects; ${writers.failed} failed, the slowest took ${Math.round(writers.slowestMs)} ms`,
    ],
    ["commits", `${verdict.commits}; git fsck --strict ${verdict.fsck}`],
    ["verdicts", [...verdict.tiers].map(([tier, count]) => `${tier} ${count}`).join(", ")],
    ["lost, doubled or miscredited", verdict.faults.length === 0 ? "nothing" : verdict.faults.join("; ")],
    ["changes that nobody is named for", String(verdict.unnamed)],
    ["coverage commits", verdict.coverage.length === 0 ? "none" : String(verdict.coverage.length)],
  ];
  return `# A soak

\`npm run soak -- --record\` wrote this page: kube-apiserver, etcd and kube-controller-manager as processes, everything applied from
\`kubescribe install\`, the pods started from the applied Deployment, a Git server over HTTP; people write without a pause while certificates are
renewed, rules change and pods are replaced. Then every write that the API server acknowledged is looked for in the history.

| | |
|---|---|
${rows.map(([name, text]) => `| ${name} | ${text} |`).join("\n")}

Memory (resident, every 5 s, the median of each third of a life):

| pod | lived | first third | second third | last third | most |
|---|---|---|---|---|---|
${household.lives.map(lifeRow).join("\n")}

The last one each minute: ${minutesOf(household.lives.at(-1)).join(", ")} MiB.

Coverage commits: each says that changes may lack an author because the webhook does not cover a type for the second or two between a changed rule
and the changed configuration, or because a process ended.

| what was not covered | times | seconds in all |
|---|---|---|
${blindRows(verdict.coverage).join("\n")}
`;
}

/** Every twelfth sample. */
function minutesOf(life: Life | undefined): readonly number[] {
  return (life?.rssMib ?? []).filter((_, index) => index % 12 === 0);
}

function lifeRow({ pod, rssMib }: Life): string {
  const third = (index: number): string => {
    const samples = rssMib
      .slice((index * rssMib.length) / 3, ((index + 1) * rssMib.length) / 3)
      .toSorted((a, b) => a - b);
    return `${samples[samples.length >> 1] ?? 0} MiB`;
  };
  const minutes = Math.round((rssMib.length * 5) / 60);
  const cells = [pod, `${minutes} min`, third(0), third(1), third(2), `${Math.max(0, ...rssMib)} MiB`];
  return `| ${cells.join(" | ")} |`;
}

/** Of subjects such as `Attribution was blind from 2026-11-26 21:46:52 to 21:46:53 UTC: WHY`. */
function blindRows(subjects: readonly string[]): readonly string[] {
  const told = subjects.map((subject) => {
    const [, date = "", from = "", toDate = date, to = "", why = subject] =
      /^Attribution was blind from (\S+) (\S+) to (?:(\S+) )?(\S+) UTC: (.*)$/.exec(subject) ?? [];
    return { why, seconds: (Date.parse(`${toDate}T${to}Z`) - Date.parse(`${date}T${from}Z`)) / 1000 };
  });
  return [...Map.groupBy(told, ({ why }) => why)].map(([why, all]) => {
    const seconds = all.reduce((sum, each) => sum + each.seconds, 0);
    return `| ${why} | ${all.length} | ${Number.isNaN(seconds) ? "?" : seconds} |`;
  });
}
