/**
 * What a JSON document holds, with nothing lost: a number is a JavaScript number only where that is exact, else its source text.
 * Objects may have any key, `__proto__` included, as an own property: read them by Object.keys, or by a name that
 * Object.prototype does not have. A member that is `undefined` has been dropped.
 */

import { KubescribeError } from "../../machines/error.ts";
import { parsePrecisely } from "./precise-json.ts";

export type Json = null | boolean | number | string | NumberText | readonly Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

/** A number that JSON.parse would alter: 9007199254740993, 1.0, -0 (K29). */
export class NumberText {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/**
 * Finds every number that has a fraction, an exponent, 16 or more digits, or a minus before zero. In a string it may find one that
 * is none: that costs time only. Digits that a colon precedes are common in strings (image tags, times): what follows decides.
 */
const inexactNumber =
  /[:,[\s]-?(?:\d{16,}|\d+(?:\.\d+(?:[eE][-+]?\d+)?|[eE][-+]?\d+)|(?<=-)0)(?=[,\]}\s])/;

export function parseObject(bytes: Uint8Array): JsonObject {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const value = inexactNumber.test(text) ? parsePrecisely(text) : parseFast(text);
  if (!isObject(value)) throw unreadable("a JSON object");
  return value;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof NumberText)
  );
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Says nothing of the content: it may be a Secret. */
export function unreadable(expected: string): KubescribeError {
  return new KubescribeError(
    "object-unreadable",
    `The object is unreadable: expected ${expected}. The API server sends complete JSON objects; look for what cut this one.`,
    { retry: "never" },
  );
}

function parseFast(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // JSON.parse quotes the document in its message, so it is no cause to hand on.
    throw unreadable("valid JSON");
  }
}
