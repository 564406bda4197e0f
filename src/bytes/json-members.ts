/**
 * Walks the members of one object, or the elements of one array, in one pass. The walker owns only its position: `next` moves to
 * the next member; its value is skipped by the following `next`, unless the caller walked through it and said so (`skipTo`).
 */

import { byteAt, malformed, skipSpace, skipString, skipValue } from "./json-scan.ts";
import { skipContainer } from "./skip-container.ts";

const leftBrace = 0x7b;
const leftBracket = 0x5b;
const quote = 0x22;
const backslash = 0x5c;

export class JsonMembers {
  /** Of the key with its quotes. */
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  readonly #bytes: Buffer;
  readonly #end: number;
  /** Behind what is read; at a value that nobody has walked through, `#pending` is true. */
  #at: number;
  #first = true;
  #pending = false;
  #keyEscaped = false;

  /** `start`: at the opening brace. */
  constructor(bytes: Buffer, start: number, end: number) {
    if (byteAt(bytes, start, end) !== 0x7b) throw malformed("an object", start);
    this.#bytes = bytes;
    this.#end = end;
    this.#at = start + 1;
  }

  next(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.skip();
    if ((bytes[at] ?? 0) <= 0x20) at = skipSpace(bytes, at, end);
    if (this.#first) {
      this.#first = false;
      if (byteAt(bytes, at, end) === 0x7d) return this.#close(at + 1);
    } else {
      const byte = byteAt(bytes, at, end);
      if (byte === 0x7d) return this.#close(at + 1);
      if (byte !== 0x2c) throw malformed("a comma or the end of an object", at);
      at = skipSpace(bytes, at + 1, end);
    }
    at = this.#readKey(at);
    if (bytes[at] !== 0x3a) at = skipSpace(bytes, at, end);
    if (byteAt(bytes, at, end) !== 0x3a) throw malformed("a colon after a key", at);
    at += 1;
    if ((bytes[at] ?? 0) <= 0x20) at = skipSpace(bytes, at, end);
    this.valueStart = at;
    this.#at = at;
    this.#pending = true;
    return true;
  }

  #readKey(start: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    this.keyStart = start;
    let at = start + 1;
    let byte = bytes[at] ?? 0;
    while (byte >= 0x20 && byte !== quote && byte !== backslash) byte = bytes[++at] ?? 0;
    // Without an escape, which is nearly always, one look at each byte is enough.
    this.#keyEscaped = byte !== quote || bytes[start] !== quote || at >= end;
    this.keyEnd = this.#keyEscaped ? skipString(bytes, start, end) : at + 1;
    return this.keyEnd;
  }

  /** Whether the key is `name` (ASCII), escapes seen through. */
  is(name: string): boolean {
    const start = this.keyStart + 1;
    if (this.#keyEscaped) return readString(this.#bytes, this.keyStart, this.keyEnd) === name;
    return this.keyEnd - start - 1 === name.length && hasText(this.#bytes, start, name);
  }

  key(): string {
    return readString(this.#bytes, this.keyStart, this.keyEnd);
  }

  /** The first byte of the value. */
  valueByte(): number {
    return byteAt(this.#bytes, this.valueStart, this.#end);
  }

  /** The end of the value, which is skipped. */
  skip(): number {
    if (this.#pending) {
      const bytes = this.#bytes;
      const at = this.#at;
      const byte = bytes[at];
      const found = byte === leftBrace || byte === leftBracket ? skipContainer(bytes, at, this.#end) : 0;
      this.#at = found > 0 ? found : skipValue(bytes, at, this.#end);
      this.#pending = false;
    }
    return this.#at;
  }

  /** The caller walked through the value up to `valueEnd`. */
  skipTo(valueEnd: number): void {
    this.#at = valueEnd;
    this.#pending = false;
  }

  /** The value if it is a string; otherwise empty. */
  text(): string {
    const valueEnd = this.skip();
    return this.valueByte() === quote ? readString(this.#bytes, this.valueStart, valueEnd) : "";
  }

  /** As `text`, for values that are mostly one of `likely` (ASCII): comparing is cheaper than making a string. */
  textLike(likely: readonly string[]): string {
    const start = this.valueStart + 1;
    if (this.valueByte() === quote) {
      for (const text of likely) {
        if (this.#bytes[start + text.length] === quote && hasText(this.#bytes, start, text)) return text;
      }
    }
    return this.text();
  }

  /** After `next` returned false: the end of the object. */
  get end(): number {
    return this.#at;
  }

  #close(at: number): false {
    this.#at = at;
    this.#pending = false;
    return false;
  }
}

function hasText(bytes: Buffer, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** The elements of the array that begins at `start`: calls `visit` for each range. Returns the end of the array. */
export function forEachElement(
  bytes: Buffer,
  range: { readonly start: number; readonly end: number },
  visit: (start: number, end: number) => void,
): number {
  const { start, end } = range;
  if (byteAt(bytes, start, end) !== 0x5b) throw malformed("an array", start);
  let at = skipSpace(bytes, start + 1, end);
  if (byteAt(bytes, at, end) === 0x5d) return at + 1;
  for (;;) {
    const valueEnd = skipValue(bytes, at, end);
    visit(at, valueEnd);
    at = skipSpace(bytes, valueEnd, end);
    const byte = byteAt(bytes, at, end);
    if (byte === 0x5d) return at + 1;
    if (byte !== 0x2c) throw malformed("a comma or the end of an array", at);
    at = skipSpace(bytes, at + 1, end);
  }
}

/** A view of the same memory; scans want one hidden class. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The text of a scanned string, its quotes at `start` and `end - 1`. */
export function readString(bytes: Buffer, start: number, end: number): string {
  let seen = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === backslash) return JSON.parse(bytes.toString("utf8", start, end)) as string;
    seen |= byte;
  }
  // Names and versions are ASCII, which the cheaper decoder reads just as well.
  return seen < 0x80 ? bytes.toString("latin1", start + 1, end - 1) : bytes.toString("utf8", start + 1, end - 1);
}
