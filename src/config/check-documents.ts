/** What is wrong between rule documents that are right by themselves. */

import type { GitRepoConfig, RuleConfig, RuleDocument } from "./documents.ts";
import { titleOf } from "./documents.ts";
import { nearest } from "./nearest.ts";
import type { Problem } from "./problem.ts";
import { quoted } from "./problem.ts";

export function checkDocuments(documents: readonly RuleDocument[]): readonly Problem[] {
  const repositories = documents.filter((document) => document.kind === "GitRepoConfig");
  const rules = documents.filter((document) => document.kind !== "GitRepoConfig");
  return [...doubled(documents), ...overlapping(repositories), ...dangling(rules, repositories)];
}

function doubled(documents: readonly RuleDocument[]): readonly Problem[] {
  const seen = new Map<string, RuleDocument>();
  const problems: Problem[] = [];
  for (const document of documents) {
    const title = titleOf(document);
    const first = seen.get(title);
    if (first === undefined) seen.set(title, document);
    else
      problems.push({
        place: document.place,
        path: "",
        message: `${title} is there already, at ${at(first)}: rename one of them`,
      });
  }
  return problems;
}

/** Two targets that write the same files would undo each other's commits. */
function overlapping(repositories: readonly GitRepoConfig[]): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [index, second] of repositories.entries()) {
    for (const first of repositories.slice(0, index)) {
      if (first.repository !== second.repository || first.branch !== second.branch) continue;
      if (!contains(first.path, second.path) && !contains(second.path, first.path)) continue;
      const message =
        `${titleOf(second)} writes to branch ${quoted(second.branch)} of ${quoted(second.repository)} at path ${quoted(second.path)}, ` +
        `and ${titleOf(first)} (${at(first)}) at ${quoted(first.path)}: expected paths of which neither is below the other`;
      problems.push({ place: second.place, path: "spec.path", message });
    }
  }
  return problems;
}

function contains(outer: string, inner: string): boolean {
  return outer === "" || outer === inner || inner.startsWith(`${outer}/`);
}

function dangling(rules: readonly RuleConfig[], repositories: readonly GitRepoConfig[]): readonly Problem[] {
  const known = repositories.map(({ namespace, name }) => `${namespace}/${name}`);
  return rules.flatMap(({ repo }) => {
    const wanted = `${repo.namespace}/${repo.name}`;
    if (known.includes(wanted)) return [];
    const meant = nearest(wanted, known);
    const advice =
      meant !== null
        ? `did you mean ${meant}?`
        : known.length === 0
          ? "there is none"
          : `there are ${known.slice(0, 10).join(", ")}`;
    return [
      {
        place: repo.place,
        path: "spec.repo",
        message: `expected a GitRepoConfig, found no ${wanted}: ${advice}`,
      },
    ];
  });
}

function at({ place }: RuleDocument): string {
  return `${place.file}:${place.line}`;
}
