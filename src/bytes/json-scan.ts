/**
 * Finds its way through raw JSON (UTF-8) without building objects. It accepts exactly what JSON.parse accepts (UTF-8 itself is
 * not checked), up to a depth of `maxJsonDepth`, and throws a KubescribeError `json-malformed` or `json-too-deep` for the rest.
 * No function here reads outside [0, end) or allocates for a member that is only passed by.
 */

import { KubescribeError } from "../../machines/error.ts";

/** Levels of objects and arrays in one value: the bound of Go's encoding/json, so of the API server. */
export const maxJsonDepth = 10_000;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const openBrace = 0x7b;
const closeBrace = 0x7d;
/** From `[` to `]` and from `{` to `}`. */
const closerDistance = 2;
const space = 0x20;

/** For each open level of `skipValue`: the byte that closes it. Shared: the scan is synchronous and never re-entered. */
const closers = new Uint8Array(maxJsonDepth);

/**
 * Returns the end of the value that begins at `start` (not whitespace). One loop with everything frequent in it: calls for each
 * token take three times as long. It may look at bytes behind `end`, but what it returns never lies there.
 */
export function skipValue(bytes: Buffer, start: number, end: number): number {
  let at = start;
  let depth = 0;
  /** What closes the level that is open; 0 outside of any. */
  let closer = 0;
  let expectsKey = false;
  for (;;) {
    let byte = bytes[at] ?? 0;
    if (byte === quote) {
      at = skipStringBody(bytes, at + 1, end);
      if (expectsKey) {
        if (bytes[at] !== colon) at = skipSpace(bytes, at, end);
        if (bytes[at] !== colon) throw malformed("a colon after a key", at);
        at += 1;
        if ((bytes[at] ?? 0) <= space) at = skipSpace(bytes, at, end);
        expectsKey = false;
        continue;
      }
    } else if (expectsKey) {
      throw malformed("a key", at);
    } else if (byte === openBrace || byte === openBracket) {
      if (depth === maxJsonDepth) throw tooDeep(at);
      closer = byte + closerDistance;
      closers[depth] = closer;
      depth += 1;
      at += 1;
      if ((bytes[at] ?? 0) <= space) at = skipSpace(bytes, at, end);
      if (bytes[at] !== closer) {
        expectsKey = closer === closeBrace;
        continue;
      }
    } else {
      at = skipBare(bytes, at, end);
    }
    // Behind a value, or at the end of an empty object or array.
    for (;;) {
      if (depth === 0) return within(at, end);
      byte = bytes[at] ?? 0;
      if (byte <= space) {
        at = skipSpace(bytes, at, end);
        byte = bytes[at] ?? 0;
      }
      at += 1;
      if (byte !== closer) break;
      depth -= 1;
      closer = depth === 0 ? 0 : (closers[depth - 1] ?? 0);
    }
    if (byte !== comma) throw malformed("a comma or the end of an object or array", at - 1);
    if ((bytes[at] ?? 0) <= space) at = skipSpace(bytes, at, end);
    expectsKey = closer === closeBrace;
  }
}

function within(at: number, end: number): number {
  if (at > end) throw malformed("the rest of a value", end);
  return at;
}

/** Returns the position of the first byte that is not whitespace, at most `end`. */
export function skipSpace(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at] ?? 0;
    // The API server writes no whitespace: one comparison.
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return at;
    at += 1;
  }
  return at;
}

/** Throws unless only whitespace is left. */
export function expectEnd(bytes: Buffer, start: number, end: number): void {
  const at = skipSpace(bytes, start, end);
  if (at < end) throw malformed("the end of the document", at);
}

/** Returns the end of the string whose opening quote is at `start`. */
export function skipString(bytes: Buffer, start: number, end: number): number {
  if (byteAt(bytes, start, end) !== quote) throw malformed("a string", start);
  return skipStringBody(bytes, start + 1, end);
}

function skipStringBody(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at] ?? 0;
    if (byte > backslash) at += 1;
    else if (byte === quote) return at + 1;
    else if (byte === backslash) at = skipEscape(bytes, at, end);
    else if (byte < 0x20) throw malformed("no control character in a string", at);
    else at += 1;
  }
  throw malformed("the end of a string", end);
}

export function malformed(expected: string, at: number): KubescribeError {
  return new KubescribeError(
    "json-malformed",
    `The JSON is malformed: expected ${expected} at byte ${at}. Whoever sent it must send valid, complete JSON.`,
    { retry: "never" },
  );
}

export function byteAt(bytes: Buffer, at: number, end: number): number {
  return at < end ? (bytes[at] ?? -1) : -1;
}

function skipEscape(bytes: Buffer, start: number, end: number): number {
  switch (byteAt(bytes, start + 1, end)) {
    case quote:
    case backslash:
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return start + 2;
    case 0x75: // u
      for (let at = start + 2; at < start + 6; at += 1) {
        if (!isHexDigit(byteAt(bytes, at, end))) throw malformed("four hexadecimal digits after \\u", at);
      }
      return start + 6;
    default:
      throw malformed("an escape that JSON knows", start);
  }
}

function skipBare(bytes: Buffer, start: number, end: number): number {
  switch (byteAt(bytes, start, end)) {
    case 0x74:
      return skipWord(bytes, start, end, "true");
    case 0x66:
      return skipWord(bytes, start, end, "false");
    case 0x6e:
      return skipWord(bytes, start, end, "null");
    default:
      return skipNumber(bytes, start, end);
  }
}

function skipWord(bytes: Buffer, start: number, end: number, word: string): number {
  for (let index = 0; index < word.length; index += 1) {
    if (byteAt(bytes, start + index, end) !== word.charCodeAt(index)) throw malformed(word, start);
  }
  return start + word.length;
}

function skipNumber(bytes: Buffer, start: number, end: number): number {
  let at = start;
  if (byteAt(bytes, at, end) === 0x2d) at += 1;
  at = byteAt(bytes, at, end) === 0x30 ? at + 1 : skipDigits(bytes, at, end);
  if (byteAt(bytes, at, end) === 0x2e) at = skipDigits(bytes, at + 1, end);
  const exponent = byteAt(bytes, at, end);
  if (exponent === 0x65 || exponent === 0x45) {
    at += 1;
    const sign = byteAt(bytes, at, end);
    if (sign === 0x2b || sign === 0x2d) at += 1;
    at = skipDigits(bytes, at, end);
  }
  return at;
}

function skipDigits(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (isDigit(byteAt(bytes, at, end))) at += 1;
  if (at === start) throw malformed("a value", start);
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x61 && byte <= 0x66) || (byte >= 0x41 && byte <= 0x46);
}

function tooDeep(at: number): KubescribeError {
  return new KubescribeError(
    "json-too-deep",
    `The JSON is nested deeper than ${maxJsonDepth} levels at byte ${at}. The API server accepts no such object either.`,
    { retry: "never" },
  );
}
