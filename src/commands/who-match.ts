/** Which resources of a history are meant; or, where none is, what there is instead. */

import { nearest } from "../config/nearest.ts";
import { quoted } from "../config/problem.ts";
import { type NamedResource, namePartOf, resourceOfFile } from "../git/clone/record-key.ts";
import { names, type TypeName, typeText, typeWordOf } from "./resource-words.ts";
import { visible } from "./visible.ts";
import type { ResourceQuestion } from "./who-options.ts";

export interface KnownResource {
  readonly cluster: string;
  /** As in `RecordKey`. */
  readonly file: string;
}

export type Match =
  | { readonly kind: "found"; readonly resources: readonly KnownResource[] }
  /** `advice`: what was looked for, and what there is. */
  | { readonly kind: "none"; readonly advice: string };

export interface MatchOptions {
  readonly question: ResourceQuestion;
  readonly known: readonly KnownResource[];
  /** The `kind:` of the files of types that no rule knows, in small letters. */
  readonly kindsOf: (types: readonly TypeName[]) => Promise<ReadonlyMap<string, string>>;
}

const shownNames = 10;
const shownTypes = 30;

export async function matchResources(options: MatchOptions): Promise<Match> {
  const { question, known } = options;
  const ofType = await withType(options);
  if (ofType.length === 0) return { kind: "none", advice: noSuchType(question, known) };
  // In a history of thousands, names are compared as they stand.
  const part = namePartOf(question.name);
  const ofName = ofType.filter(({ file }) => file.endsWith(`/${part}`));
  const here = ofName.filter(({ file }) => isIn(resourceOfFile(file), question.namespace));
  if (here.length > 0) return { kind: "found", resources: here };
  return { kind: "none", advice: ofName.length > 0 ? elsewhere(question, ofName) : noSuchName(question, ofType) };
}

function isIn({ namespace }: NamedResource, wanted: string): boolean {
  return namespace === "" || namespace === wanted;
}

async function withType({ question, known, kindsOf }: MatchOptions): Promise<readonly KnownResource[]> {
  const word = typeWordOf(question.type);
  const types = typesOf(known);
  const named = [...types].filter(([, type]) => names(word, type)).map(([key]) => key);
  if (named.length > 0) return known.filter(({ file }) => named.includes(typeKeyOf(file)));
  const kinds = await kindsOf([...types.values()].filter(({ group }) => word.group === null || word.group === group));
  const byKind = [...types].filter(([, type]) => kinds.get(typeText(type)) === word.word).map(([key]) => key);
  return known.filter(({ file }) => byKind.includes(typeKeyOf(file)));
}

/** `apps/deployments`, encoded. */
function typeKeyOf(file: string): string {
  return file.slice(file.indexOf("/") + 1, file.lastIndexOf("/"));
}

function typesOf(known: readonly KnownResource[]): ReadonlyMap<string, TypeName> {
  const types = new Map<string, TypeName>();
  for (const { file } of known) {
    const key = typeKeyOf(file);
    if (!types.has(key)) types.set(key, resourceOfFile(file));
  }
  return types;
}

function noSuchType({ type }: ResourceQuestion, known: readonly KnownResource[]): string {
  const there = [...typesOf(known).values()].map(typeText).toSorted();
  if (there.length === 0)
    return "expected a history that kubescribe wrote, found no change of any resource: name its clone with --repository, or its branch with --branch";
  const near = nearest(type, [...there, ...there.map((text) => text.split(".", 1)[0] ?? "")]);
  return `the history has no ${quoted(type)}${meant(near)}; it has ${listed(there, shownTypes)}`;
}

function elsewhere(question: ResourceQuestion, found: readonly KnownResource[]): string {
  const namespaces = [...new Set(found.map(({ file }) => resourceOfFile(file).namespace))].toSorted();
  return (
    `the history has no ${question.type} ${quoted(question.name)} in the namespace ${quoted(question.namespace)}, ` +
    `but in ${listed(namespaces, shownNames)}: say so with -n`
  );
}

function noSuchName(question: ResourceQuestion, ofType: readonly KnownResource[]): string {
  const resources = ofType.map(({ file }) => resourceOfFile(file)).filter((one) => isIn(one, question.namespace));
  const there = [...new Set(resources.map(({ name }) => name))].toSorted();
  const where = `no ${question.type} ${quoted(question.name)} in the namespace ${quoted(question.namespace)}`;
  if (there.length > 0) {
    return `the history has ${where}${meant(nearest(question.name, there))}; it has ${listed(there, shownNames)}`;
  }
  const all = ofType.map(({ file }) => resourceOfFile(file));
  const namespaces = [...new Set(all.map(({ namespace }) => namespace))].toSorted();
  return `the history has ${where}; it has some in ${listed(namespaces, shownNames)}`;
}

function meant(word: string | null): string {
  return word === null ? "" : ` (did you mean ${quoted(word)}?)`;
}

function listed(words: readonly string[], limit: number): string {
  const more = words.length > limit ? ` and ${words.length - limit} more` : "";
  return `${words.slice(0, limit).map(visible).join(", ")}${more}`;
}
