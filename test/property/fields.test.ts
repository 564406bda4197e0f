/** Paths of fields, and what differs between two objects, for any path and any object. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { changedFields } from "../../src/fields/changed-fields.ts";
import type { FieldPath, FieldStep } from "../../src/fields/field-path.ts";
import { fieldPathText, parseFieldPath } from "../../src/fields/field-path.ts";
import { sectionOf } from "../../src/fields/field-section.ts";
import { type FieldValue, readManifest, valueAt } from "../../src/fields/manifest-tree.ts";
import { canonicalYaml } from "../../src/sanitize/canonical-yaml.ts";
import { parseObject } from "../../src/sanitize/parse-object.ts";
import { check, suite } from "./check.ts";

const key = fc.oneof(
  fc.constantFrom("spec", "replicas", "a", "b", "app.kubernetes.io/name", "", "]", '"', "'", "\\", ".", "0", "name"),
  fc.string({ unit: "grapheme", maxLength: 6 }),
);
const step: fc.Arbitrary<FieldStep> = fc.oneof(
  { weight: 5, arbitrary: key },
  { weight: 2, arbitrary: fc.nat(999_999_999) },
  { weight: 1, arbitrary: fc.record({ name: key }, { noNullPrototype: true }) },
);

const scalar = fc.oneof(
  fc.constantFrom("x", "y", "3", "a\n\n  replicas: 3\n"),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
/** Few keys, so that two objects have much in common; lists of named items among the lists. */
const { json } = fc.letrec<{ json: unknown; named: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    scalar,
    fc.dictionary(fc.constantFrom("spec", "replicas", "a", "b", "name", "true", "a: b"), tie("json"), { maxKeys: 4 }),
    fc.array(tie("json"), { maxLength: 3 }),
    fc.uniqueArray(tie("named"), { maxLength: 4, selector: (item) => (item as { readonly name: string }).name }),
  ),
  named: fc.record(
    { name: fc.constantFrom("web", "mesh", "log", "db"), image: tie("json") },
    { noNullPrototype: true },
  ),
}));
const object = fc.dictionary(fc.constantFrom("spec", "kind", "a", "data"), json, { minKeys: 1, maxKeys: 4 });

function yamlOf(value: unknown): string {
  return Buffer.from(canonicalYaml(parseObject(Buffer.from(JSON.stringify(value))))).toString();
}

function treeOf(value: unknown): FieldValue {
  return readManifest(yamlOf(value));
}

suite("paths of fields", () => {
  test("come back as they were written", () => {
    check(
      fc.property(fc.array(step, { maxLength: 6 }), (path) => {
        expect(parseFieldPath(fieldPathText(path))).toEqual({ path });
      }),
      { runs: 500 },
    );
  });

  test("are read or refused, whatever is typed", () => {
    const typed = fc.string({
      unit: fc.constantFrom(".", "[", "]", '"', "'", "\\", "a", "0", "?", "(", "@", "{", "}"),
      maxLength: 12,
    });
    check(
      fc.property(typed, (text) => {
        const parsed = parseFieldPath(text);
        if ("expected" in parsed) expect(parsed.expected).toContain(".spec.replicas");
        else expect(parseFieldPath(fieldPathText(parsed.path))).toEqual(parsed);
      }),
      { runs: 500 },
    );
  });
});

suite("changed fields", () => {
  test("are none where nothing differs, and some where anything does", () => {
    check(
      fc.property(object, object, (before, after) => {
        expect(changedFields(treeOf(before), treeOf(before))).toEqual([]);
        const same = yamlOf(before) === yamlOf(after);
        expect(changedFields(treeOf(before), treeOf(after)).length === 0).toBe(same);
      }),
      { runs: 300 },
    );
  });

  test("have the values that stand at their paths", () => {
    check(
      fc.property(object, object, (before, after) => {
        const [from, to] = [treeOf(before), treeOf(after)];
        for (const { path, before: was, after: is } of changedFields(from, to)) {
          if (is !== undefined) expect(valueAt(to, path)).toEqual(is);
          // What went, went from something that is there.
          else expect(valueAt(to, path.slice(0, -1))).not.toBe(undefined);
          expect(was).not.toEqual(is);
        }
      }),
      { runs: 300 },
    );
  });

  test("are one where an item with a name is put before the others, and one where they change places", () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 5 });
    check(
      fc.property(names, (drawn) => {
        const items = drawn.map((name) => ({ name, image: `${name}:1` }));
        const [last, ...others] = items.toReversed();
        const at = (list: readonly unknown[]): FieldValue => treeOf({ spec: list });
        const fields = (from: FieldValue, to: FieldValue): readonly FieldPath[] =>
          changedFields(from, to).map(({ path }) => path);
        expect(fields(at(others), at([last, ...others]))).toEqual([["spec", 0]]);
        expect(fields(at([last, ...others]), at(others))).toEqual([["spec", 0]]);
        expect(fields(at([...others, last]), at([last, ...others]))).toEqual([["spec"]]);
      }),
    );
  });

  test("are turned around with the two", () => {
    check(
      fc.property(object, object, (before, after) => {
        const [from, to] = [treeOf(before), treeOf(after)];
        expect(changedFields(to, from)).toHaveLength(changedFields(from, to).length);
      }),
    );
  });
});

suite("the lines of a field", () => {
  test("are equal only where the field is", () => {
    const path = fc.array(fc.constantFrom("spec", "replicas", "a", "b", "data", "true"), {
      minLength: 1,
      maxLength: 3,
    });
    check(
      fc.property(object, object, path, (before, after, keys: FieldPath & readonly string[]) => {
        const [was, is] = [yamlOf(before), yamlOf(after)];
        const section = sectionOf(was, keys);
        if (section === null || section !== sectionOf(is, keys)) return;
        expect(changedFields(valueAt(readManifest(was), keys), valueAt(readManifest(is), keys))).toEqual([]);
      }),
      { runs: 2000 },
    );
  });

  test("are found for every plain key of a map", () => {
    check(
      fc.property(object, fc.constantFrom("replicas", "a", "b"), (value, key) => {
        const tree = valueAt(treeOf(value), ["spec", key]);
        expect(sectionOf(yamlOf(value), ["spec", key]) === null).toBe(tree === undefined);
      }),
      { runs: 500 },
    );
  });
});
