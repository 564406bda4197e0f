/**
 * JSON as the API server treats it: numbers keep their source text (an int64 beyond 2^53 must survive, K29), text is escaped as
 * Go does it, maps are printed in sorted order, structs in the order of their fields.
 */

export type Json = null | boolean | number | string | RawNumber | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
/** A number whose source text JavaScript would not give back: what `JSON.rawJSON` makes. */
export interface RawNumber {
  readonly rawJSON: string;
}

interface SourceTextJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
}
/** TypeScript's library does not know the source text proposal yet, which Node has. */
const sourceTextJson = JSON as unknown as SourceTextJson;

/** Whole numbers keep their text; others become a float64, as in the API server. Throws SyntaxError. */
export function parseJson(text: string): Json {
  return sourceTextJson.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && /^-?\d+$/.test(source) && source !== String(value)
      ? sourceTextJson.rawJSON(source)
      : value,
  ) as Json;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !sourceTextJson.isRawJSON(value);
}

/** The member as an object; empty where it is none. */
export function objectAt(value: Json | undefined, key: string): JsonObject {
  const member = isObject(value) ? value[key] : undefined;
  return isObject(member) ? member : {};
}

export function arrayAt(value: Json | undefined, key: string): readonly Json[] {
  const member = isObject(value) ? value[key] : undefined;
  return Array.isArray(member) ? (member as readonly Json[]) : [];
}

export function stringAt(value: Json | undefined, key: string): string {
  const member = isObject(value) ? value[key] : undefined;
  return typeof member === "string" ? member : "";
}

export function numberAt(value: Json | undefined, key: string): number {
  const member = isObject(value) ? value[key] : undefined;
  return typeof member === "number" ? member : 0;
}

/** Without some members; the object itself where it has none of them. */
export function without(object: JsonObject, ...keys: readonly string[]): JsonObject {
  if (!keys.some((key) => Object.hasOwn(object, key))) return object;
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** A copy with members set; a member given as undefined is left out. */
export function withMembers(object: JsonObject, members: Readonly<Record<string, Json | undefined>>): JsonObject {
  const merged: Record<string, Json> = { ...object };
  const unset: string[] = [];
  for (const [key, value] of Object.entries(members)) {
    if (value === undefined) unset.push(key);
    else merged[key] = value;
  }
  return without(merged, ...unset);
}

/** RFC 7386. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const members = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else members.set(key, mergePatch(members.get(key), value));
  }
  return Object.fromEntries(members);
}

export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return (a as readonly Json[]).every((item, at) => equalJson(item, (b as readonly Json[])[at]));
  }
  if (!isObject(a) || !isObject(b)) return JSON.stringify(a) === JSON.stringify(b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key], b[key]))
  );
}

/** The order of a struct's fields; null for a map or a scalar. Elements of an array have the layout of the array's key. */
export interface Layout {
  readonly [field: string]: Layout | null;
}

/** Compact JSON: fields named by the layout first, in its order, then the rest, sorted. */
export function toJson(value: Json, layout: Layout | null = null): string {
  return escapeLikeGo(unescaped(value, layout));
}

export function memberJson(key: string, value: Json, layout: Layout | null): string {
  return escapeLikeGo(unescapedMember(key, value, layout));
}

function unescaped(value: Json, layout: Layout | null): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map((item) => unescaped(item, layout)).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  let members = "";
  for (const key of orderedKeys(value, layout))
    members += `${members === "" ? "" : ","}${unescapedMember(key, value[key] ?? null, layout?.[key] ?? null)}`;
  return `{${members}}`;
}

function unescapedMember(key: string, value: Json, layout: Layout | null): string {
  return `${JSON.stringify(key)}:${unescaped(value, layout)}`;
}

export function orderedMembers(object: JsonObject, layout: Layout | null): readonly (readonly [string, Json])[] {
  return orderedKeys(object, layout).map((key) => [key, object[key] ?? null]);
}

function orderedKeys(object: JsonObject, layout: Layout | null): readonly string[] {
  const keys = Object.keys(object);
  if (layout === null) return keys.sort();
  const known = Object.keys(layout).filter((key) => Object.hasOwn(object, key));
  if (known.length === keys.length) return known;
  return [...known, ...keys.filter((key) => !Object.hasOwn(layout, key)).sort()];
}

const ESCAPED_BY_GO: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** Outside of strings JSON has none of these. */
function escapeLikeGo(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (character) => ESCAPED_BY_GO[character] ?? character);
}
