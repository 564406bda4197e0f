/**
 * The one YAML text of a JSON tree: equal content gives equal bytes, and readers of YAML 1.1 and 1.2 get back what went in.
 *
 * - Keys are in the order of their UTF-16 code units, but for apiVersion, kind and metadata at the top, which come first.
 * - Block style, two spaces; a list stands at the indentation of its key, as kubectl writes it. Empty ones are `{}` and `[]`.
 * - Below `maxBlockDepth` levels a value is one line of flow style: indentation would square the size of a hostile object, and
 *   recursion would end the stack.
 */

import { isList, type Json, type JsonObject, NumberText } from "./json-tree.ts";
import { blockString, doubleQuoted, keyString } from "./yaml-scalar.ts";

/** Levels; real objects have some 20. */
const maxBlockDepth = 100;
/** Longer implicit keys are an error to readers (1,024 characters in both versions): they are written with `? `. */
const maxImplicitKeyLength = 1000;
/** Encoded keys are remembered, this many; then forgotten all at once. */
const keyCacheCapacity = 8192;
const longestCachedKey = 128;
/** Keys; above it, comparing each with each costs more. */
const maxInsertionSort = 24;

const keyCache = new Map<string, string>();
const indents = Array.from({ length: maxBlockDepth + 2 }, (_, depth) => "  ".repeat(depth));
const firstKeys = ["apiVersion", "kind", "metadata"];

export function canonicalYaml(value: Json): Uint8Array {
  return Buffer.from(document(value), "utf8");
}

function document(value: Json): string {
  if (isList(value)) return value.length === 0 ? "[]\n" : list(value, 0, "");
  if (typeof value !== "object" || value === null || value instanceof NumberText) return `${scalar(value, "")}\n`;
  const keys = keysInOrder(value, true);
  return keys.length === 0 ? "{}\n" : map(value, keys, { depth: 0, lead: "" });
}

/** Keys of the members that were not dropped, as they follow each other in a document. */
export function keysInOrder(value: JsonObject, atTop: boolean): readonly string[] {
  const keys = sortedKeys(value);
  if (!atTop) return keys;
  const first = firstKeys.filter((key) => keys.includes(key));
  return first.length === 0 ? keys : [...first, ...keys.filter((key) => !first.includes(key))];
}

/** `lead` stands before the first line: the indentation, or nothing after a `- `. */
function map(
  value: JsonObject,
  keys: readonly string[],
  place: { readonly depth: number; readonly lead: string },
): string {
  const { depth } = place;
  const indent = indents[depth] ?? "";
  let text = place.lead;
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] ?? "";
    if (index > 0) text += indent;
    text += keyText(key, indent) + member(value[key] ?? null, depth);
  }
  return text;
}

/** What follows the colon, to the end of the line or block. */
function member(value: Json, depth: number): string {
  if (typeof value === "string") return ` ${blockString(value, indents[depth] ?? "")}\n`;
  if (typeof value !== "object" || value === null) return ` ${String(value)}\n`;
  if (isList(value)) {
    if (value.length === 0) return " []\n";
    return depth >= maxBlockDepth ? ` ${flow(value)}\n` : `\n${list(value, depth, indents[depth] ?? "")}`;
  }
  if (value instanceof NumberText) return ` ${numberText(value.source)}\n`;
  const keys = sortedKeys(value);
  if (keys.length === 0) return " {}\n";
  if (depth >= maxBlockDepth) return ` ${flow(value)}\n`;
  return `\n${map(value, keys, { depth: depth + 1, lead: indents[depth + 1] ?? "" })}`;
}

function list(items: readonly Json[], depth: number, lead: string): string {
  const indent = indents[depth] ?? "";
  let text = lead;
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) text += indent;
    text += `- ${item(items[index] ?? null, depth)}`;
  }
  return text;
}

function item(value: Json, depth: number): string {
  if (isList(value)) {
    if (value.length === 0) return "[]\n";
    return depth >= maxBlockDepth ? `${flow(value)}\n` : list(value, depth + 1, "");
  }
  if (typeof value !== "object" || value === null || value instanceof NumberText) {
    return `${scalar(value, indents[depth] ?? "")}\n`;
  }
  const keys = sortedKeys(value);
  if (keys.length === 0) return "{}\n";
  return depth >= maxBlockDepth ? `${flow(value)}\n` : map(value, keys, { depth: depth + 1, lead: "" });
}

function scalar(value: null | boolean | number | string | NumberText, indent: string): string {
  if (typeof value === "string") return blockString(value, indent);
  return value instanceof NumberText ? numberText(value.source) : String(value);
}

/** YAML 1.1 reads an exponent only after a point, and with a sign: `1e5` becomes `1.0e+5`. */
function numberText(source: string): string {
  const [, mantissa = source, sign = "", exponent = ""] = /^(.*)[eE]([-+]?)(\d+)$/.exec(source) ?? [];
  if (exponent === "") return source;
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}e${sign === "-" ? "-" : "+"}${exponent}`;
}

function keyText(key: string, indent: string): string {
  const cached = keyCache.get(key);
  if (cached !== undefined) return cached;
  const encoded = keyString(key);
  if (encoded.length > maxImplicitKeyLength) return `? ${encoded}\n${indent}:`;
  if (key.length <= longestCachedKey) {
    if (keyCache.size >= keyCacheCapacity) keyCache.clear();
    keyCache.set(key, `${encoded}:`);
  }
  return `${encoded}:`;
}

/** Keys of the members that were not dropped. Most maps are small and nearly sorted: insertion is faster than `sort`. */
function sortedKeys(value: JsonObject): readonly string[] {
  const keys = Object.keys(value);
  if (keys.length > maxInsertionSort) return keys.filter((key) => value[key] !== undefined).sort();
  let count = 0;
  for (const key of keys) {
    if (value[key] === undefined) continue;
    let at = count;
    for (; at > 0; at -= 1) {
      const before = keys[at - 1] ?? "";
      if (before < key) break;
      keys[at] = before;
    }
    keys[at] = key;
    count += 1;
  }
  keys.length = count;
  return keys;
}

/** On one line. Iterative: depth costs memory only. */
function flow(root: Json): string {
  let text = "";
  const pending: FlowPart[] = [{ value: root }];
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    const { value } = part;
    if (value === undefined) {
      text += part.text;
    } else if (isList(value)) {
      pending.push({ text: "]" });
      for (let index = value.length - 1; index >= 0; index -= 1) {
        pending.push({ value: value[index] ?? null }, { text: index > 0 ? ", " : "" });
      }
      text += "[";
    } else if (typeof value === "object" && value !== null && !(value instanceof NumberText)) {
      const keys = sortedKeys(value);
      pending.push({ text: "}" });
      for (let index = keys.length - 1; index >= 0; index -= 1) {
        const key = keys[index] ?? "";
        const lead = (index > 0 ? ", " : "") + (key.length > longestCachedKey ? "? " : "");
        pending.push({ value: value[key] ?? null }, { text: `${lead}${doubleQuoted(key)}: ` });
      }
      text += "{";
    } else {
      text += typeof value === "string" ? doubleQuoted(value) : scalar(value, "");
    }
  }
  return text;
}

type FlowPart = { readonly value: Json; readonly text?: never } | { readonly value?: never; readonly text: string };
