/** A field's value in a line. */

import { type FieldValue, isList, isMap } from "../fields/manifest-tree.ts";
import { visible } from "./visible.ts";

const shownCharacters = 80;

/** Undefined: `(not set)`. */
export function valueText(value: FieldValue | undefined): string {
  if (value === undefined) return "(not set)";
  if (isMap(value)) return value.size === 0 ? "{}" : `(${counted(value.size, "field")})`;
  if (isList(value)) return value.length === 0 ? "[]" : `(${counted(value.length, "item")})`;
  const text = visible(typeof value === "string" ? JSON.stringify(value) : String(value));
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}...`;
}

/** For JSON, where whole numbers beyond 2^53 are texts. */
export function plainValue(value: FieldValue | undefined): unknown {
  if (value === undefined) return undefined;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (isMap(value)) return Object.fromEntries(Array.from(value, ([key, item]) => [key, plainValue(item)]));
  return isList(value) ? value.map(plainValue) : value;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
