/** Rules that select something else of a type than when its files were written: the tree follows in a commit that credits nobody. */

import { describe, expect, test } from "vitest";
import type { FlushEntry } from "../../actors/ports.ts";
import type { Selection } from "../../machines/selection.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { selectionMarks } from "../../src/git/selection-mark.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import {
  type ChangeShape,
  changed,
  configmaps,
  cursorOf,
  deployments,
  flush,
  itemOf,
  type Place,
  plainManifest,
  runGit,
  selectionOf,
  targetAt,
  temporaryPlace,
} from "./fixtures.ts";

function poolAt(path: string, selections: readonly Selection[], format = "1") {
  return createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(),
    manifestOf: plainManifest,
    selectionsOf: () => selections,
    targets: [targetAt(path, { path: "", format: { files: format, secrets: format } })],
  });
}

/** By the labels of a first line. */
const labelled = (team: string, text: string): string => `labels {"team":"${team}"}\n${text}\n`;

const objects: readonly ChangeShape[] = [
  { version: 1, namespace: "red", name: "a", content: labelled("x", "a") },
  { version: 2, namespace: "red", name: "b", content: labelled("y", "b") },
  { version: 3, namespace: "blue", name: "a", content: labelled("x", "c") },
];

/** All of them as they are, the version to which they were read, and maybe some more. */
function listed(version: number, ...more: readonly ChangeShape[]): FlushEntry {
  const items = [...objects, ...more].map((shape) => itemOf({ ...shape, type: configmaps }));
  return { kind: "format", type: configmaps, cursor: cursorOf(version), items };
}

function filesOf(place: Place): readonly string[] {
  return place.git("ls-tree", "-r", "--name-only", "main").split("\n").filter(Boolean);
}

function logOf(place: Place): readonly string[] {
  return place.git("log", "--reverse", "--format=%an|%s", "main").split("\n");
}

const [inRed, inBlue, everywhere] = [["red"], ["blue"], null].map((namespaces) =>
  selectionOf(configmaps, { namespaces }),
) as [Selection, Selection, Selection];
const teamX = selectionOf(configmaps, { matchLabels: { team: "x" } });
const [redA, redB, blueA] = [
  "red/core/configmaps/a.yaml",
  "red/core/configmaps/b.yaml",
  "blue/core/configmaps/a.yaml",
] as const;

/** The files that were there by `before`, and what one commit makes of them by `after`. */
async function follow(
  place: Place,
  { before, after }: { readonly before: Selection; readonly after: Selection },
): Promise<string> {
  {
    await using pool = poolAt(place.path, [before]);
    await flush(
      pool,
      objects.map((shape) => changed({ ...shape, operation: "CREATE" })),
    );
  }
  const count = logOf(place).length;
  {
    await using pool = poolAt(place.path, [after]);
    expect((await pool.open("default/history")).outOfFormat).toEqual(new Set([configmaps.key]));
    await flush(pool, [listed(3)]);
    expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
  }
  const commits = logOf(place).slice(count);
  expect(place.git("log", `-${commits.length}`, "--format=%(trailers:key=Kubescribe-Kind,valueonly,separator=)")).toBe(
    "format",
  );
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
  return commits.join("\n");
}

describe("the tree follows rules that were", () => {
  test("widened: what is selected now has a file", async () => {
    using place = temporaryPlace();
    const said = await follow(place, { before: inRed, after: everywhere });
    expect(said).toBe("kubescribe|Follow changed rules: write 1 file of core/configmaps");
    expect(filesOf(place)).toEqual([blueA, redA, redB]);
  });

  test("narrowed to a namespace: no file is left in others", async () => {
    using place = temporaryPlace();
    const said = await follow(place, { before: everywhere, after: inRed });
    expect(said).toBe("kubescribe|Follow changed rules: remove 1 file of core/configmaps");
    expect(filesOf(place)).toEqual([redA, redB]);
  });

  test("narrowed by labels, though no operation would have let go of the file", async () => {
    using place = temporaryPlace();
    const after = { ...teamX, operations: ["CREATE"] } as const;
    const said = await follow(place, { before: everywhere, after });
    expect(said).toBe("kubescribe|Follow changed rules: remove 1 file of core/configmaps");
    expect(filesOf(place)).toEqual([blueA, redA]);
  });

  test("changed altogether", async () => {
    using place = temporaryPlace();
    const said = await follow(place, { before: inRed, after: inBlue });
    expect(said).toBe("kubescribe|Follow changed rules: write 1 file and remove 2 of core/configmaps");
    expect(filesOf(place)).toEqual([blueA]);
  });
});

