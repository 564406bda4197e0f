import fc from "fast-check";
import { expect, test } from "vitest";
import { changeCommitOf } from "../../src/git/commit.ts";
import { fileOfPath, fileOfTrailer, namePartOf } from "../../src/git/clone/record-key.ts";
import { trailersOf } from "../../src/git/history.ts";
import { filePathOf } from "../../src/git/layout.ts";
import { changeOf, configmaps, targetAt } from "../git/fixtures.ts";
import { check, suite } from "./check.ts";

const name = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(".", "%", "_", "a", ":", "2", "/", " ", "é"), minLength: 1, maxLength: 12 }),
  fc.constantFrom("con", "aux.x", "..", "%5Fcluster", "_cluster", "system:node:a", "core"),
  // About as long as a path, and as a trailer, may hold.
  fc
    .tuple(fc.constantFrom("a", "b.", ":", "é"), fc.integer({ min: 40, max: 300 }))
    .map(([unit, count]) => unit.repeat(count)),
);

suite("what a commit is about", () => {
  test("is the same by its trailers and by its file", () => {
    check(
      fc.property(name, fc.oneof(fc.constant(""), name), (resource, namespace) => {
        const target = targetAt("/repo");
        const change = { ...changeOf({ version: 5, name: resource }), namespace };
        const frame = { tree: "0".repeat(40), parent: "", committedAtMs: 0 };
        const message = changeCommitOf(change, frame, target).toString().split("\n\n").slice(1).join("\n\n");
        const [trailer = ""] = trailersOf(message).get("Kubescribe-Resource") ?? [];
        const { directories, file } = filePathOf(["clusters", "prod"], configmaps, change);
        const path = fileOfPath([...directories, file].join("/"));
        expect(path).toEqual({ file: fileOfTrailer(trailer), prefix: "clusters/prod" });
        expect(path?.file.endsWith(`/${namePartOf(resource)}`)).toBe(true);
      }),
      { runs: 1000 },
    );
  });
});
