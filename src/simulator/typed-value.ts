/**
 * An object seen through its schema, as structured-merge-diff does: which fields it has, which of them differ from another's, the
 * merge of two. Lists are keyed, sets or atomic, as the type says.
 */

import type { FieldSet } from "./field-set.ts";
import { elementsOf, fieldPath, keyPath, prefixesOf, valuePath } from "./field-set.ts";
import type { Json, JsonObject, Layout } from "./json.ts";
import { equalJson, isObject } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";

/** A place in an object. */
interface Place {
  readonly type: SimulatedType;
  readonly path: string;
  /** Names of fields, without the elements of lists. */
  readonly dotted: string;
  /** Fields that have a name here. */
  readonly layout: Layout | null;
}

export interface Comparison {
  readonly added: Set<string>;
  readonly modified: Set<string>;
  readonly removed: Set<string>;
}

export function compareFields(type: SimulatedType, before: JsonObject, after: JsonObject): Comparison {
  const comparison: Comparison = { added: new Set(), modified: new Set(), removed: new Set() };
  compare(rootOf(type), { before, after }, comparison);
  return comparison;
}

/** What somebody who applies this object owns. */
export function fieldsOf(type: SimulatedType, object: JsonObject): FieldSet {
  const fields = new Set<string>();
  collect(rootOf(type), object, fields);
  return fields;
}

/** The live object with what the configuration says. */
export function mergeConfiguration(type: SimulatedType, live: JsonObject, configuration: JsonObject): JsonObject {
  const merged = merge(rootOf(type), live, configuration);
  return isObject(merged) ? merged : {};
}

/** The object without those fields; a map or a keyed list that is left empty is null then. */
export function removeFields(type: SimulatedType, object: JsonObject, fields: FieldSet): JsonObject {
  const within = new Set([...fields].flatMap(prefixesOf));
  const left = remove(rootOf(type), object, { fields, within });
  return isObject(left) ? left : {};
}

/** The set with every named field that leads to one of its members. */
export function withNamedFields(type: SimulatedType, set: FieldSet): FieldSet {
  const whole = new Set(set);
  for (const path of set) {
    const prefixes = prefixesOf(path);
    let layout: Layout | null = type.fields;
    for (const [index, element] of elementsOf(path).slice(0, -1).entries()) {
      if (!element.startsWith("f:")) continue;
      const name = element.slice(2);
      const named: boolean = layout !== null && Object.hasOwn(layout, name);
      const prefix = prefixes[index];
      if (named && prefix !== undefined) whole.add(prefix);
      layout = layout?.[name] ?? null;
    }
  }
  return whole;
}

function rootOf(type: SimulatedType): Place {
  return { type, path: "", dotted: "", layout: type.fields };
}

function memberAt(place: Place, name: string): Place {
  const dotted = place.dotted === "" ? name : `${place.dotted}.${name}`;
  return { ...place, path: fieldPath(place.path, name), dotted, layout: place.layout?.[name] ?? null };
}

/** Members of a map or struct, elements of a keyed list or a set; null for what is owned whole. */
function childrenOf(place: Place, value: Json | undefined): ReadonlyMap<string, readonly [Place, Json]> | null {
  if (isObject(value)) {
    if (isAtomic(place)) return null;
    const members = Object.entries(value).map(([name, member]) => {
      const at = memberAt(place, name);
      return [at.path, [at, member] as const] as const;
    });
    return new Map(members);
  }
  const keys = listKeys(place);
  if (!Array.isArray(value) || keys === undefined) return null;
  const elements = (value as readonly Json[]).map((element) => {
    const path = keys === "set" ? valuePath(place.path, element) : keyPath(place.path, keyOf(element, keys));
    return [path, [{ ...place, path }, element] as const] as const;
  });
  return new Map(elements);
}

function isAtomic({ type, dotted }: Place): boolean {
  return type.atomicMaps.includes(dotted);
}

function listKeys({ type, dotted }: Place): "set" | readonly string[] | undefined {
  return type.lists[dotted.replace(/^spec\.template\.metadata\./, "metadata.")];
}

