/** One line of the deny-list, and how it is carried out. The tables are in common-rules.ts and kind-rules.ts. */

import { isList, isObject, type Json, type JsonObject } from "./json-tree.ts";

export interface Rule {
  /** What is dropped: a dotted path; `name[]` steps into every item of a list. */
  readonly path: string;
  /** Of the map at `path` only these keys go; `example.com/*` names all with that prefix. */
  readonly keys?: readonly string[];
  /** Of the list at `path` only these items go. */
  readonly items?: (item: Json, object: JsonObject) => boolean;
  /** The rule holds for such values and objects only. */
  readonly when?: (value: Json, object: JsonObject) => boolean;
  /** What `items` and `when` ask, in words. */
  readonly only?: string;
  readonly why: string;
}

/** Changes a tree that the caller owns. */
export type Sanitizer = (object: JsonObject) => void;

/**
 * Rules in order, so a `when` sees what later rules drop. A map or list that a rule emptied goes as well, and so do its emptied
 * parents: annotations that held nothing but denied keys are the same as none. What came empty stays.
 */
export function sanitizerOf(rules: readonly Rule[]): Sanitizer {
  const sanitizers = rules.map(compile);
  return (object) => {
    for (const sanitizer of sanitizers) sanitizer(object);
  };
}

function compile(rule: Rule): Sanitizer {
  const { when } = rule;
  const path = rule.path.split(".").map((part) => part.replace(/\[\]$/, ""));
  const listed = rule.path.split(".").map((part) => part.endsWith("[]"));
  const remainder = remainderAfter(rule);

  /** Whether something was dropped at or below path[index]. */
  function walk(at: JsonObject, index: number, object: JsonObject): boolean {
    const key = path[index] ?? "";
    const value = at[key];
    if (value === undefined) return false;
    if (index === path.length - 1) {
      if (when !== undefined && !when(value, object)) return false;
      const rest = remainder(value, object);
      if (rest === value) return false;
      at[key] = rest;
      return true;
    }
    if (listed[index] === true) {
      if (isList(value)) for (const item of value) if (isObject(item)) walk(item, index + 1, object);
      return false;
    }
    if (!isObject(value) || !walk(value, index + 1, object)) return false;
    if (isEmptied(value)) at[key] = undefined;
    return true;
  }
  return (object) => void walk(object, 0, object);
}

/** What is left of the value at the path: undefined for nothing. */
function remainderAfter(rule: Rule): (value: Json, object: JsonObject) => Json | undefined {
  const { keys, items } = rule;
  if (keys !== undefined) return withoutKeys(keys);
  if (items === undefined) return () => undefined;
  return (value, object) => {
    if (!isList(value)) return value;
    const left = value.filter((item) => !items(item, object));
    if (left.length === value.length) return value;
    return left.length === 0 ? undefined : left;
  };
}

function withoutKeys(keys: readonly string[]): (value: Json) => Json | undefined {
  const names = new Set(keys.filter((key) => !key.endsWith("*")));
  const prefixes = keys.filter((key) => key.endsWith("*")).map((key) => key.slice(0, -1));
  return (value) => {
    if (!isObject(value)) return value;
    let dropped = false;
    for (const key of Object.keys(value)) {
      if (value[key] === undefined) continue;
      if (!names.has(key) && !prefixes.some((prefix) => key.startsWith(prefix))) continue;
      value[key] = undefined;
      dropped = true;
    }
    return dropped && isEmptied(value) ? undefined : value;
  };
}

/** Has members, all of them dropped. */
function isEmptied(value: JsonObject): boolean {
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => value[key] === undefined);
}
