import fc from "fast-check";
import { expect, test } from "vitest";

import { KubescribeError } from "../../machines/error.ts";
import { asBuffer, forEachElement, JsonMembers } from "../../src/bytes/json-members.ts";
import { expectEnd, skipSpace, skipValue } from "../../src/bytes/json-scan.ts";
import { anyJson, choices, spell, spellingOf, trickyKey } from "./json-documents.ts";
import { check, suite } from "./check.ts";

function accepts(bytes: Buffer): boolean {
  try {
    expectEnd(bytes, skipValue(bytes, skipSpace(bytes, 0, bytes.length), bytes.length), bytes.length);
    return true;
  } catch (error) {
    if (error instanceof KubescribeError && error.code === "json-malformed") return false;
    throw error;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Bytes that hold the document in the middle of others, so that reading outside of the range shows. */
function embedded(text: string): { readonly bytes: Buffer; readonly start: number; readonly end: number } {
  const inner = Buffer.from(text);
  const bytes = Buffer.concat([Buffer.from('"}]'), inner, Buffer.from('"}],:1')]);
  return { bytes, start: 3, end: 3 + inner.length };
}

function topMembers(text: string): Record<string, unknown> {
  const { bytes, start, end } = embedded(text);
  const found: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const members = new JsonMembers(bytes, start, end);
  while (members.next()) {
    const key = members.key();
    if (Buffer.byteLength(key) === key.length) expect(members.is(key)).toBe(true);
    expect(members.is(`${key}x`)).toBe(false);
    const valueStart = members.valueStart;
    found[key] = JSON.parse(bytes.toString("utf8", valueStart, members.skip()));
  }
  expect(members.end).toBe(end);
  return found;
}

suite("the scan, beside JSON.parse", () => {
  test("accepts every document, however it is spelled", () => {
    check(
      fc.property(anyJson, choices, (value, picks) => {
        const { bytes, start, end } = embedded(spell(value, spellingOf(picks)));
        expect(skipValue(bytes, start, end)).toBe(end);
      }),
    );
  });

  test("accepts and refuses the same mutilated documents", () => {
    const insert = fc.constantFrom(...'{}[],:"\\0123eE+-.tfnu \n\u0001xé'.split(""));
    check(
      fc.property(anyJson, choices, fc.nat(), fc.nat({ max: 2 }), insert, (value, picks, where, cut, text) => {
        const document = spell(value, spellingOf(picks));
        const at = where % (document.length + 1);
        const mutilated = document.slice(0, at) + text + document.slice(at + cut);
        fc.pre(mutilated.isWellFormed());
        expect(accepts(Buffer.from(mutilated))).toBe(parses(mutilated));
      }),
      { runs: 500 },
    );
  });

  test("accepts and refuses the same token soup", () => {
    const token = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"\\u00e9"',
      "1",
      "-0.5e+3",
      "01",
      "true",
      "nul",
      " ",
      '"',
    );
    check(
      fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
        const text = tokens.join("");
        expect(accepts(Buffer.from(text))).toBe(parses(text));
      }),
      { runs: 1000 },
    );
  });

  test("refuses a document that is cut at any byte", () => {
    check(
      fc.property(fc.dictionary(trickyKey, anyJson, { minKeys: 1, maxKeys: 4 }), choices, (value, picks) => {
        const bytes = Buffer.from(spell(value, spellingOf(picks)));
        const whole = skipValue(bytes, 0, bytes.length);
        for (let end = 0; end < whole; end += 1) expect(accepts(bytes.subarray(0, end))).toBe(false);
      }),
      { runs: 50 },
    );
  });

  test("never fails otherwise on any bytes", () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        accepts(asBuffer(bytes));
      }),
      { runs: 500 },
    );
  });

  test("walks the members of an object", () => {
    const object = fc.dictionary(trickyKey, anyJson, { maxKeys: 6, noNullPrototype: true });
    check(
      fc.property(object, choices, (value, picks) => {
        const text = spell(value, spellingOf(picks));
        expect({ ...topMembers(text) }).toEqual({ ...(JSON.parse(text) as object) });
      }),
    );
  });

  test("walks the elements of an array", () => {
    check(
      fc.property(fc.array(anyJson, { maxLength: 6 }), choices, (value, picks) => {
        const text = spell(value, spellingOf(picks));
        const { bytes, start, end } = embedded(text);
        const found: unknown[] = [];
        const arrayEnd = forEachElement(bytes, { start, end }, (from, to) => {
          found.push(JSON.parse(bytes.toString("utf8", from, to)));
        });
        expect(arrayEnd).toBe(end);
        expect(found).toEqual(JSON.parse(text));
      }),
    );
  });
});
