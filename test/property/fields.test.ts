/** Paths of fields, and what differs between two objects, for any path and any object. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { changedFields } from "../../src/fields/changed-fields.ts";
import type { FieldPath, FieldStep } from "../../src/fields/field-path.ts";
import { fieldPathText, parseFieldPath } from "../../src/fields/field-path.ts";
import { linesOf, sameLines } from "../../src/fields/field-lines.ts";
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
    fc.array(tie("named"), { maxLength: 3 }),
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

  test("are found in a list as long as an object can hold one, in time", () => {
    const listOf = (count: number, image: string): FieldValue =>
      Array.from(
        { length: count },
        (_, at) =>
          new Map([
            ["name", `n${at}`],
            ["image", at % 2 === 0 ? "same" : image],
          ]),
      );
    expect(changedFields(listOf(100_000, "1"), listOf(99_999, "2"))).toHaveLength(50_000);
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

const walked: fc.Arbitrary<FieldPath> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("spec", "replicas", "a", "b", "data", "name", "image", "true", "a: b") },
    { weight: 1, arbitrary: fc.nat(2) },
    { weight: 2, arbitrary: fc.record({ name: fc.constantFrom("web", "mesh", "log") }, { noNullPrototype: true }) },
  ),
  { minLength: 1, maxLength: 4 },
);

/** What the trees say of it. */
function differsIn(before: string, after: string, path: FieldPath): boolean {
  return changedFields(valueAt(readManifest(before), path), valueAt(readManifest(after), path)).length > 0;
}

/** As somebody's editor leaves it, who may also write another thing into it. */
const edited = fc.record({
  indent: fc.constantFrom(1, 2, 3, 4),
  indentSeq: fc.boolean(),
  defaultStringType: fc.constantFrom("PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE", "BLOCK_FOLDED", "BLOCK_LITERAL"),
  collectionStyle: fc.constantFrom("any", "any", "flow"),
  inserted: fc.constantFrom(
    "",
    "",
    "# a comment\n",
    "    # deep\n",
    "...\n",
    "---\n",
    "\n",
    "a: &x 1\n",
    "spec: *x\n",
    "  a: 9\n",
  ),
  at: fc.nat(20),
} as const);

function editedText(value: unknown, edit: typeof edited extends fc.Arbitrary<infer Edit> ? Edit : never): string {
  const { inserted, at, ...style } = edit;
  const lines = stringify(value, { ...style, lineWidth: 12 }).split(/(?<=\n)/);
  return lines.toSpliced(at % (lines.length + 1), 0, inserted).join("");
}

test("a file that is no YAML has no fields, not those that stand before the fault", () => {
  for (const text of ["spec:\n   a: 1\n  b: 2\n", "spec: [1, 2\n", "a: &x 1\nb: *x\n", "---\na: 1\n---\na: 2\n"]) {
    expect(readManifest(text)).toBe(null);
  }
});

suite("the lines of a field", () => {
  test("are equal only where the field is", () => {
    check(
      fc.property(object, object, walked, (before, after, path) => {
        const [was, is] = [yamlOf(before), yamlOf(after)];
        if (sameLines(linesOf(was, path), linesOf(is, path))) expect(differsIn(was, is, path)).toBe(false);
      }),
      { runs: 3000 },
    );
  });

  test("are not believed of what somebody edited, where that may mean something else", () => {
    check(
      fc.property(object, object, edited, edited, walked, (before, after, one, other, path) => {
        const texts = [yamlOf(before), editedText(before, one), editedText(after, other)];
        for (const was of texts) {
          for (const is of texts) {
            if (!sameLines(linesOf(was, path), linesOf(is, path))) continue;
            // What is no YAML has no fields to be wrong about.
            if (readManifest(was) !== null && readManifest(is) !== null) expect(differsIn(was, is, path)).toBe(false);
          }
        }
      }),
      { runs: 2000 },
    );
  });

  test("are the field's own for every key that needs no escape, and there are none where it is not", () => {
    check(
      fc.property(object, fc.constantFrom("replicas", "a", "b", "true", "name"), (value, key) => {
        const parent = valueAt(treeOf(value), ["spec"]);
        const found = linesOf(yamlOf(value), ["spec", key]);
        expect(found?.steps).toBe(2);
        expect(found?.lines === "").toBe(valueAt(parent, [key]) === undefined);
      }),
      { runs: 500 },
    );
  });

  test("stay the same while everything around them changes", () => {
    const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "true", "3", "_x"), { maxLength: 5 });
    check(
      fc.property(names, names, fc.string(), fc.string(), (some, others, one, other) => {
        const shop = (around: readonly string[], text: string): string =>
          yamlOf({
            kind: text,
            spec: {
              around: text,
              containers: [...around, "web", `z-${text.length}`].map((name) => ({
                args: ["-x", name === "web" ? "same" : text, text],
                name,
                ports: name === "web" ? [{ port: 1 }, { port: name.length }] : text,
              })),
              "example.com/x": "kept",
              text,
            },
          });
        const [was, is] = [shop(some, one), shop(others, other)];
        for (const path of [
          ["spec", "example.com/x"],
          ["spec", "containers", { name: "web" }, "args", 1],
          ["spec", "containers", { name: "web" }, "ports", 1, "port"],
          ["spec", "paused"],
        ]) {
          expect(sameLines(linesOf(was, path), linesOf(is, path))).toBe(true);
        }
      }),
    );
  });
});
