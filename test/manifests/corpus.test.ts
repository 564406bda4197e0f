import { describe, expect, test } from "vitest";
import { decodeDocuments } from "../../src/config/decode-documents.ts";
import { problemLine } from "../../src/config/problem.ts";
import { corpus, documentOf } from "./corpus.ts";

/** test/e2e/rule-documents.test.ts gives the same ones to a real API server. */
describe("rule documents as files", () => {
  test.each(corpus.map((sample) => [sample.name, sample] as const))("%s", (_name, sample) => {
    const { problems, documents } = decodeDocuments(JSON.stringify(documentOf(sample)), "sample.json");
    const said = problems.map(problemLine).join("\n");
    if (sample.file === "") expect({ said, documents: documents.length }).toEqual({ said: "", documents: 1 });
    else expect(said).toContain(sample.file);
  });

  test("have names of their own", () => {
    expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
  });
});
