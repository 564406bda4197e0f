/**
 * What a JSON document holds, with nothing lost: a number is a JavaScript number only where that is exact, else its source text.
 * Objects may have any key, `__proto__` included, as an own property: read them by Object.keys, or by a name that
 * Object.prototype does not have. A member that is `undefined` has been dropped.
 */

import { KubescribeError } from "../../machines/error.ts";

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

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
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
