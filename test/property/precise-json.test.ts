import fc from "fast-check";
import { expect, test } from "vitest";
import { KubescribeError } from "../../machines/error.ts";
import { isList, isObject, type Json, NumberText } from "../../src/sanitize/json-tree.ts";
import { parseObject } from "../../src/sanitize/parse-object.ts";
import { parsePrecisely } from "../../src/sanitize/precise-json.ts";
import { isMap, jsonText, mapModel, type Model } from "./json-arbitraries.ts";
import { anyJson, choices, spell, spellingOf } from "./json-documents.ts";
import { check, suite } from "./check.ts";

function rounded(value: Json | undefined): unknown {
  if (value instanceof NumberText) return Number(value.source);
  if (isList(value)) return value.map(rounded);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, rounded(value[key])]));
}

/** Every number of a tree by its source text. */
function precise(value: Json | undefined): unknown {
  if (value instanceof NumberText) return { number: value.source };
  if (typeof value === "number") return { number: String(value) };
  if (isList(value)) return value.map(precise);
  return isObject(value) ? new Map(Object.keys(value).map((key) => [key, precise(value[key])])) : value;
}

function modelled(value: Model): unknown {
  if (isMap(value)) return new Map([...value].map(([key, member]) => [key, modelled(member)]));
  return Array.isArray(value) ? (value as readonly Model[]).map(modelled) : value;
}

suite("the precise parser", () => {
  test("builds what JSON.parse builds, however it is spelled", () => {
    check(
      fc.property(anyJson, choices, (value, drawn) => {
        const text = spell(value, spellingOf(drawn));
        expect(rounded(parsePrecisely(text))).toStrictEqual(JSON.parse(text));
      }),
    );
  });

  test("accepts what JSON.parse accepts, and nothing else", () => {
    const damage = fc.constantFrom(
      "",
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "0",
      "-",
      ".",
      "e",
      " ",
      "\t",
      "\u0001",
      "\u00a0",
      "true",
      "nul",
    );
    check(
      fc.property(anyJson, fc.nat(), damage, fc.nat({ max: 2 }), (value, position, inserted, removed) => {
        const text = JSON.stringify(value);
        const at = position % (text.length + 1);
        const damaged = text.slice(0, at) + inserted + text.slice(at + removed);
        expect(accepts(parsePrecisely, damaged)).toBe(accepts(JSON.parse, damaged));
      }),
      { runs: 2000 },
    );
  });

  test("is asked wherever JSON.parse would lose a number", () => {
    check(
      fc.property(mapModel, fc.constantFrom("", " ", "\n\t"), (model, space) => {
        const text = jsonText(model);
        const spaced = space === "" ? text : `${space}${text}${space}`;
        expect(precise(parseObject(Buffer.from(spaced)))).toEqual(modelled(model));
      }),
      { runs: 1000 },
    );
  });
});

function accepts(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof KubescribeError) return false;
    throw error;
  }
}
