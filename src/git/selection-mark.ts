/** Tells whether rules select the same of a type as when its files were written, for the same place: a short digest of both. */

import { hash } from "node:crypto";
import type { TypeKey } from "../../machines/messages.ts";
import type { Selection } from "../../machines/selection.ts";

/** By type. Operations are no part of it: they decide what changes a file, not which files there are. `prefix`: below which the files stand. */
export function selectionMarks(
  selections: readonly Selection[],
  prefix: readonly string[],
): ReadonlyMap<TypeKey, string> {
  const byType = Map.groupBy(selections, ({ typeKey }) => typeKey);
  return new Map([...byType].map(([typeKey, ofType]) => [typeKey, markOf(ofType, prefix)] as const));
}

/** Types of which something else is selected now; of a type without a mark nobody knows, and it is taken for the same. */
export function reselectedIn(
  then: ReadonlyMap<TypeKey, string>,
  now: ReadonlyMap<TypeKey, string>,
): ReadonlySet<TypeKey> {
  return new Set([...now].flatMap(([key, mark]) => ((then.get(key) ?? mark) === mark ? [] : [key])));
}

/** In one order, whatever the order of rules, labels, values and names. */
function markOf(selections: readonly Selection[], prefix: readonly string[]): string {
  const texts = new Set(selections.map(textOf));
  return hash("sha256", JSON.stringify([prefix, [...texts].toSorted()]), "hex").slice(0, 16);
}

function textOf({ namespaces, matchLabels, matchExpressions }: Selection): string {
  const names = namespaces === null ? null : [...new Set(namespaces)].toSorted();
  const labels = Object.entries(matchLabels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const expressions = matchExpressions.map(({ key, operator, values }) => {
    return JSON.stringify([key, operator, [...new Set(values)].toSorted()]);
  });
  return JSON.stringify([names, labels, [...new Set(expressions)].toSorted()]);
}
