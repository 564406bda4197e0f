/** What runs came to, as a table: a line for each, or their sum where there are too many. */

import type { Report } from "../simulation/job.ts";

/** More runs than this are summed up. */
const shownRuns = 40;

export function scoreboard(reports: readonly Report[]): string {
  const rows = reports.length > shownRuns ? [] : reports.map(rowOf);
  const table = [...rows, ...(reports.length === 1 ? [] : [sumOf(reports)])];
  return `${columns([heads, ...table])}\n${counts("Attribution", sums(reports, "tiers"))}\n${counts("Befell", sums(reports, "befell"))}`;
}

const heads = ["seed", "changes", "commits", "requests", "faults", "hours", "broken", "events", "HEAD"];

function rowOf(report: Report): readonly string[] {
  const heads = Object.values(report.heads).map((id) => id.slice(0, 10));
  return [
    String(report.seed),
    String(report.changes),
    String(report.commits),
    String(report.requests),
    String(total(report.befell)),
    hoursOf(report.simulatedMs),
    String(report.broken.length),
    report.events,
    heads.join(" "),
  ];
}

function sumOf(reports: readonly Report[]): readonly string[] {
  const sum = (of: (report: Report) => number): number => reports.reduce((so, report) => so + of(report), 0);
  return [
    `${reports.length} runs`,
    String(sum(({ changes }) => changes)),
    String(sum(({ commits }) => commits)),
    String(sum(({ requests }) => requests)),
    String(sum(({ befell }) => total(befell))),
    hoursOf(sum(({ simulatedMs }) => simulatedMs)),
    String(sum(({ broken }) => broken.length)),
    "",
    "",
  ];
}

function hoursOf(ms: number): string {
  return (ms / 3_600_000).toFixed(1);
}

function total(counted: Readonly<Record<string, number>>): number {
  return Object.values(counted).reduce((sum, count) => sum + count, 0);
}

function sums(reports: readonly Report[], key: "tiers" | "befell"): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const report of reports)
    for (const [name, count] of Object.entries(report[key])) found.set(name, (found.get(name) ?? 0) + count);
  // What never befell is shown, unless it did by one of its kinds: `crashes` and `crashes (clock)`.
  for (const [name, count] of found)
    if (count === 0 && [...found.keys()].some((other) => other.startsWith(`${name} (`))) found.delete(name);
  return found;
}

function counts(title: string, counted: ReadonlyMap<string, number>): string {
  const lines = [...counted].toSorted(([, a], [, b]) => b - a).map(([name, count]) => [`  ${name}`, String(count)]);
  return `${title}:\n${lines.length === 0 ? "  nothing\n" : columns(lines)}`;
}

/** The first column to the left, numbers to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}
