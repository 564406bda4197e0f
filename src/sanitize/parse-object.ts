/** Raw JSON to a tree: by JSON.parse where it loses nothing, which is nearly always, else by a slower parser of our own (K29). */

import { isObject, type Json, type JsonObject, unreadable } from "./json-tree.ts";
import { parsePrecisely } from "./precise-json.ts";

/**
 * Finds every number that has a fraction, an exponent, 16 or more digits, or a minus before zero. In a string it may find one that
 * is none: that costs time only. Digits that a colon precedes are common in strings (image tags, times): what follows decides.
 */
const inexactNumber = /[:,[\s]-?(?:\d{16,}|\d+(?:\.\d+(?:[eE][-+]?\d+)?|[eE][-+]?\d+)|(?<=-)0)(?=[,\]}\s])/;

/**
 * A key that has an escape, and some strings of lists. V8 (seen in 14.6) compares the next key with the one that an object of the same
 * shape had before, and takes the escapes of one for the letters of the other: behind `{"\\":1}` the key `"\""` comes out as a backslash.
 */
const escapedKey = /[{,]\s*"[^"\\]*\\/;

export function parseObject(bytes: Uint8Array): JsonObject {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const value = inexactNumber.test(text) || escapedKey.test(text) ? parsePrecisely(text) : parseFast(text);
  if (!isObject(value)) throw unreadable("a JSON object");
  return value;
}

function parseFast(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // JSON.parse quotes the document in its message, so it is no cause to hand on.
    throw unreadable("valid JSON");
  }
}
