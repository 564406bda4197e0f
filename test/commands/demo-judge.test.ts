import { describe, expect, test } from "vitest";
import type { HistoryCommit } from "../../src/commands/demo-history.ts";
import { historyCommitOf } from "../../src/commands/demo-history.ts";
import { judge } from "../../src/commands/demo-judge.ts";
import { isGood, reportOf } from "../../src/commands/demo-report.ts";
import { fit, pad, painterOf } from "../../src/commands/demo-terminal.ts";
import type { ExpectedChange } from "../../src/commands/demo-truth.ts";
import { expectedChanges } from "../../src/commands/demo-truth.ts";
import { DEPLOYMENTS } from "../../src/simulator/resource-types.ts";
import { writeNow } from "../../src/simulator/write.ts";
import { ALLOWED, clusterAt, configMap, deployment, requestOf } from "../simulator/model-support.ts";

const change = (revision: number, author: string | null): ExpectedChange => {
  return { uid: "u", resourceVersion: String(revision), resource: "core/configmaps default/a", author };
};
const commit = (revision: number, user: string, tier: string, candidates: readonly string[] = []): HistoryCommit =>
  historyCommitOf(`${revision}`.padStart(40, "0"), {
    author: { name: user, email: "x@example.com" },
    message: [
      "Update configmaps default/a",
      "",
      `Changed-By: ${user}`,
      "Kubescribe-Resource: core/v1/configmaps default/a",
      "Kubescribe-Uid: u",
      `Kubescribe-Resource-Version: ${revision}`,
      `Kubescribe-Attribution: ${tier}`,
      ...candidates.map((candidate) => `Kubescribe-Candidate: ${candidate}`),
      "",
    ].join("\n"),
  });
const note = historyCommitOf("f".repeat(40), {
  author: { name: "kubescribe", email: "k@example.com" },
  message: "Begin\n\nKubescribe-Kind: snapshot\n",
});

describe("the judge", () => {
  test.for([
    ["the author", [change(1, "alice")], [commit(1, "alice", "exact")], 1, 0],
    ["a tie that names the author second", [change(1, "alice")], [commit(1, "bob", "tie", ["bob", "alice"])], 1, 0],
    ["nobody where nobody could know", [change(1, null)], [commit(1, "unresolved", "unresolved")], 1, 0],
    ["somebody where nobody could know", [change(1, null)], [commit(1, "alice", "exact")], 0, 1],
    ["the wrong author", [change(1, "alice")], [commit(1, "bob", "exact")], 0, 1],
    ["a tie without the author", [change(1, "alice")], [commit(1, "bob", "tie", ["bob", "carol"])], 0, 1],
    ["nobody where somebody was known", [change(1, "alice")], [commit(1, "unresolved", "unresolved")], 0, 1],
    ["a change without a commit", [change(1, "alice")], [], 0, 1],
    ["a commit without a change", [], [commit(1, "alice", "exact")], 0, 1],
    [
      "a change with two commits",
      [change(1, "alice")],
      [commit(1, "alice", "exact"), commit(1, "alice", "exact")],
      0,
      2,
    ],
    [
      "commits out of order",
      [change(9, "a"), change(10, "a")],
      [commit(10, "a", "exact"), commit(9, "a", "exact")],
      2,
      1,
    ],
  ] as const)("sees %s", ([, expected, commits, right, faults]) => {
    const judgement = judge(expected, [note, ...commits]);
    expect([judgement.rightAuthors, judgement.faults.length, judgement.notes]).toEqual([right, faults, 1]);
  });

  test("is not pleased with nothing at all", () => {
    expect(isGood({ judgement: judge([], []), outcomes: [] })).toBe(false);
  });
});

describe("the truth", () => {
  test("is a change for each manifest written, and nobody's where no review was answered", () => {
    const { cluster } = clusterAt();
    const start = cluster.store.revision;
    const asDeployment = { type: DEPLOYMENTS, name: "web" };
    const held = { ...configMap("a", { k: "1" }), metadata: { name: "a", finalizers: ["example.com/x"] } };
    writeNow(cluster, requestOf({ body: held }), ALLOWED);
    writeNow(cluster, requestOf({ verb: "patch", name: "a", body: { data: { k: "2" } } }));
    writeNow(cluster, requestOf({ verb: "patch", name: "a", body: { data: { k: "2" } } }), ALLOWED);
    writeNow(cluster, requestOf({ verb: "delete", name: "a" }), ALLOWED);
    writeNow(cluster, requestOf({ verb: "patch", name: "a", body: { metadata: { finalizers: null } } }), ALLOWED);
    writeNow(cluster, requestOf({ type: DEPLOYMENTS, body: deployment("web", 1) }), ALLOWED);
    const status = { ...asDeployment, subresource: "status", body: { status: { replicas: 1 } } };
    writeNow(cluster, requestOf({ verb: "patch", ...status }), ALLOWED);
    const events = cluster.store.allEvents().filter(({ revision }) => revision > start);
    const changes = expectedChanges(events).map(({ resource, author }) => [resource, author]);
    expect(changes).toEqual([
      ["core/configmaps default/a", "alice@example.com"],
      ["core/configmaps default/a", null],
      ["core/configmaps default/a", "alice@example.com"],
      ["apps/deployments default/web", "alice@example.com"],
    ]);
  });
});

describe("the report", () => {
  const commits = [note, commit(1, "alice@example.com", "exact")];
  const input = {
    commits,
    judgement: judge([change(1, "alice@example.com")], commits),
    outcomes: [{ purpose: "write", asMeant: true, detail: "" }],
    directory: "/tmp/it's here",
    gitDirectory: "/tmp/it's here/history.git",
    seconds: 1.23,
    columns: 80,
  } as const;

  test("fits the terminal, and quotes the path for a shell", () => {
    const text = reportOf({ ...input, paint: painterOf({ colour: false }) });
    expect(text).toContain("✔ 1 of 1 authors right, in 1.2 s");
    expect(text).toContain(`git -C '/tmp/it'\\''s here/history.git' show main`);
    expect(text).toContain("0000000  Update configmaps default/a");
  });

  test("names what is wrong, also of what the cluster answered", () => {
    const outcomes = [{ purpose: "failing", asMeant: false, detail: "bob: DELETE /x was answered 200" }] as const;
    const text = reportOf({ ...input, outcomes, paint: painterOf({ colour: true }) });
    expect(text).toContain("bob: DELETE /x was answered 200");
    expect(text).toContain("\u001b[31m✘");
  });

  test("counts characters as a reader does", () => {
    expect([fit("naïve ☕👩‍👩‍👧", 8), pad("👩‍👩‍👧", 3), fit("shorter", 3)]).toEqual(["naïve ☕👩‍👩‍👧", "👩‍👩‍👧  ", "sh…"]);
  });
});
