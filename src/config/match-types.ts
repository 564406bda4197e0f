/** The served types that one rule names, and a warning for each word of it that names none. */

import type { ResourceType } from "../../machines/messages.ts";
import type { ResourceRule, RuleConfig } from "./documents.ts";
import { titleOf } from "./documents.ts";
import { nearest } from "./nearest.ts";
import type { Problem } from "./problem.ts";
import { quoted } from "./problem.ts";

export interface TypeMatch {
  /** Every version that the rule names. */
  readonly types: readonly ResourceType[];
  readonly warnings: readonly Problem[];
}

interface Question {
  readonly document: RuleConfig;
  readonly rule: ResourceRule;
  readonly served: readonly ResourceType[];
}

const appears = "its watch starts when the cluster serves it";

export function matchTypes(question: Question): TypeMatch {
  const { document, rule, served } = question;
  const inGroups = served.filter(({ group }) => names(rule.apiGroups, group));
  const inResources = inGroups.filter(({ resource }) => names(rule.resources, resource));
  const inVersions = inResources.filter(({ version }) => names(rule.apiVersions, version));
  const inScope = inVersions.filter(({ namespaced }) => namespaced || document.namespaces === null);
  const types = withoutAliases(inScope);
  const messages = [
    ...unservedGroups(rule, served),
    ...unservedResources(question, inGroups),
    ...unservedVersions(rule, inResources, inVersions),
    ...clusterScoped(rule, inVersions, inScope),
    ...noisy(rule, types),
    ...aliased(rule, inScope, types),
  ];
  const warnings = messages.map(({ path, message }) => {
    return { place: rule.place, path, message: `${titleOf(document)}: ${message}` };
  });
  return { types, warnings };
}

type Message = Pick<Problem, "path" | "message">;

function names(words: readonly string[], word: string): boolean {
  return words.includes("*") || words.includes(word);
}

function unservedGroups(rule: ResourceRule, served: readonly ResourceType[]): readonly Message[] {
  const groups = new Set(served.map(({ group }) => group));
  return rule.apiGroups
    .filter((group) => group !== "*" && !groups.has(group))
    .map((group) => ({
      path: "apiGroups",
      message: `the cluster serves no API group ${quoted(group)}${meant(group, groups)}; ${appears}`,
    }));
}

function unservedResources({ rule, served }: Question, inGroups: readonly ResourceType[]): readonly Message[] {
  return rule.resources
    .filter((resource) => resource !== "*" && !inGroups.some((type) => type.resource === resource))
    .map((resource) => {
      const message = `the cluster serves no resource ${quoted(resource)} in ${groupsOf(rule)}${advice(resource, inGroups, served)}; ${appears}`;
      return { path: "resources", message };
    });
}

function advice(resource: string, inGroups: readonly ResourceType[], served: readonly ResourceType[]): string {
  const singular = inGroups.find(({ kind }) => kind.toLowerCase() === resource);
  if (singular !== undefined) return `; did you mean "${singular.resource}"?`;
  const elsewhere = served.find((type) => type.resource === resource);
  if (elsewhere !== undefined) return `, but in ${quoted(elsewhere.group)}`;
  return meant(resource, new Set(inGroups.map((type) => type.resource)));
}

function unservedVersions(
  rule: ResourceRule,
  without: readonly ResourceType[],
  types: readonly ResourceType[],
): readonly Message[] {
  const missed = new Map<string, string[]>();
  for (const { key, version } of without) {
    if (!types.some((type) => type.key === key)) missed.set(key, [...(missed.get(key) ?? []), version]);
  }
  if (rule.resources.includes("*") && types.length > 0) return [];
  return [...missed].map(([key, versions]) => {
    const message = `${key} is served in ${versions.join(", ")}, and not in ${rule.apiVersions.join(", ")}; ${appears}`;
    return { path: "apiVersions", message };
  });
}

function clusterScoped(
  rule: ResourceRule,
  without: readonly ResourceType[],
  types: readonly ResourceType[],
): readonly Message[] {
  const missed = new Set(without.filter((type) => !types.includes(type)).map(({ resource }) => resource));
  return [...missed]
    .filter((resource) => rule.resources.includes(resource))
    .map((resource) => ({
      path: "resources",
      message: `${resource} are cluster-scoped, and no namespace has them: name them in a ClusterWatchRule without namespaces`,
    }));
}

const coreEvents = "core/events";
const otherEvents = "events.k8s.io/events";
const heartbeats = new Set<string>([coreEvents, otherEvents, "coordination.k8s.io/leases"]);

/**
 * Both are one store, and the API server asks a webhook about a write only once, in one of the groups: two files, of which one
 * has no author. A rule that names both means the core one.
 */
function withoutAliases(types: readonly ResourceType[]): readonly ResourceType[] {
  return types.some(({ key }) => key === coreEvents) ? types.filter(({ key }) => key !== otherEvents) : types;
}

function aliased(
  rule: ResourceRule,
  inScope: readonly ResourceType[],
  types: readonly ResourceType[],
): readonly Message[] {
  if (types.length === inScope.length || !rule.resources.includes("events")) return [];
  return [{ path: "resources", message: `${otherEvents} are the same objects as ${coreEvents}, and watched as these` }];
}

/** They change every few seconds without anybody doing anything. */
function noisy(rule: ResourceRule, types: readonly ResourceType[]): readonly Message[] {
  const found = [...new Set(types.map(({ key }) => key))].filter((key) => heartbeats.has(key));
  if (!rule.resources.includes("*") || found.length === 0) return [];
  return [
    {
      path: "resources",
      message: `"*" includes ${found.join(", ")}, which change all the time: better name the resources`,
    },
  ];
}

function groupsOf(rule: ResourceRule): string {
  if (rule.apiGroups.includes("*")) return "any API group";
  return `API group${rule.apiGroups.length === 1 ? "" : "s"} ${rule.apiGroups.map(quoted).join(", ")}`;
}

function meant(word: string, known: ReadonlySet<string>): string {
  const suggestion = nearest(word, known);
  return suggestion === null ? "" : `; did you mean "${suggestion}"?`;
}
