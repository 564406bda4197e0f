import { describe, expect, test } from "vitest";
import { compareTrees } from "../../src/commands/compare-trees.ts";
import type { Look } from "../../src/commands/verify.ts";
import { verify } from "../../src/commands/verify.ts";

const wanted = { required: true, current: true };

describe("comparing trees", () => {
  test("finds what is missing, extra and different, in the order of paths", () => {
    const expected = new Map([
      ["c", { blobId: "1", ...wanted }],
      ["a", { blobId: "2", ...wanted }],
      ["same", { blobId: "3", ...wanted }],
    ]);
    const found = new Map([
      ["a", { blobId: "9", removable: true }],
      ["same", { blobId: "3", removable: true }],
      ["b", { blobId: "8", removable: true }],
    ]);
    expect(compareTrees({ expected, found })).toEqual([
      { kind: "different", path: "a", expected: "2", found: "9" },
      { kind: "extra", path: "b", expected: "", found: "8" },
      { kind: "missing", path: "c", expected: "1", found: "" },
    ]);
  });

  test("asks for nothing that no rule asks for", () => {
    const expected = new Map([
      ["never created", { blobId: "1", required: false, current: true }],
      ["never updated", { blobId: "2", required: true, current: false }],
    ]);
    const found = new Map([
      ["never updated", { blobId: "3", removable: true }],
      ["never deleted", { blobId: "4", removable: false }],
    ]);
    expect(compareTrees({ expected, found })).toEqual([]);
  });
});

const missing = { kind: "missing", path: "default/core/configmaps/a.yaml", expected: "1", found: "" } as const;

function look(differences: Look["differences"]): Look {
  return {
    target: "default/history",
    repository: "/srv/history.git",
    branch: "main",
    head: "f".repeat(40),
    files: 3,
    differences,
  };
}

async function verified(looks: readonly Look["differences"][], json = false) {
  let taken = 0;
  let text = "";
  const progress: string[] = [];
  const clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    after(_delayMs: number, task: () => void) {
      queueMicrotask(task);
      return { [Symbol.dispose]: () => undefined };
    },
  };
  const code = await verify(
    { json },
    {
      clock,
      out: (part) => void (text += part),
      progress: (part) => void progress.push(part),
      signal: new AbortController().signal,
      look: () => Promise.resolve([look(looks[Math.min(taken++, looks.length - 1)] ?? [])]),
    },
  );
  return { code, text, taken, progress };
}

describe("verify", () => {
  test("is content at the first look when all is equal", async () => {
    const { code, text, taken } = await verified([[]]);
    expect([code, taken]).toEqual([0, 1]);
    expect(text).toBe("default/history: branch main of /srv/history.git, at ffffffffffff\n  equal: 3 files\n");
  });

  test("what is on its way is no difference", async () => {
    const found = await verified([[missing], []]);
    expect(found).toMatchObject({ code: 0, taken: 2 });
    expect(found.progress).toEqual([expect.stringContaining("looking again")]);
    expect(await verified([[missing], [{ ...missing, path: "b" }], []])).toMatchObject({ code: 0 });
  });

  test("what lasts is", async () => {
    const { code, text, taken } = await verified([[missing]]);
    expect([code, taken]).toEqual([1, 3]);
    expect(text).toContain("  missing   default/core/configmaps/a.yaml\n  1 difference in 3 files\n");
  });

  test("speaks JSON", async () => {
    const { text } = await verified([[missing]], true);
    expect(JSON.parse(text)).toMatchObject({
      equal: false,
      targets: [{ target: "default/history", differences: [missing] }],
    });
  });
});
