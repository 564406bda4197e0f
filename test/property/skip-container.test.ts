import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { skipValue } from "../../src/bytes/json-scan.ts";
import { skipContainer, stageDocument } from "../../src/bytes/skip-container.ts";
import { anyJson, choices, spell, spellingOf } from "./json-documents.ts";

const padding = fc.nat({ max: 130 });

describe("the skip by 64 bytes, beside the one by one", () => {
  test("ends every object and array of a document where the other does, wherever the document lies", () => {
    fc.assert(
      fc.property(anyJson, choices, padding, (value, picks, before) => {
        const text = `${" ".repeat(before)}[${spell(value, spellingOf(picks))}]`;
        const bytes = Buffer.from(`${text}"]}`);
        const end = Buffer.byteLength(text);
        stageDocument(bytes, 0, end);
        for (const start of containersOf(bytes, before, end)) {
          expect(skipContainer(bytes, start, end)).toBe(skipValue(bytes, start, end));
        }
      }),
    );
  });

  test("never ends outside of what it was given, whatever the bytes are", () => {
    const jsonish = fc.uint8Array({ maxLength: 300 }).map((bytes) => bytes.map((byte) => alphabet[byte % 12] ?? byte));
    fc.assert(
      fc.property(jsonish, fc.nat({ max: 300 }), fc.nat({ max: 300 }), (bytes, a, b) => {
        const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
        stageDocument(bytes, 0, bytes.length);
        const found = skipContainer(bytes, start, end);
        expect(found === 0 || (found > start && found <= end)).toBe(true);
      }),
    );
  });
});

const alphabet = Buffer.from('{}[]""\\\\:,x ');

/** Where the document's own objects and arrays begin: outside of strings. */
function containersOf(bytes: Buffer, start: number, end: number): readonly number[] {
  const found: number[] = [];
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === 0x22) at = skipValue(bytes, at, end) - 1;
    else if (byte === 0x7b || byte === 0x5b) found.push(at);
  }
  return found;
}
