/** The demo's last page: what happened, what the history says of it, and how to look further. Pure: text in, text out. */

import type { HistoryCommit } from "./demo-history.ts";
import type { Judgement } from "./demo-judge.ts";
import type { Paint } from "./demo-terminal.ts";
import { charactersOf, fit, pad } from "./demo-terminal.ts";
import type { Outcome } from "./demo-workload.ts";

export interface ReportInput {
  readonly judgement: Judgement;
  /** Oldest first. */
  readonly commits: readonly HistoryCommit[];
  readonly outcomes: readonly Outcome[];
  readonly directory: string;
  readonly gitDirectory: string;
  readonly seconds: number;
  readonly columns: number;
  readonly paint: Paint;
}

const SHOWN_COMMITS = 12;
const MEANINGS: Readonly<Record<string, string>> = {
  exact: "the review's bytes are the event's bytes",
  scale: "asked for through /scale",
  delete: "asked for by a DELETE",
  tie: "several fit, all of them are named",
  content: "equal after sanitizing",
  unresolved: "no review was answered; nobody is named",
};

export function reportOf(input: ReportInput): string {
  return [tableOf(input), lastCommitsOf(input), verdictOf(input), furtherOf(input)].join("\n");
}

/** True: the history tells the truth, and the cluster answered as the script meant. */
export function isGood({ judgement, outcomes }: Pick<ReportInput, "judgement" | "outcomes">): boolean {
  return judgement.faults.length === 0 && judgement.changes > 0 && outcomes.every(({ asMeant }) => asMeant);
}

function tableOf({ judgement, outcomes, paint }: ReportInput): string {
  const count = (purpose: Outcome["purpose"]) => outcomes.filter((outcome) => outcome.purpose === purpose).length;
  const row = (label: string, value: number, remark: string) =>
    `  ${pad(label, 26)}${paint("bold", String(value).padStart(4))}   ${paint("dim", remark)}`;
  const notes = judgement.notes === 1 ? "and one snapshot of what was there before" : `and ${judgement.notes} notes`;
  return [
    "",
    heading("What happened", paint),
    row("Persisted changes", judgement.changes, "written to the cluster, and changing a manifest"),
    row("Commits", judgement.commits, `one for each, ${notes}`),
    ...judgement.tiers.map(([tier, commits]) => row(`  author ${tier}`, commits, MEANINGS[tier] ?? "")),
    row("Failed writes, dry runs", count("failing"), "never written: no commit"),
    row("No-ops", count("no-op"), "answered 200, nothing written: no commit"),
    row("Status updates", count("status"), "written, no manifest changed: no commit"),
    "",
  ].join("\n");
}

function lastCommitsOf({ commits, columns, paint }: ReportInput): string {
  const shown = commits.slice(-SHOWN_COMMITS).toReversed();
  const width = Math.max(40, Math.min(columns, 120)) - 2;
  const authorWidth = Math.min(36, Math.max(...shown.map(({ authorName }) => charactersOf(authorName).length), 6));
  const subjectWidth = Math.max(16, width - 10 - authorWidth - 14);
  const lines = shown.map(
    ({ sha, subject, authorName, tier }) =>
      `  ${paint("yellow", sha.slice(0, 7))}  ${pad(fit(subject, subjectWidth), subjectWidth)}  ` +
      `${paint("cyan", pad(fit(authorName, authorWidth), authorWidth))}  ${paint(tier === "unresolved" ? "red" : "dim", tier || "snapshot")}`,
  );
  return [heading(`The last ${shown.length} of ${commits.length} commits`, paint), ...lines, ""].join("\n");
}

function verdictOf(input: ReportInput): string {
  const { judgement, outcomes, seconds, paint } = input;
  const unmeant = outcomes
    .filter(({ asMeant }) => !asMeant)
    .map(({ detail }) => `the simulator answered otherwise than meant: ${detail}`);
  const line = `${judgement.rightAuthors} of ${judgement.changes} authors right`;
  const mark = isGood(input) ? paint("green", "✔") : paint("red", "✘");
  const faults = [...judgement.faults, ...unmeant].map((fault) => `    ${paint("red", "-")} ${fault}`);
  return [`  ${mark} ${paint("bold", line)}${paint("dim", `, in ${seconds.toFixed(1)} s`)}`, ...faults, ""].join("\n");
}

function furtherOf({ directory, gitDirectory, commits, paint }: ReportInput): string {
  const path = "demo/shop/core/configmaps/feature-flags.yaml";
  const git = `git -C ${quoted(gitDirectory)}`;
  const lines = [
    ["Who did what", `${git} log --format='%h %<(26,trunc)%an %s' main`],
    ["The last change", `${git} show main`],
    ["Ten people, one file", `${git} log -p main -- ${path}`],
    ["Line by line", `${git} blame main -- ${path}`],
    ["Who is not known", `${git} log --author=unresolved main`],
  ] as const;
  const last =
    commits.length === 0 ? [] : lines.map(([label, command]) => `  ${pad(label, 22)}${paint("cyan", command)}`);
  return [heading("Look further", paint), ...last, `  ${pad("All of it", 22)}${paint("cyan", directory)}`, ""].join(
    "\n",
  );
}

function heading(text: string, paint: Paint): string {
  return `  ${paint("bold", text)}`;
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
