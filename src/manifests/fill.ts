/** From a template and the values that were chosen to Kubernetes objects. */

import type { InstallValues, ListItem } from "./install-values.ts";
import type { FileName, Reference, Scalar, Template, Test } from "./template.ts";
import { Hole } from "./template.ts";

export type Plain = Scalar | readonly Plain[] | PlainObject;
export interface PlainObject {
  readonly [key: string]: Plain;
}

export interface Filling {
  readonly values: InstallValues;
  /** What stands in a file of deploy/: parsed where it is YAML, text where it is JSON that nobody here reads. */
  readonly file: (name: FileName) => Plain;
}

/** Of a list, however many of it there are. */
export function fillList(list: readonly Template[], filling: Filling): readonly Plain[] {
  return list.flatMap((template) => itemsOf(template, { ...filling, item: null }));
}

interface Scope extends Filling {
  readonly item: ListItem | null;
}

function itemsOf(template: Template, scope: Scope): readonly Plain[] {
  if (template instanceof Hole) {
    const { part } = template;
    if (part.kind === "choice") {
      const chosen = holds(part.test, scope) ? part.chosen : part.otherwise;
      return chosen === undefined ? [] : itemsOf(chosen, scope);
    }
    if (part.kind === "each") return scope.values[part.list].flatMap((item) => itemsOf(part.body, { ...scope, item }));
  }
  return [filled(template, scope)];
}

function filled(template: Template, scope: Scope): Plain {
  if (template instanceof Hole) return holeFilled(template, scope);
  if (isList(template)) return template.flatMap((item) => itemsOf(item, scope));
  if (typeof template !== "object" || template === null) return template;
  const entries: (readonly [string, Plain])[] = [];
  for (const [key, value] of Object.entries(template)) {
    if (value instanceof Hole && value.part.kind === "fields")
      entries.push(...Object.entries(scope.values[value.part.name] as PlainObject));
    else entries.push(...itemsOf(value, scope).map((plain) => [key, plain] as const));
  }
  return Object.fromEntries(entries);
}

function holeFilled({ part }: Hole, scope: Scope): Plain {
  switch (part.kind) {
    case "value":
    case "item":
      return referred(part, scope);
    case "text":
      return part.parts.map((piece) => (typeof piece === "string" ? piece : wordOf(referred(piece, scope)))).join("");
    case "file":
      return scope.file(part.name);
    case "choice":
    case "each":
    case "fields":
      throw new Error(`A ${part.kind} stands in a list or a map.`);
    default:
      return part satisfies never;
  }
}

function referred(reference: Reference, { values, item }: Scope): Plain {
  if (reference.kind === "value") return values[reference.name];
  if (reference.field === null) return item as Plain;
  return (item as unknown as PlainObject)[reference.field] ?? null;
}

function wordOf(plain: Plain): string {
  return typeof plain === "string" ? plain : JSON.stringify(plain);
}

function holds(test: Test, scope: Scope): boolean {
  switch (test.kind) {
    case "is":
      return scope.values[test.name] === test.text;
    case "at-least":
      return scope.values[test.name] >= test.number;
    case "given": {
      const value = scope.values[test.name];
      return Array.isArray(value) ? value.length > 0 : Boolean(value);
    }
    case "in-chart":
      return false;
    case "not":
      return !holds(test.test, scope);
    default:
      return test satisfies never;
  }
}

/** Array.isArray does not know readonly arrays. */
function isList(template: Template): template is readonly Template[] {
  return Array.isArray(template);
}
