/** From rule documents and the types that a cluster serves to what is watched and what each target wants. Pure. */

import type { ResourceType, TypeKey } from "../../machines/messages.ts";
import type { Selection } from "../../machines/selection.ts";
import type { GitRepoConfig, ResourceRule, RuleConfig, RuleDocument } from "./documents.ts";
import { matchTypes } from "./match-types.ts";
import type { Problem } from "./problem.ts";

export interface CompiledRules {
  readonly targets: readonly CompiledTarget[];
  /** One version of each type; the very objects that discovery gave. */
  readonly watchedTypes: readonly ResourceType[];
  /** Nothing that stops the rest: types that are not there (yet), rules that select nothing. */
  readonly warnings: readonly Problem[];
}

export interface CompiledTarget {
  /** `namespace/name` of its GitRepoConfig. */
  readonly id: string;
  readonly config: GitRepoConfig;
  readonly selections: readonly Selection[];
}

/**
 * `served`: every type that can be listed and watched, in every version, the versions of a type in the API server's order of
 * preference. Call it again when the cluster serves other types.
 */
export function compileRules(documents: readonly RuleDocument[], served: readonly ResourceType[]): CompiledRules {
  const warnings: Problem[] = [];
  const rules = documents.filter((document) => document.kind !== "GitRepoConfig");
  const named = new Map<TypeKey, Set<string>>();
  const selectionsOf = new Map<string, Map<string, Selection>>();
  for (const document of rules) {
    const id = `${document.repo.namespace}/${document.repo.name}`;
    const selections = selectionsOf.get(id) ?? new Map<string, Selection>();
    selectionsOf.set(id, selections);
    for (const rule of document.rules) {
      const match = matchTypes({ document, rule, served });
      warnings.push(...match.warnings);
      for (const type of match.types) {
        named.set(type.key, (named.get(type.key) ?? new Set()).add(type.version));
        const selection = selectionOf(type.key, document, rule);
        selections.set(JSON.stringify(selection), selection);
      }
    }
  }
  const repositories = documents.filter((document) => document.kind === "GitRepoConfig");
  const targets = repositories.map((config) => {
    const id = `${config.namespace}/${config.name}`;
    if (!selectionsOf.has(id)) warnings.push(unused(config));
    return { id, config, selections: [...(selectionsOf.get(id)?.values() ?? [])] };
  });
  return { targets, watchedTypes: preferred(named, served), warnings };
}

function selectionOf(typeKey: TypeKey, document: RuleConfig, rule: ResourceRule): Selection {
  const { namespaces, matchLabels, matchExpressions } = document;
  return { typeKey, namespaces, matchLabels, matchExpressions, operations: rule.operations };
}

/** Of each type the first served version that some rule names. */
function preferred(
  named: ReadonlyMap<TypeKey, ReadonlySet<string>>,
  served: readonly ResourceType[],
): readonly ResourceType[] {
  const chosen = new Map<TypeKey, ResourceType>();
  for (const type of served) {
    if (!chosen.has(type.key) && named.get(type.key)?.has(type.version) === true) chosen.set(type.key, type);
  }
  return [...chosen.values()];
}

function unused(config: GitRepoConfig): Problem {
  return {
    place: config.place,
    path: "",
    message: `no rule names GitRepoConfig ${config.namespace}/${config.name}: nothing is written there`,
  };
}
