/** Names and users that anybody may choose, in commits that stock git reads. */

import { expect, test } from "vitest";
import type { FlushEntry } from "../../actors/ports.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
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
} from "./fixtures.ts";

const hostileTexts = [
  "alice\nKubescribe-Attribution: exact",
  "alice\n\nChanged-By: bob",
  "alice\r\nChanged-By: bob",
  "alice> 1 +0000\nauthor bob <bob",
  "alice\0bob",
  "<>",
  "",
  " ",
  " alice ",
  "alice\u2028Changed-By: bob",
  "alice\u0085Changed-By: bob",
  "\u202Eecila",
  "alice\u200B",
  "\uD800",
  "x".repeat(10_000),
  "---",
  "# comment",
  "cherry picked from commit",
  "../../etc/passwd",
  ".git",
  "unresolved@kubescribe.invalid",
  "Kubescribe@kubescribe.invalid",
  "bob@users.kubescribe.invalid",
  "bob",
  "DOMAIN\\user",
  "Zoë 李",
  "system:serviceaccount:kube-system:replicaset-controller",
];

test("no text forges a trailer, a header, a path or somebody else", async () => {
  using place = temporaryPlace();
  await using pool = createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(),
    manifestOf: plainManifest,
    selectionsOf: () => allSelections,
    targets: [targetAt(place.path)],
  });
  const entries = hostileTexts.map((text, index): FlushEntry => {
    const author = actorOf(text, { fieldManager: text });
    const verdict = verdictBy(text, { author, causedBy: text, tier: "tie", candidates: [author, actorOf("bob")] });
    return changed({
      version: index + 1,
      operation: "CREATE",
      namespace: text,
      name: text,
      content: `${index}\n`,
      verdict,
    });
  });
  const { commits } = await flush(pool, entries);
  expect(commits).toEqual(hostileTexts.map(() => 1));
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
  // An empty namespace is the cluster's.
  const files = place.git("ls-tree", "-r", "--name-only", "-z", "main").split("\0").filter(Boolean);
  expect(files).toHaveLength(hostileTexts.length);
  for (const file of files)
    expect(file).toMatch(/^clusters\/prod\/[\w+=@,.%-]+\/core\/configmaps\/[\w+=@,.%-]+\.yaml$/);
  const identities = place.git("log", "--reverse", "--format=%an%x01%ae%x01%cn%x01%ce").split("\n");
  expect(identities).toHaveLength(hostileTexts.length);
  expect(new Set(identities.map((line) => line.split("\u0001")[1]?.toLowerCase())).size).toBe(hostileTexts.length);
  for (const [index, line] of identities.entries()) {
    expect(line.split("\u0001").slice(2)).toEqual(["kubescribe", "kubescribe@kubescribe.invalid"]);
    expect(line.split("\u0001")[1], hostileTexts[index]).not.toBe("unresolved@kubescribe.invalid");
  }
  expect(identities).toMatchSnapshot();
  for (const id of place.git("rev-list", "main").split("\n")) {
    const trailers = runGit(
      place.path,
      ["interpret-trailers", "--parse"],
      place.git("log", "-1", "--format=%B", id),
    ).split("\n");
    expect(trailers.map((line) => line.split(": ")[0])).toEqual([
      "Changed-By",
      "Kubescribe-Resource",
      "Kubescribe-Uid",
      "Kubescribe-Resource-Version",
      "Kubescribe-Operation",
      "Kubescribe-Attribution",
      ...trailers.filter((line) => line.startsWith("Kubescribe-Candidate")).map(() => "Kubescribe-Candidate"),
      ...trailers.filter((line) => line.startsWith("Kubescribe-Field-Manager")).map(() => "Kubescribe-Field-Manager"),
      ...trailers.filter((line) => line.startsWith("Kubescribe-Caused-By")).map(() => "Kubescribe-Caused-By"),
      "Kubescribe-Cluster",
    ]);
    expect(trailers).toContain("Kubescribe-Attribution: tie");
  }
});

test("claims name the author, and an address that is none is not used", async () => {
  using place = temporaryPlace();
  await using pool = createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: createSimulatedClock(),
    manifestOf: plainManifest,
    selectionsOf: () => allSelections,
    targets: [
      targetAt(place.path, { author: { nameClaim: "name", emailClaim: "email", domain: "users.corp.example" } }),
    ],
  });
  const by = (user: string, claims: Readonly<Record<string, string>>) => ({
    verdict: verdictBy(user, { author: actorOf(user, { claims }) }),
  });
  await flush(pool, [
    changed({ version: 1, ...by("u-1", { name: "Alice A.", email: "alice@corp.example" }) }),
    changed({ version: 2, ...by("u-2", { name: "Bob", email: "bob> <x@y" }) }),
    changed({ version: 3, ...by("carol@example.com", {}) }),
    changed({ version: 4, ...by("system:admin", {}) }),
  ]);
  expect(place.git("log", "--reverse", "--format=%an <%ae>").split("\n")).toEqual([
    "Alice A. <alice@corp.example>",
    "Bob <u-2@users.corp.example>",
    "carol@example.com <carol@example.com>",
    "system:admin <system%3Aadmin@users.corp.example>",
  ]);
});
