import fc from "fast-check";
import { expect, test } from "vitest";
import { trailersOf } from "../../src/git/history.ts";
import { changeCommitOf } from "../../src/git/commit.ts";
import { decodePathPart, encodePathPart, refPartOf, resourcePartOf } from "../../src/git/layout.ts";
import { lineOf } from "../../src/git/text.ts";
import { actorOf, changeOf, configmaps, targetAt, verdictBy } from "../git/fixtures.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(".", "%", "_", "a", "A", "~", " ", ":", "2", "E", "\n", "/", "é"), maxLength: 12 }),
  fc.constantFrom("con", "aux.x", "COM1", ".git", "git~1", "..", "%5Fcluster", "a".repeat(300), `${"a".repeat(300)}b`),
);

test("a path part is safe, bounded, and comes back as the name", () => {
  fc.assert(
    fc.property(text, (name) => {
      const part = encodePathPart(name, 5);
      expect(part).toMatch(/^(?:[A-Za-z0-9_+=@,.-]|%[0-9A-F]{2})*(?:%_[0-9a-f]{64})?$/);
      expect(part.length).toBeGreaterThan(0);
      expect(part.length).toBeLessThanOrEqual(250);
      expect(part).not.toMatch(/^\.|\.$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i);
      expect(resourcePartOf(`${part}.yaml`)).toBe(part);
      if (!part.includes("%_")) expect(decodePathPart(part)).toBe(name);
    }),
  );
});

test("different names give different path and ref parts", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(encodePathPart(a) === encodePathPart(b)).toBe(a === b);
      expect(refPartOf(a) === refPartOf(b)).toBe(a === b);
    }),
  );
});

test("names of Kubernetes stay as they are", () => {
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?)?$/);
  fc.assert(
    fc.property(
      name.filter((found) => !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/.test(found)),
      (found) => {
        expect(encodePathPart(found)).toBe(found);
      },
    ),
  );
});

test("a line is one line, and looks like what it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (found) => {
      expect(lineOf(found)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}<>]|^\s|\s$/u);
    }),
  );
});

test("whatever the users are called, the trailers are those of the change", () => {
  fc.assert(
    fc.property(text, text, text, fc.array(text, { maxLength: 3 }), (user, manager, causedBy, others) => {
      const author = actorOf(user, { fieldManager: manager });
      const candidates = others.map((other) => actorOf(other));
      const { bytes: _bytes, ...change } = changeOf({
        version: 7,
        verdict: verdictBy(user, { author, candidates, causedBy }),
      });
      const commit = changeCommitOf(
        change,
        { tree: "0".repeat(40), parent: "", committedAtMs: 0 },
        targetAt("/repo"),
      ).toString();
      const trailers = trailersOf(commit.slice(commit.indexOf("\n\n") + 2));
      expect(trailers.get("Kubescribe-Resource")).toEqual([`core/v1/${configmaps.resource} default/web`]);
      expect(trailers.get("Kubescribe-Attribution")).toEqual(["exact"]);
      expect(trailers.get("Changed-By")).toHaveLength(1);
      expect(trailers.get("Kubescribe-Candidate") ?? []).toHaveLength(new Set(others).size);
      expect(commit.split("\n").filter((line) => line.startsWith("author "))).toHaveLength(1);
      expect(commit.split("\n\n")).toHaveLength(3);
    }),
  );
});
