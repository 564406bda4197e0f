/** The storm's figures, one row for each run. */

import type { Findings } from "./checker.ts";

export interface Figures {
  readonly name: string;
  readonly requests: number;
  readonly perSecond: number;
  readonly findings: Findings;
  readonly reviewP50Ms: string;
  readonly reviewP99Ms: string;
  readonly quietSeconds: number;
  readonly kills: number;
}

export function tableOf(rows: readonly Figures[]): string {
  const columns = rows.map((row) => Object.entries(cellsOf(row)));
  const [first = []] = columns;
  const lines = first.map(([title], index) => [title, ...columns.map((column) => column[index]?.[1] ?? "")]);
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

function cellsOf({ name, requests, perSecond, findings, ...rest }: Figures): Readonly<Record<string, string>> {
  const { byTier } = findings;
  const tiers = ["exact", "scale", "delete", "content", "recovered", "collapsed", "unresolved"];
  return {
    run: name,
    requests: String(requests),
    "requests/s": perSecond.toFixed(0),
    "persisted changes": String(findings.changes),
    commits: String(findings.commits),
    wrong: String(findings.wrong.length + findings.wrongTies.length),
    lost: String(findings.lost.length),
    doubled: String(findings.doubled.length),
    "without a write": String(findings.unreal.length),
    "out of order": String(findings.disordered.length),
    "other content": String(findings.unfaithful.length),
    ...Object.fromEntries(tiers.map((tier) => [`  ${tier}`, String(byTier.get(tier) ?? 0)])),
    ties: `${findings.ties} (${percent(findings.ties, findings.seeingChanges)})`,
    "  with the right one first": `${findings.tiesRight}`,
    "unresolved, K39": String(findings.explained.length),
    "unresolved, not explained": String(findings.unexplained.length),
    named: percent(findings.seeingNamed, findings.seeingChanges),
    "kill -9": String(rest.kills),
    "  changes meanwhile": String(findings.blindChanges),
    "  of them without a name": String(findings.blindUnresolved),
    "review p50": rest.reviewP50Ms,
    "review p99": rest.reviewP99Ms,
    "quiet after": `${rest.quietSeconds.toFixed(1)} s`,
  };
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(2)} %`;
}
