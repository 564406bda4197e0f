/** `--watch apps/deployments,configmaps`: types that kubescribe may read, grouped as a ClusterRole lists them. */

import { isName } from "../config/kubernetes-names.ts";
import { quoted } from "../config/problem.ts";
import type { TypesRead } from "../manifests/install-values.ts";

export function typesRead(words: readonly string[], complain: (message: string) => void): readonly TypesRead[] {
  const resourcesOf = new Map<string, Set<string>>();
  for (const word of words) {
    const [resource = "", group = "", ...more] = word.split("/").toReversed();
    const fault = more.length > 0 ? notAType(word) : faultOf({ word, group, resource });
    if (fault !== null) complain(fault);
    else resourcesOf.set(group, (resourcesOf.get(group) ?? new Set()).add(resource));
  }
  return [...resourcesOf]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, resources]) => ({ apiGroups: [group], resources: [...resources].toSorted() }));
}

function faultOf({
  word,
  group,
  resource,
}: {
  readonly word: string;
  readonly group: string;
  readonly resource: string;
}): string | null {
  if (resource === "*" && (group === "" || group === "*"))
    return `${quoted(word)} would let it read every Secret: name the types, as apps/*,configmaps,services`;
  if (group === "*") return `expected an API group before the slash, found ${quoted(word)}: a type is of one group`;
  // A version is what people know from apiVersion; a right has none.
  if (/^v[0-9]/.test(group)) return `${notAType(word)}; without the version, and without a group for the core's`;
  const valid = (group === "" || isName(group)) && (resource === "*" || isName(resource));
  return valid ? null : notAType(word);
}

function notAType(word: string): string {
  return `expected GROUP/RESOURCE such as apps/deployments, or RESOURCE of the core group such as configmaps, found ${quoted(word)}`;
}