test("files of objects that are gone stay where a rule looks, and go where none does", async () => {
  using place = temporaryPlace();
  const keeps = selectionOf(configmaps, { operations: ["CREATE", "UPDATE"] });
  const gone = ["red", "blue"].map((namespace) =>
    changed({ version: 3, namespace, name: "gone", operation: "CREATE" }),
  );
  {
    await using pool = poolAt(place.path, [keeps]);
    await flush(pool, [...objects.map((shape) => changed({ ...shape, operation: "CREATE" })), ...gone]);
  }
  await using pool = poolAt(place.path, [{ ...keeps, namespaces: ["red"] }]);
  await flush(pool, [listed(3)]);
  expect(filesOf(place)).toEqual([redA, redB, "red/core/configmaps/gone.yaml"]);
});

test("a file of another type, and one that is not ours, stays", async () => {
  using place = temporaryPlace();
  const others = selectionOf(deployments);
  {
    await using pool = poolAt(place.path, [everywhere, others]);
    await flush(pool, [
      ...objects.map((shape) => changed({ ...shape, operation: "CREATE" })),
      changed({ version: 3, type: deployments, namespace: "blue", name: "web" }),
    ]);
  }
  const work = `${place.path}-work`;
  runGit("/", ["clone", "-q", place.path, work]);
  runGit(work, [
    "update-index",
    "--add",
    "--cacheinfo",
    `100644,${runGit(work, ["hash-object", "-w", "--stdin"], "mine\n")},blue/core/configmaps/README.md`,
  ]);
  runGit(work, ["commit", "-q", "-m", "mine"]);
  runGit(work, ["push", "-q"]);
  await using pool = poolAt(place.path, [inRed, others]);
  await flush(pool, [listed(3)]);
  expect(filesOf(place)).toEqual(["blue/apps/deployments/web.yaml", "blue/core/configmaps/README.md", redA, redB]);
});

test("a target that moves to another path has its files there, and leaves the old ones", async () => {
  using place = temporaryPlace();
  {
    await using pool = poolAt(place.path, [everywhere]);
    await flush(
      pool,
      objects.map((shape) => changed({ ...shape, operation: "CREATE" })),
    );
  }
  const target = targetAt(place.path, { path: "moved" });
  const fs = createNodeFileSystem();
  const stages = { fs, clock: createSimulatedClock(), manifestOf: plainManifest, targets: [target] };
  await using pool = createInlineCommitPool({ ...stages, selectionsOf: () => [everywhere] });
  expect((await pool.open("default/history")).outOfFormat).toEqual(new Set([configmaps.key]));
  await flush(pool, [listed(3)]);
  const files = [blueA, redA, redB];
  expect(filesOf(place)).toEqual([blueA, ...files.map((path) => `moved/${path}`), redA, redB]);
  expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
});

test("what follows the commit is its author's alone", async () => {
  using place = temporaryPlace();
  {
    await using pool = poolAt(place.path, [everywhere]);
    await flush(
      pool,
      objects.map((shape) => changed({ ...shape, operation: "CREATE" })),
    );
  }
  await using pool = poolAt(place.path, [teamX]);
  const change = changed({ version: 4, namespace: "red", name: "b", content: labelled("x", "changed") });
  expect((await flush(pool, [listed(3), change])).commits).toEqual([1, 1]);
  expect(logOf(place).slice(-2)).toEqual([
    "kubescribe|Follow changed rules: remove 1 file of core/configmaps",
    "alice@example.com|Update configmaps red/b",
  ]);
});

