/** Commits by users and of names that anybody may choose, as stock git reads them. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { encodePathPart } from "../../src/git/layout.ts";
import { lineOf } from "../../src/git/text.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import {
  actorOf,
  allSelections,
  changed,
  flush,
  plainManifest,
  runGit,
  targetAt,
  temporaryPlace,
  verdictBy,
} from "../git/fixtures.ts";
import { check, suite } from "./check.ts";

const trap = fc.constantFrom(
  "\n",
  "\n\n",
  "\r\n",
  "\0",
  "\u2028",
  "\u0085",
  " ",
  ": ",
  "<",
  ">",
  "#",
  "---\n",
  "\t",
  "\\",
  '"',
  "author ",
  "committer ",
  "Changed-By: bob",
  "Kubescribe-Attribution: exact",
  "Signed-off-by: bob",
  "(cherry picked from",
  "alice",
  "bob <bob@example.com>",
  "1 +0000",
  "Kubescribe-Uid: x",
  "=",
  "é",
  "\ud800",
  "../",
  "parent 0",
  "gpgsig ",
);
const hostile = fc.oneof(
  fc.array(trap, { maxLength: 6 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const written = fc.record({
  user: hostile,
  /** Claims of the author's name and address. */
  called: fc.option(hostile, { nil: null }),
  address: fc.option(fc.oneof(hostile, fc.emailAddress(), fc.constantFrom("unresolved@kubescribe.invalid")), {
    nil: null,
  }),
  manager: hostile,
  causedBy: hostile,
  name: hostile,
  namespace: hostile,
  candidates: fc.array(hostile, { maxLength: 3 }),
});

const domain = "users.kubescribe.invalid";
const madeUp = /^[A-Za-z0-9._%-]+@users\.kubescribe\.invalid$/;

suite("commits under hostile names", () => {
  test("have the author, the subject and the trailers that were meant, and no others, to git interpret-trailers too", async () => {
    await check(
      fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 12 }), async (changes) => {
        using place = temporaryPlace();
        await using pool = createInlineCommitPool({
          fs: createNodeFileSystem(),
          clock: createSimulatedClock(),
          manifestOf: plainManifest,
          selectionsOf: () => allSelections,
          targets: [
            targetAt(place.path, { durability: "none", author: { nameClaim: "name", emailClaim: "email", domain } }),
          ],
        });
        await flush(
          pool,
          changes.map(({ user, called, address, manager, causedBy, candidates, name, namespace }, at) => {
            const claims = {
              ...(called === null ? {} : { name: called }),
              ...(address === null ? {} : { email: address }),
            };
            const author = actorOf(user, { fieldManager: manager, claims });
            const verdict = verdictBy(user, { author, causedBy, candidates: candidates.map((one) => actorOf(one)) });
            return changed({ version: at + 1, operation: "CREATE", name, namespace, content: `${at}\n`, verdict });
          }),
        );
        expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
        const format = "%an%x01%ae%x01%cn <%ce>%x01%s%x01%(trailers:only,unfold,separator=%x02)%x01%H%x00";
        const commits = place
          .git("log", "--reverse", `--format=${format}`)
          .split("\0")
          .map((line) => line.trim());
        expect(commits.pop()).toBe("");
        expect(commits).toHaveLength(changes.length);
        for (const [at, line] of commits.entries()) {
          const change = changes[at];
          const [author, email = "", committer, subject, trailers = "", id = ""] = line.split("\u0001");
          if (change === undefined) throw new Error("a commit too many");
          expect(author).toBe(lineOf(change.called || change.user || "unknown"));
          // Somebody's own word, or made up here: and then nobody else can have it.
          if (email !== change.address && email !== change.user) expect(email).toMatch(madeUp);
          expect(email).not.toMatch(/[<>\s]|@kubescribe\.invalid$/);
          expect(committer).toBe("kubescribe <kubescribe@kubescribe.invalid>");
          expect(subject).toBe(`Create configmaps ${placeOf(change)}`);
          expect(trailers.split("\u0002")).toEqual(trailersFor(change, at + 1));
          const [header = "", ...message] = place.git("cat-file", "commit", id).split("\n\n");
          const keys = header.split("\n").map((text) => text.split(" ")[0]);
          expect(keys).toEqual(["tree", ...(at === 0 ? [] : ["parent"]), "author", "committer"]);
          const parsed = runGit(place.path, ["interpret-trailers", "--parse"], `${message.join("\n\n")}\n`);
          expect(parsed.split("\n")).toEqual(trailersFor(change, at + 1));
        }
      }),
      { runs: 8 },
    );
  });
});

function placeOf({ name, namespace }: { readonly name: string; readonly namespace: string }): string {
  const parts = namespace === "" ? [name] : [namespace, name];
  return parts.map((part) => encodePathPart(part).replaceAll("%3A", ":")).join("/");
}

function trailersFor(
  change: typeof written extends fc.Arbitrary<infer Value> ? Value : never,
  version: number,
): readonly string[] {
  const { user, manager, causedBy, candidates } = change;
  const line = (value: string): string => (value === "" ? "-" : lineOf(value));
  return [
    `Changed-By: ${line(user)}`,
    `Kubescribe-Resource: core/v1/configmaps ${placeOf(change)}`,
    "Kubescribe-Uid: 4be52ede-8d02-46d4-8af7-43b3cb8e7b11",
    `Kubescribe-Resource-Version: ${version}`,
    "Kubescribe-Operation: CREATE",
    "Kubescribe-Attribution: exact",
    ...[...new Set(candidates)].map((candidate) => `Kubescribe-Candidate: ${line(candidate)}`),
    ...(manager === "" ? [] : [`Kubescribe-Field-Manager: ${line(manager)}`]),
    ...(causedBy === "" ? [] : [`Kubescribe-Caused-By: ${line(causedBy)}`]),
    "Kubescribe-Cluster: 0d5a6f0e-0000-4000-8000-000000000001",
  ];
}
