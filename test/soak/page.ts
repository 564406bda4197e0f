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

Memory (resident, every 5 s):

| pod | lived | after a minute | in its middle | at its end | most |
|---|---|---|---|---|---|
${household.lives.map(lifeRow).join("\n")}
${verdict.coverage.map((subject) => `\n- ${subject}`).join("")}
`;
}

const samplesOfMinute = 12;

function lifeRow({ pod, rssMib }: Life): string {
  const at = (index: number): string => `${rssMib[Math.min(index, rssMib.length - 1)] ?? 0} MiB`;
  const cells = [
    pod,
    `${Math.round((rssMib.length * 5) / 60)} min`,
    at(samplesOfMinute),
    at(Math.floor(rssMib.length / 2)),
    at(rssMib.length - 1),
    `${Math.max(0, ...rssMib)} MiB`,
  ];
  return `| ${cells.join(" | ")} |`;
}
