/** Sets of fields, as metadata.managedFields holds them: a field is the path to it, its elements joined. */

import type { Json, JsonObject } from "./json.ts";
import { isObject, toJson } from "./json.ts";

/** No element of a path holds it: names of fields do not, and keys are JSON. */
const SEPARATOR = "\u0000";

export type FieldSet = ReadonlySet<string>;

/** The path of a member of a map or struct, an element of a keyed list, an element of a set. */
export function fieldPath(at: string, name: string): string {
  return join(at, `f:${name}`);
}
export function keyPath(at: string, key: JsonObject): string {
  return join(at, `k:${toJson(key)}`);
}
export function valuePath(at: string, value: Json): string {
  return join(at, `v:${toJson(value)}`);
}

export function elementsOf(path: string): readonly string[] {
  return path.split(SEPARATOR);
}

/** The paths that lead to this one, without itself. */
export function prefixesOf(path: string): readonly string[] {
  const elements = elementsOf(path);
  return elements.slice(1).map((_element, index) => elements.slice(0, index + 1).join(SEPARATOR));
}

/** Leaves out fields and everything below them. */
export function withoutBelow(set: FieldSet, roots: readonly string[]): FieldSet {
  const below = (path: string): boolean =>
    roots.some((root) => path === root || path.startsWith(`${root}${SEPARATOR}`));
  return roots.length === 0 ? set : new Set([...set].filter((path) => !below(path)));
}

/** As it stands in `fieldsV1`: a member that has members below it is shown by a dot. */
export function fieldsV1Of(set: FieldSet): JsonObject {
  const root: Node = { children: new Map(), member: false };
  for (const path of set) {
    let node = root;
    for (const element of elementsOf(path)) {
      const child = node.children.get(element) ?? { children: new Map<string, Node>(), member: false };
      node.children.set(element, child);
      node = child;
    }
    node.member = true;
  }
  return jsonOf(root);
}

export function fieldSetOf(fieldsV1: Json, at = ""): FieldSet {
  const set = new Set<string>();
  if (!isObject(fieldsV1)) return set;
  for (const [element, below] of Object.entries(fieldsV1)) {
    if (element === ".") set.add(at);
    else {
      const path = join(at, element);
      if (!isObject(below) || Object.keys(below).length === 0) set.add(path);
      else for (const nested of fieldSetOf(below, path)) set.add(nested);
    }
  }
  return set;
}

interface Node {
  readonly children: Map<string, Node>;
  member: boolean;
}

function jsonOf(node: Node): JsonObject {
  const members = [...node.children].map(([element, child]) => [element, jsonOf(child)] as const);
  return Object.fromEntries(node.member && members.length > 0 ? [[".", {}], ...members] : members);
}

function join(at: string, element: string): string {
  return at === "" ? element : `${at}${SEPARATOR}${element}`;
}