test("a type that no rule names any more keeps its files, and is compared when one names it again", async () => {
  using place = temporaryPlace();
  const creation = objects.map((shape) => changed({ ...shape, operation: "CREATE" }));
  {
    await using pool = poolAt(place.path, [everywhere]);
    await flush(pool, creation);
  }
  {
    await using pool = poolAt(place.path, [selectionOf(deployments)], "2");
    expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
    await flush(pool, [changed({ version: 9, type: deployments, namespace: "red", name: "web" })]);
  }
  {
    await using pool = poolAt(place.path, [selectionOf(deployments)], "1");
    await flush(pool, [changed({ version: 10, type: deployments, namespace: "red", name: "web", content: "b\n" })]);
  }
  expect(filesOf(place)).toEqual([blueA, "red/apps/deployments/web.yaml", redA, redB]);
  {
    await using pool = poolAt(place.path, [everywhere], "1");
    expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
  }
  {
    await using pool = poolAt(place.path, [everywhere], "2");
    expect((await pool.open("default/history")).outOfFormat).toEqual(new Set([configmaps.key]));
  }
  await using pool = poolAt(place.path, [inRed], "1");
  expect((await pool.open("default/history")).outOfFormat).toEqual(new Set([configmaps.key]));
});

test("is not asked again after it was answered, whether or not anything differed, and not before", async () => {
  using place = temporaryPlace();
  {
    await using pool = poolAt(place.path, [inRed]);
    await flush(pool, [changed({ version: 1, namespace: "red", name: "a", operation: "CREATE" })]);
  }
  {
    await using pool = poolAt(place.path, [everywhere]);
    // Another change comes before the list: the type stays as it is known to be.
    await flush(pool, [changed({ version: 2, namespace: "red", name: "a", content: "b\n" })]);
  }
  const same = itemOf({ version: 2, namespace: "red", name: "a", content: "b\n" });
  {
    await using pool = poolAt(place.path, [everywhere]);
    expect((await pool.open("default/history")).outOfFormat).toEqual(new Set([configmaps.key]));
    const entry: FlushEntry = { kind: "format", type: configmaps, cursor: cursorOf(2), items: [same] };
    expect((await flush(pool, [entry])).commits).toEqual([0]);
  }
  await using pool = poolAt(place.path, [everywhere]);
  expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
});

test("a state of before there were marks is taken as it is", async () => {
  using place = temporaryPlace();
  {
    await using pool = poolAt(place.path, [inRed]);
    await flush(pool, [changed({ version: 1, namespace: "red", name: "a" })]);
  }
  const ref = place.git("for-each-ref", "--format=%(refname)", "refs/kubescribe");
  const { selections, ...older } = JSON.parse(place.git("cat-file", "blob", ref)) as Readonly<Record<string, unknown>>;
  expect(selections).toEqual({ "core/configmaps": expect.stringMatching(/^[0-9a-f]{16}$/) as string });
  place.git("update-ref", ref, runGit(place.path, ["hash-object", "-w", "--stdin"], JSON.stringify(older)));
  await using pool = poolAt(place.path, [everywhere]);
  expect((await pool.open("default/history")).outOfFormat).toEqual(new Set());
});

describe("a mark", () => {
  const markOf = (...selections: readonly Partial<Selection>[]): string | undefined =>
    selectionMarks(
      selections.map((selection) => selectionOf(configmaps, selection)),
      ["cluster"],
    ).get(configmaps.key);

  test("is the same in whatever order rules say the same, and for whatever operations", () => {
    const one: Partial<Selection> = {
      namespaces: ["a", "b"],
      matchLabels: { x: "1", y: "2" },
      matchExpressions: [
        { key: "t", operator: "In", values: ["1", "2"] },
        { key: "u", operator: "Exists", values: [] },
      ],
    };
    const other: Partial<Selection> = {
      namespaces: ["b", "a", "b"],
      matchLabels: { y: "2", x: "1" },
      matchExpressions: [
        { key: "u", operator: "Exists", values: [] },
        { key: "t", operator: "In", values: ["2", "1"] },
      ],
      operations: ["CREATE"],
    };
    expect(markOf(one)).toBe(markOf(other));
    expect(markOf(one, {}, other)).toBe(markOf({}, one));
  });

  test.each<[string, Partial<Selection>]>([
    ["no namespace", { namespaces: [] }],
    ["a namespace", { namespaces: ["a"] }],
    ["a label", { matchLabels: { a: "b" } }],
    ["another label", { matchLabels: { a: "c" } }],
    ["an expression", { matchExpressions: [{ key: "a", operator: "Exists", values: [] }] }],
    ["its opposite", { matchExpressions: [{ key: "a", operator: "DoesNotExist", values: [] }] }],
  ])("differs where %s is asked for", (_what, selection) => {
    expect(markOf(selection)).not.toBe(markOf({}));
    expect(markOf(selection)).not.toBe(markOf({ matchLabels: { z: "z" } }));
  });
});
