/** The counts of a comparison, to be printed. */

import type { Count } from "./comparison.ts";

export function tableOf(counts: ReadonlyMap<string, Count>): string {
  const rows = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([action, count]) => rowOf(action, count));
  const total = (pick: (count: Count) => number): string =>
    String([...counts.values()].reduce((sum, count) => sum + pick(count), 0));
  const sum = [
    "all",
    total(({ operations }) => operations),
    total(({ successes }) => successes),
    total(({ events }) => events),
    total(({ reviews }) => reviews),
    total(({ noops }) => noops),
    total(({ repeats }) => repeats),
    "",
  ];
  const head = ["operation", "sent", "2xx", "events", "reviews", "no-ops", "reviewed again", "refused"];
  return [head, head.map(() => "---"), ...rows, sum].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function rowOf(
  action: string,
  { operations, successes, events, reviews, noops, repeats, refusals }: Count,
): readonly string[] {
  const refused = [...refusals].toSorted(([a], [b]) => a - b).map(([status, times]) => `${times} x ${status}`);
  return [action, ...[operations, successes, events, reviews, noops, repeats].map(String), refused.join(", ")];
}
