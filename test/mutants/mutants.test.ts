/** The mutants still fit, and one is hunted through; `npm run mutants` hunts all of them. */

import { stripTypeScriptTypes } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { catalogue } from "../../src/simulation/faults/catalogue.ts";
import { patchedText } from "./hook.ts";
import { hunt } from "./hunt.ts";
import { mutants } from "./mutants.ts";

const table = readFileSync(join(import.meta.dirname, "..", "..", "docs", "MUTANTS.md"), "utf8");
const faults = catalogue.map(({ name }) => name);

describe("mutants", () => {
  test("have names of their own", () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test.each(mutants)("$name fits once, is TypeScript, and stands in the table", (mutant) => {
    expect(mutant.faults ?? []).toEqual((mutant.faults ?? []).filter((name) => faults.includes(name)));
    expect(table).toContain(`| ${mutant.name} |`);
    const patched = patchedText(mutant);
    expect(() => stripTypeScriptTypes(patched)).not.toThrow();
    expect(patched).not.toBe(readFileSync(join(import.meta.dirname, "..", "..", mutant.file), "utf8"));
  });

  test("that no longer fit say so", () => {
    const [mutant] = mutants;
    if (mutant === undefined) throw new Error("there are no mutants");
    expect(() => patchedText({ ...mutant, find: "not to be found" })).toThrow(/no longer fits/);
    expect(() => patchedText({ ...mutant, find: "e" })).toThrow(/no longer fits/);
  });

  test("are caught, if the unpatched engine passes there", async () => {
    const reordered = mutants.find(({ name }) => name === "reordered-batch");
    if (reordered === undefined) throw new Error("the mutant is gone");
    const outcome = await hunt(reordered, { seeds: 2, changes: 60 });
    expect(outcome).toMatchObject({ kind: "caught" });
  });

  test("survive where no checker sees them", async () => {
    const harmless = mutants.find(({ name }) => name === "journal-not-restored");
    if (harmless === undefined) throw new Error("the mutant is gone");
    const outcome = await hunt({ ...harmless, faults: [] }, { seeds: 1, changes: 20 });
    expect(outcome).toMatchObject({ kind: "survived", seeds: 1 });
  });
});