/** A protocol that is not given is TCP. */
function keyOf(element: Json, keys: readonly string[]): JsonObject {
  const members = keys.map((key) => {
    const value = isObject(element) ? element[key] : undefined;
    return [key, value ?? (key === "protocol" ? "TCP" : null)] as const;
  });
  return Object.fromEntries(members);
}

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

function compare(
  place: Place,
  { before, after }: { readonly before: Json | undefined; readonly after: Json | undefined },
  comparison: Comparison,
): void {
  if (before !== undefined && equalJson(before, after)) return;
  const old = childrenOf(place, before);
  const fresh = childrenOf(place, after);
  const leaf = (old === null && fresh === null) || (isEmpty(before) && isEmpty(after));
  if (!leaf) {
    for (const path of new Set([...(old?.keys() ?? []), ...(fresh?.keys() ?? [])])) {
      const at = (fresh?.get(path) ?? old?.get(path))?.[0];
      if (at !== undefined) compare(at, { before: old?.get(path)?.[1], after: fresh?.get(path)?.[1] }, comparison);
    }
  }
  if (before === undefined) comparison.added.add(place.path);
  else if (after === undefined) comparison.removed.add(place.path);
  else if (leaf) comparison.modified.add(place.path);
}

function collect(place: Place, value: Json, fields: Set<string>): void {
  const children = childrenOf(place, value);
  if (children === null) {
    if (!(Array.isArray(value) && listKeys(place) !== undefined)) fields.add(place.path);
    return;
  }
  for (const [path, [at, child]] of children) {
    collect(at, child, fields);
    const element = elementsOf(path).at(-1) ?? "";
    const named = element.startsWith("f:") && place.layout !== null && Object.hasOwn(place.layout, element.slice(2));
    if (!named || child === null || (isObject(child) && isEmpty(child))) fields.add(path);
  }
}

function merge(place: Place, live: Json | undefined, wanted: Json): Json {
  const old = childrenOf(place, live);
  const fresh = childrenOf(place, wanted);
  if (live === undefined || old === null || fresh === null) return wanted;
  const mergeChild = (path: string): Json => {
    const [at, child] = fresh.get(path) ?? [place, null];
    return merge(at, old.get(path)?.[1], child);
  };
  if (isObject(live)) {
    const members = Object.entries(live).map(([name, value]) => {
      const { path } = memberAt(place, name);
      return [name, fresh.has(path) ? mergeChild(path) : value] as const;
    });
    const added = isObject(wanted) ? Object.entries(wanted).filter(([name]) => !Object.hasOwn(live, name)) : [];
    return Object.fromEntries([...members, ...added]);
  }
  return orderedUnion([...old.keys()], [...fresh.keys()]).map((path) =>
    fresh.has(path) ? mergeChild(path) : (old.get(path)?.[1] ?? null),
  );
}

/** The elements of both: those of the second in its order, what only the first has before what it stood before. */
function orderedUnion(first: readonly string[], second: readonly string[]): readonly string[] {
  const union: string[] = [];
  const both = new Set(first).intersection(new Set(second));
  let left = 0;
  for (const path of second) {
    if (both.has(path)) {
      for (; left < first.length && !both.has(first[left] ?? ""); left += 1) union.push(first[left] ?? "");
      left += 1;
    }
    union.push(path);
  }
  return [...union, ...first.slice(left).filter((path) => !both.has(path))];
}

function remove(
  place: Place,
  value: Json,
  what: { readonly fields: FieldSet; readonly within: ReadonlySet<string> },
): Json {
  const children = childrenOf(place, value);
  if (children === null || children.size === 0) return value;
  const left = [...children].flatMap(([path, [at, child]]) =>
    what.fields.has(path) ? [] : [[path, what.within.has(path) ? remove(at, child, what) : child] as const],
  );
  if (left.length === 0) return null;
  if (!isObject(value)) return left.map(([, child]) => child);
  return Object.fromEntries(left.map(([path, child]) => [(elementsOf(path).at(-1) ?? "").slice(2), child]));
}
