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
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** For each open level of `skipValue`: the byte that closes it. Shared: the scan is synchronous and never re-entered. */
const closers = new Uint8Array(maxJsonDepth);

/** Returns the end of the value that begins at `start` (not whitespace). */
export function skipValue(bytes: Buffer, start: number, end: number): number {
  let at = start;
  let depth = 0;
  for (;;) {
    let byte = byteAt(bytes, at, end);
    if (byte === openBrace || byte === openBracket) {
      if (depth === maxJsonDepth) throw tooDeep(at);
      const closer = byte === openBrace ? closeBrace : closeBracket;
      closers[depth] = closer;
      depth += 1;
      at = skipSpace(bytes, at + 1, end);
      byte = byteAt(bytes, at, end);
      if (byte !== closer) {
        if (closer === closeBrace) at = skipSpace(bytes, skipKey(bytes, at, end), end);
        continue;
      }
      at += 1;
      depth -= 1;
    } else {
      at = skipScalar(bytes, at, end);
    }
    for (;;) {
      if (depth === 0) return at;
      at = skipSpace(bytes, at, end);
      byte = byteAt(bytes, at, end);
      at += 1;
      if (byte === comma) {
        at = skipSpace(bytes, at, end);
        if (closers[depth - 1] === closeBrace) at = skipSpace(bytes, skipKey(bytes, at, end), end);
        break;
      }
      if (byte !== closers[depth - 1]) throw malformed("a comma or the end of an object or array", at - 1);
      depth -= 1;
    }
  }
}

/** Returns the position of the first byte that is not whitespace, at most `end`. */
export function skipSpace(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
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
  let at = start + 1;
  while (at < end) {
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    if (byte === backslash) at = skipEscape(bytes, at, end);
    else if (byte === undefined || byte < 0x20) throw malformed("no control character in a string", at);
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

function skipKey(bytes: Buffer, start: number, end: number): number {
  const at = skipSpace(bytes, skipString(bytes, start, end), end);
  if (byteAt(bytes, at, end) !== colon) throw malformed("a colon after a key", at);
  return at + 1;
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

function skipScalar(bytes: Buffer, start: number, end: number): number {
  switch (byteAt(bytes, start, end)) {
    case quote:
      return skipString(bytes, start, end);
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
