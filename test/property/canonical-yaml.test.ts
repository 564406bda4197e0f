import * as fc from "fast-check";
import { expect, it } from "vitest";
import { isMap as isYamlMap, isScalar, isSeq, parseDocument } from "yaml";
import { canonicalYaml } from "../../src/sanitize/canonical-yaml.ts";
import { parseObject } from "../../src/sanitize/parse-object.ts";
import { isMap, jsonText, mapModel, type Model } from "./json-arbitraries.ts";
import { check, suite } from "./check.ts";

function emit(model: Model): string {
  return Buffer.from(canonicalYaml(parseObject(Buffer.from(jsonText(model))))).toString("utf8");
}

/** What a reader of that version sees, numbers as their text: comparable with the model. */
function read(text: string, version: "1.1" | "1.2"): unknown {
  const document = parseDocument(text, {
    version,
    prettyErrors: false,
    uniqueKeys: true,
    merge: version === "1.1",
    strict: true,
  });
  expect(document.errors).toEqual([]);
  expect(document.warnings).toEqual([]);
  return plain(document.contents);
}

function plain(node: unknown): unknown {
  if (isYamlMap(node)) return new Map(node.items.map(({ key, value }) => [plain(key), plain(value)]));
  if (isSeq(node)) return node.items.map(plain);
  if (!isScalar(node)) throw new Error("an alias, or nothing");
  if (typeof node.value === "number" || typeof node.value === "bigint") return { number: spelling(node.source ?? "") };
  return node.value;
}

function comparable(model: Model): unknown {
  if (isMap(model)) return new Map([...model].map(([key, value]) => [key, comparable(value)]));
  if (Array.isArray(model)) return (model as readonly Model[]).map(comparable);
  if (typeof model === "object" && model !== null)
    return { number: spelling((model as { readonly number: string }).number) };
  return model;
}

/** 1e5 and 1.0e+5 are one number in one way of writing; 1 and 1.0 are not. */
function spelling(source: string): string {
  return source.replace(/^(-?\d+)(?=[eE])/, "$1.0").replace(/[eE]\+?(-?)/, "e$1");
}

suite("canonical YAML", () => {
  for (const version of ["1.1", "1.2"] as const) {
    it(`gives back everything that JSON can hold to a reader of YAML ${version}`, () => {
      check(
        fc.property(mapModel, (model) => {
          expect(read(emit(model), version)).toEqual(comparable(model));
        }),
        { runs: 1500 },
      );
    });
  }

  it("gives equal bytes for equal content, whatever the order of keys", () => {
    check(
      fc.property(mapModel, (model) => {
        expect(emit(reversed(model))).toBe(emit(model));
      }),
    );
  });

  it("gives different bytes for different content", () => {
    check(
      fc.property(mapModel, mapModel, (a, b) => {
        fc.pre(JSON.stringify(sorted(a)) !== JSON.stringify(sorted(b)));
        expect(emit(a)).not.toBe(emit(b));
      }),
    );
  });
});

function reversed(model: Model): Model {
  if (isMap(model)) return new Map([...model].reverse().map(([key, value]) => [key, reversed(value)]));
  return Array.isArray(model) ? (model as readonly Model[]).map(reversed) : model;
}

function sorted(model: Model): unknown {
  if (isMap(model))
    return {
      map: [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, sorted(value)]),
    };
  if (Array.isArray(model)) return (model as readonly Model[]).map(sorted);
  if (typeof model === "object" && model !== null) return spelling((model as { readonly number: string }).number);
  return typeof model === "string" ? { text: model } : model;
}
