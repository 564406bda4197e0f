import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAlias, isMap as isYamlMap, isScalar, isSeq, parseDocument } from "yaml";
import { canonicalYaml } from "../../src/sanitize/canonical-yaml.ts";
import { commonRules } from "../../src/sanitize/common-rules.ts";
import { parseObject } from "../../src/sanitize/parse-object.ts";
import { kindRules } from "../../src/sanitize/kind-rules.ts";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import type { Rule } from "../../src/sanitize/rule.ts";
import { sameContent } from "../../src/sanitize/same-content.ts";
import { isMap, jsonText, mapModel, model, type Model } from "./json-arbitraries.ts";

interface Sample {
  readonly group: string;
  readonly kind: string;
  readonly object: ReadonlyMap<string, Model>;
}

/** Values that the conditions of rules look for. */
const telling: fc.Arbitrary<Model> = fc.oneof(
  model,
  fc.constantFrom<Model>(
    "None",
    ["None"],
    true,
    null,
    "kubernetes",
    ["kubernetes", "other"],
    [],
    new Map(),
    "a-token-x7k2p",
    "Job",
  ),
);

/** An object of a kind that has rules, with something at the paths that they name, beside what nobody names. */
const sample: fc.Arbitrary<Sample> = fc.constantFrom(...Object.keys(kindRules), "example.com/Thing").chain((name) => {
  const [group = "", kind = ""] = name.split("/");
  const rules = [...(kindRules[name] ?? []), ...commonRules];
  const planted = fc.array(fc.tuple(fc.constantFrom(...rules.flatMap(placesOf)), telling), { maxLength: 12 });
  return fc.record({
    group: fc.constant(group === "core" ? "" : group),
    kind: fc.constant(kind),
    object: fc
      .tuple(mapModel, planted)
      .map(([base, plants]) => plants.reduce((object, [path, value]) => plant(object, path, value), base)),
  });
});

function placesOf(rule: Rule): readonly (readonly string[])[] {
  const path = rule.path.split(".");
  const keys = rule.keys ?? [];
  return [
    path,
    ["metadata", "annotations", "pv.kubernetes.io/bound-by-controller"],
    ...keys.map((key) => [...path, key.replace("*", "x")]),
  ];
}

function plant(at: Model, path: readonly string[], value: Model): ReadonlyMap<string, Model> {
  const map = new Map(isMap(at) ? at : []);
  const [first = "", ...rest] = path;
  const key = first.replace("[]", "");
  const inside = rest.length === 0 ? value : plant(map.get(key) ?? null, rest, value);
  map.set(key, first.endsWith("[]") && rest.length > 0 ? [inside] : inside);
  return map;
}

function manifest({ group, kind }: Sample, json: string): string {
  return Buffer.from(manifestOf(Buffer.from(json), { group, kind, secrets: "omit" }).yaml).toString();
}

/** The JSON that a reader makes of our YAML, numbers as they are written. */
function jsonOf(node: unknown): string {
  if (isYamlMap(node)) return `{${node.items.map(({ key, value }) => `${jsonOf(key)}:${jsonOf(value)}`).join(",")}}`;
  if (isSeq(node)) return `[${node.items.map(jsonOf).join(",")}]`;
  if (!isScalar(node) || isAlias(node)) throw new Error("nothing that JSON has");
  return typeof node.value === "number" ? (node.source ?? "") : JSON.stringify(node.value);
}

describe("sanitizing", () => {
  it("changes nothing the second time", () => {
    fc.assert(
      fc.property(sample, (drawn) => {
        const once = manifest(drawn, jsonText(drawn.object));
        expect(manifest(drawn, jsonOf(parseDocument(once).contents))).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  it("loses nothing that nobody named", () => {
    fc.assert(
      fc.property(mapModel, mapModel, (spec, annotations) => {
        const object = new Map<string, Model>([
          ["spec", spec],
          ["metadata", new Map([["annotations", annotations]])],
          ["data", spec],
        ]);
        const json = Buffer.from(jsonText(object));
        const { yaml } = manifestOf(json, { group: "example.com", kind: "Thing", secrets: "omit" });
        expect(Buffer.from(yaml).toString()).toBe(Buffer.from(canonicalYaml(parseObject(json))).toString());
      }),
    );
  });

  it("gives equal bytes after a change of status or managedFields, and says that the content is the same but for the latter", () => {
    const bookkeeping = ["status", "metadata.managedFields", "metadata.resourceVersion", "metadata.generation"];
    fc.assert(
      fc.property(
        sample,
        fc.array(fc.tuple(fc.constantFrom(...bookkeeping), model), { minLength: 1, maxLength: 4 }),
        (drawn, changes) => {
          const metadata = plant(drawn.object, ["metadata", "name"], "a");
          const changed = changes.reduce((object, [path, value]) => plant(object, path.split("."), value), metadata);
          const [before, after] = [jsonText(metadata), jsonText(changed)];
          expect(manifest(drawn, after)).toBe(manifest(drawn, before));
          if (changes.every(([path]) => path !== "metadata.managedFields"))
            expect(sameContent(Buffer.from(before), Buffer.from(after), drawn)).toBe(true);
        },
      ),
    );
  });
});
