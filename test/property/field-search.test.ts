/** Who set a field last, in any history of an object: as a search says that parses each version and reads each commit. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { searchField } from "../../src/commands/field-search.ts";
import { changedFields } from "../../src/fields/changed-fields.ts";
import type { FieldPath } from "../../src/fields/field-path.ts";
import { pinned, readManifest, valueAt } from "../../src/fields/manifest-tree.ts";
import type { FileChange, FileContent } from "../../src/git/clone/file-versions.ts";
import type { RecordedCommit } from "../../src/git/clone/recorded-commit.ts";
import { canonicalYaml } from "../../src/sanitize/canonical-yaml.ts";
import { parseObject } from "../../src/sanitize/parse-object.ts";
import { check, suite } from "./check.ts";

interface Version {
  /** Null: no file. */
  readonly text: string | null;
  /** Somebody's edit in Git just before it, which is no commit of ours. */
  readonly edit: string | null;
  readonly kind: string;
}

const few = fc.constantFrom<unknown>("x", "y", 1, true, null, "a\n\n  image: z\n", {}, []);
const item = fc.record({ name: fc.constantFrom("web", "mesh", "3"), image: few }, { noNullPrototype: true });
const object = fc.record(
  {
    kind: fc.constant("Deployment"),
    metadata: fc.dictionary(
      fc.constantFrom("labels", "a.b/c"),
      fc.dictionary(fc.constantFrom("x", "a.b/c", "true"), few),
    ),
    spec: fc.record(
      { replicas: few, args: fc.array(few, { maxLength: 3 }), containers: fc.array(item, { maxLength: 3 }) },
      { noNullPrototype: true, requiredKeys: [] },
    ),
  },
  { noNullPrototype: true },
);
const text = object.map((value) =>
  Buffer.from(canonicalYaml(parseObject(Buffer.from(JSON.stringify(value))))).toString(),
);
const edit = fc.oneof(
  text,
  text.map((yaml) => yaml.replace("spec:", "# edited\nspec:")),
  text.map((yaml) => yaml.replace(/^ {2}/gm, "    ")),
  fc.constantFrom("{", '{"spec":{"replicas":1}}\n'),
);
const version: fc.Arbitrary<Version> = fc.record({
  text: fc.option(text, { freq: 6 }),
  edit: fc.option(edit, { nil: null, freq: 8 }).map((found) => found),
  kind: fc.constantFrom("", "", "", "", "snapshot", "takeover", "format"),
});
/** Versions of which most are like the one before but for a little: searches go far. */
const history = fc
  .tuple(fc.array(version, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(2), { minLength: 1, maxLength: 12 }))
  .map(([versions, order]) => order.flatMap((at) => versions[at % versions.length] ?? []));
const field: fc.Arbitrary<FieldPath> = fc.constantFrom<FieldPath>(
  [],
  ["spec"],
  ["spec", "replicas"],
  ["spec", "none"],
  ["spec", "args", 1],
  ["spec", "containers"],
  ["spec", "containers", 0, "image"],
  ["spec", "containers", { name: "web" }, "image"],
  ["metadata", "labels", "a.b/c"],
  ["metadata", "a.b/c", "true"],
);

/** The newest first. */
function changesOf(versions: readonly Version[]): readonly FileChange[] {
  let last: string | null = null;
  return versions
    .map((version, at): FileChange => {
      const before = version.edit ?? last;
      last = version.text;
      const operation = version.text === null ? "DELETE" : before === null ? "CREATE" : "UPDATE";
      const commit = { id: String(at), kind: version.kind, operation } as RecordedCommit;
      const place = { at, prefix: "", path: "", cutOff: false };
      return { ...place, commit: async () => commit, before: contentOf(before), after: contentOf(version.text) };
    })
    .toReversed();
}

function contentOf(text: string | null): FileContent | null {
  return text === null ? null : { id: text, text };
}

/** Which changes are told, and how it ends. */
type Told = readonly [string, readonly string[]];

async function plainSearch(changes: readonly FileChange[], asked: FieldPath): Promise<Told> {
  const [newest] = changes;
  const tree = (content: FileContent | null | undefined): ReturnType<typeof readManifest> | undefined =>
    content === null || content === undefined ? undefined : readManifest(content.text ?? "");
  let path = pinned(asked, tree(newest?.after ?? newest?.before));
  const steps: string[] = [];
  for (const change of changes) {
    const { before, after } = change;
    const commit = await change.commit();
    if (commit?.kind === "takeover") continue;
    if (after === null && change === newest) continue;
    if (after === null) return ["never", steps];
    if (tree(after) === null || tree(before) === null) {
      if (before?.text === after.text) continue;
      return ["unreadable", steps];
    }
    path = pinned(pinned(path, tree(after)), tree(before));
    const fields = changedFields(valueAt(tree(before), path), valueAt(tree(after), path));
    if (fields.length > 0) steps.push(`${change.at} ${textOf(fields)}`);
    if (before === null && (commit?.kind !== "" || commit.operation !== "CREATE")) return ["beginning", steps];
    if (commit?.kind === "" && fields.length > 0) return ["found", steps];
    if (before === null) return ["never", steps];
  }
  return ["beginning", steps];
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    item instanceof Map ? [...item] : typeof item === "bigint" ? `${item}n` : item,
  );
}

async function* stream(changes: readonly FileChange[]): AsyncGenerator<FileChange> {
  yield* changes;
}

suite("who set a field last", () => {
  test("is what a search says that parses everything", async () => {
    await check(
      fc.asyncProperty(history, field, async (versions, path) => {
        const changes = changesOf(versions);
        const [answer] = await searchField({ changes: stream(changes), field: path, prefixes: [""], shallow: false });
        const steps = answer?.steps.map(({ version, fields }) => `${version.at} ${textOf(fields)}`);
        expect([answer?.end, steps]).toEqual(await plainSearch(changes, path));
      }),
      { runs: 500 },
    );
  });

  test("is found without reading the commits on the way", async () => {
    let asked = 0;
    const web = (at: number): FileContent => {
      const containers = `  containers:\n  - env: ${at}\n    image: ${at < 2 ? "web:1" : "web:2"}\n    name: web\n`;
      return contentOf(`kind: Deployment\nmetadata:\n  labels:\n    at: n${at}\nspec:\n${containers}`) as FileContent;
    };
    const changes = Array.from({ length: 500 }, (_, newer): FileChange => {
      const at = 500 - newer;
      const commit = async (): Promise<RecordedCommit> => {
        asked += 1;
        return { id: String(at), kind: "", operation: "UPDATE" } as RecordedCommit;
      };
      return { at, prefix: "", path: "", cutOff: false, commit, before: web(at - 1), after: web(at) };
    });
    const path = ["spec", "containers", 0, "image"];
    const [answer] = await searchField({ changes: stream(changes), field: path, prefixes: [""], shallow: false });
    expect(answer).toMatchObject({ end: "found", steps: [{ version: { at: 2 } }] });
    // Of the newest, and of the one that set it.
    expect(asked).toBe(2);
  });
});
