/** A file's YAML as a tree, for comparing; and ways through it. */

import { parse } from "yaml";
import type { FieldPath, FieldStep } from "./field-path.ts";

/** Whole numbers are bigints: int64 does not fit a number. */
export type FieldValue = null | boolean | number | bigint | string | readonly FieldValue[] | FieldMap;
export type FieldMap = ReadonlyMap<string, FieldValue>;

/** Null where it is no YAML: a file that could not be sanitized may hold anything. */
export function readManifest(text: string): FieldValue {
  try {
    return parse(text, parserOptions) as FieldValue;
  } catch {
    return null;
  }
}

const parserOptions = {
  intAsBigInt: true,
  mapAsMap: true,
  stringKeys: true,
  uniqueKeys: false,
  maxAliasCount: 0,
  // Not "silent": broken YAML would be read as far as it goes, and half a file be compared.
  logLevel: "error",
} as const;

export function isList(value: FieldValue | undefined): value is readonly FieldValue[] {
  return Array.isArray(value);
}

export function isMap(value: FieldValue | undefined): value is FieldMap {
  return value instanceof Map;
}

/** The items by their names, where each is a map with a name of its own (containers, env, ports, ...); otherwise null. */
export function namedItems(list: readonly FieldValue[]): ReadonlyMap<string, FieldMap> | null {
  const items = new Map<string, FieldMap>();
  for (const item of list) {
    const name = isMap(item) ? item.get("name") : undefined;
    if (!isMap(item) || typeof name !== "string" || items.has(name)) return null;
    items.set(name, item);
  }
  return items;
}

/** Undefined where there is none. */
export function valueAt(tree: FieldValue | undefined, path: FieldPath): FieldValue | undefined {
  return path.reduce(childOf, tree);
}

function childOf(value: FieldValue | undefined, step: FieldStep): FieldValue | undefined {
  if (typeof step === "string") return isMap(value) ? value.get(step) : undefined;
  if (!isList(value)) return undefined;
  return typeof step === "number" ? value[step] : namedItems(value)?.get(step.name);
}

/**
 * The path with the names of items in the place of numbers, as they stand in this tree: where others are put before it, an item moves.
 * Where the tree has no such item, the rest stays as it is.
 */
export function pinned(path: FieldPath, tree: FieldValue | undefined): FieldPath {
  let value = tree;
  return path.map((step) => {
    const items = typeof step === "number" && isList(value) ? namedItems(value) : null;
    const name = items === null ? undefined : [...items.keys()][step as number];
    const kept: FieldStep = name === undefined ? step : { name };
    value = childOf(value, step);
    return kept;
  });
}
