import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { isAlias, isMap as isYamlMap, isScalar, isSeq, parseDocument } from "yaml";
import { canonicalYaml } from "../../src/sanitize/canonical-yaml.ts";
import { commonRules } from "../../src/sanitize/common-rules.ts";
import { parseObject } from "../../src/sanitize/parse-object.ts";
import { kindRules } from "../../src/sanitize/kind-rules.ts";
import { manifestOf } from "../../src/sanitize/manifest.ts";
import { isList, isObject, type Json, type JsonObject } from "../../src/sanitize/json-tree.ts";
import { type Rule, sanitizerOf } from "../../src/sanitize/rule.ts";
import { sanitize } from "../../src/sanitize/sanitize.ts";
import { sameContent } from "../../src/sanitize/same-content.ts";
import { isMap, jsonText, mapModel, model, type Model } from "./json-arbitraries.ts";
import { check, suite } from "./check.ts";
import { simulatedSecrets } from "../../src/simulation/simulated-secrets.ts";

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
    // Beside each key that goes, one that looks like it and stays.
    ...keys.flatMap((key) => [key.replace("*", "x"), key.replace(/.\*$/, "") + "x"].map((one) => [...path, one])),
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
  return Buffer.from(manifestOf(Buffer.from(json), { group, kind, secrets: simulatedSecrets }).yaml).toString();
}

/** The JSON that a reader makes of our YAML, numbers as they are written. */
function jsonOf(node: unknown): string {
  if (isYamlMap(node)) return `{${node.items.map(({ key, value }) => `${jsonOf(key)}:${jsonOf(value)}`).join(",")}}`;
  if (isSeq(node)) return `[${node.items.map(jsonOf).join(",")}]`;
  if (!isScalar(node) || isAlias(node)) throw new Error("nothing that JSON has");
  return typeof node.value === "number" ? (node.source ?? "") : JSON.stringify(node.value);
}

suite("sanitizing", () => {
  it("changes nothing the second time", () => {
    check(
      fc.property(sample, (drawn) => {
        const once = manifest(drawn, jsonText(drawn.object));
        expect(manifest(drawn, jsonOf(parseDocument(once).contents))).toBe(once);
      }),
      { runs: 500 },
    );
  });

  it("loses nothing that nobody named", () => {
    check(
      fc.property(mapModel, mapModel, (spec, annotations) => {
        const object = new Map<string, Model>([
          ["spec", spec],
          ["metadata", new Map([["annotations", annotations]])],
          ["data", spec],
        ]);
        const json = Buffer.from(jsonText(object));
        const { yaml } = manifestOf(json, { group: "example.com", kind: "Thing", secrets: simulatedSecrets });
        expect(Buffer.from(yaml).toString()).toBe(Buffer.from(canonicalYaml(parseObject(json))).toString());
      }),
    );
  });

  it("takes what one rule names, and leaves everything else as it is", () => {
    check(
      fc.property(sample, ({ group, kind, object }) => {
        const rules = [...(kindRules[`${group === "" ? "core" : group}/${kind}`] ?? []), ...commonRules];
        const stepwise = parseObject(Buffer.from(jsonText(object)));
        for (const rule of rules) {
          const before = structuredClone(stepwise);
          sanitizerOf([rule])(stepwise);
          expectOnlyNamed(rule, before, stepwise);
        }
        // And nothing else is at work.
        const whole = parseObject(Buffer.from(jsonText(object)));
        sanitize(whole, { group, kind });
        expect(Buffer.from(canonicalYaml(whole)).toString()).toBe(Buffer.from(canonicalYaml(stepwise)).toString());
      }),
      { runs: 200 },
    );
  });

  it("gives equal bytes after a change of status or managedFields, and says that the content is the same but for the latter", () => {
    const bookkeeping = ["status", "metadata.managedFields", "metadata.resourceVersion", "metadata.generation"];
    check(
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

/** What differs between two trees of which one came from the other by one rule: exactly what the rule names. */
function expectOnlyNamed(rule: Rule, before: JsonObject, after: JsonObject): void {
  const gone = goneFrom(before, after, []);
  const named = namedBy(rule, before);
  // What a rule emptied goes with it, parents and all; what is gone for another reason is a loss.
  for (const path of gone) expect(named.some((name) => within(path, name) || within(name, path))).toBe(true);
  for (const name of named) expect(gone.some((path) => within(name, path))).toBe(true);
  for (const leaf of leavesOf(before, [])) {
    if (named.some((name) => within(leaf, name))) continue;
    expect(gone.some((path) => within(leaf, path))).toBe(false);
  }
}

type Path = readonly (string | number)[];

/** Whether `inner` is `outer` or below it. */
function within(inner: Path, outer: Path): boolean {
  return outer.length <= inner.length && outer.every((part, at) => part === inner[at]);
}

/** The places, nearest to the root, of what only `before` has. Lists lose items in place: equal ones are matched in order. */
function goneFrom(before: Json | undefined, after: Json | undefined, at: Path): readonly Path[] {
  if (before === undefined) return [];
  if (after === undefined) return [at];
  if (isObject(before) && isObject(after))
    return Object.keys(before).flatMap((key) => goneFrom(before[key], after[key], [...at, key]));
  if (isList(before) && isList(after) && before.length === after.length)
    return before.flatMap((item, index) => goneFrom(item, after[index], [...at, index]));
  if (isList(before) && isList(after)) {
    const kept = [...after];
    return before.flatMap((item, index) => {
      if (!isDeepStrictEqual(item, kept[0])) return [[...at, index]];
      kept.shift();
      return [];
    });
  }
  expect(after).toEqual(before);
  return [];
}

/** The places in an object that a rule names. */
function namedBy(rule: Rule, object: JsonObject): readonly Path[] {
  return placesAt(object, rule.path.split("."), []).flatMap(([path, value]) => {
    if (rule.when !== undefined && !rule.when(value, object)) return [];
    const { keys, items } = rule;
    if (keys !== undefined)
      return isObject(value)
        ? Object.keys(value).flatMap((key) =>
            value[key] !== undefined && keys.some((name) => matches(name, key)) ? [[...path, key]] : [],
          )
        : [];
    if (items !== undefined)
      return isList(value) ? value.flatMap((item, index) => (items(item, object) ? [[...path, index]] : [])) : [];
    return [path];
  });
}

function matches(name: string, key: string): boolean {
  return name.endsWith("*") ? key.startsWith(name.slice(0, -1)) : key === name;
}

function placesAt(value: Json | undefined, path: readonly string[], at: Path): readonly (readonly [Path, Json])[] {
  const [first, ...rest] = path;
  if (value === undefined) return [];
  if (first === undefined) return [[at, value]];
  if (!isObject(value)) return [];
  const key = first.replace("[]", "");
  const member = value[key];
  if (first === key || rest.length === 0) return placesAt(member, rest, [...at, key]);
  return isList(member) ? member.flatMap((item, index) => placesAt(item, rest, [...at, key, index])) : [];
}

function leavesOf(value: Json | undefined, at: Path): readonly Path[] {
  if (isObject(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    if (keys.length > 0) return keys.flatMap((key) => leavesOf(value[key], [...at, key]));
  }
  if (isList(value) && value.length > 0) return value.flatMap((item, index) => leavesOf(item, [...at, index]));
  return value === undefined ? [] : [at];
}
