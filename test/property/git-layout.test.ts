import fc from "fast-check";
import { expect, test } from "vitest";
import { trailersOf } from "../../src/git/history.ts";
import { changeCommitOf } from "../../src/git/commit.ts";
import { decodePathPart, encodePathPart, filePathOf, refPartOf, resourcePartOf } from "../../src/git/layout.ts";
import { lineOf } from "../../src/git/text.ts";
import { actorOf, changeOf, configmaps, targetAt, verdictBy } from "../git/fixtures.ts";
import { check, suite } from "./check.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(".", "%", "_", "a", "A", "~", " ", ":", "2", "E", "\n", "/", "é"), maxLength: 12 }),
  // Lone surrogates are all one in UTF-8.
  fc.constantFrom("\ud800", "\ud801", "\udc00", "a\ud800", "a\udfff"),
  fc.constantFrom("con", "aux.x", "COM1", ".git", "git~1", "..", "%5Fcluster", "a".repeat(300), `${"a".repeat(300)}b`),
);

/** Lone surrogates too: two of them are two names. */
function foldedOf(name: string): string {
  return encodePathPart(name, 5).toLowerCase() === encodePathPart(name.toLowerCase(), 5).toLowerCase()
    ? name.toLowerCase()
    : name;
}

suite("paths and trailers", () => {
  test("a path part is safe, bounded, and comes back as the name", () => {
    check(
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

  test("different names give different path and ref parts, however much they look like each other's encoding", () => {
    check(
      fc.property(fc.uniqueArray(text, { minLength: 2, maxLength: 12 }), (drawn) => {
        const twins = drawn.flatMap((name) => [
          name,
          encodePathPart(name),
          encodePathPart(encodePathPart(name)),
          decodePathPart(name),
          name.toLowerCase(),
          name.normalize("NFC"),
          name.normalize("NFD"),
          `${name}.`,
          `.${name}`,
          `${name} `,
        ]);
        const names = [...new Set(twins)];
        for (const encode of [
          (name: string) => encodePathPart(name),
          (name: string) => encodePathPart(name, 5),
          refPartOf,
        ])
          expect(new Set(names.map(encode)).size).toBe(names.length);
      }),
    );
  });

  /** Types with names that differ in case only are the one exception: docs/COMMITS.md says so. */
  test("names that differ in more than case give files that a file system without case can hold side by side", () => {
    check(
      fc.property(fc.uniqueArray(text, { minLength: 2, maxLength: 12, selector: foldedOf }), (names) => {
        const parts = names.map((name) => encodePathPart(name, 5).toLowerCase());
        expect(new Set(parts).size).toBe(names.length);
      }),
    );
  });

  test("different resources have different files, whatever stands in their namespaces and groups", () => {
    const places = ["", "core", "_cluster", "%5Fcluster", "%63ore", "a", "apps", "a/b", ".."];
    const place = fc.constantFrom(...places);
    const resource = fc.record({
      namespace: place,
      group: place,
      resource: fc.constantFrom("pods", "a", "b/c"),
      name: text,
    });
    check(
      fc.property(fc.array(resource, { minLength: 1, maxLength: 4 }), (drawn) => {
        const resources = drawn.flatMap((one) => [
          one,
          ...places.flatMap((other) => [
            { ...one, namespace: other },
            { ...one, group: other },
          ]),
        ]);
        const told = new Set(
          resources.map(({ namespace, group, resource: of, name }) => JSON.stringify([namespace, group, of, name])),
        );
        const paths = resources.map(({ namespace, group, resource: of, name }) => {
          const type = { ...configmaps, group, resource: of };
          const { directories, file } = filePathOf(["p"], type, { namespace, name });
          expect(directories).toHaveLength(4);
          for (const part of [...directories, file]) expect(part).not.toMatch(/[/\\\0]|^\.|^$/);
          return [...directories, file].join("/");
        });
        expect(new Set(paths).size).toBe(told.size);
      }),
    );
  });

  test("names of Kubernetes stay as they are", () => {
    const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?)?$/);
    check(
      fc.property(
        name.filter((found) => !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/.test(found)),
        (found) => {
          expect(encodePathPart(found)).toBe(found);
        },
      ),
    );
  });

  test("a line is one line, and looks like what it is", () => {
    check(
      fc.property(fc.string({ unit: "binary" }), (found) => {
        expect(lineOf(found)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}<>]|^\s|\s$/u);
      }),
    );
  });

  test("whatever the users are called, the trailers are those of the change", () => {
    check(
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
});
