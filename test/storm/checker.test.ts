/** The checker must not be blind: a true history passes, and each way to falsify it is found. */

import { describe, expect, test } from "vitest";

import type { AuditEvent } from "../controlplane/audit.ts";
import type { Commit } from "../e2e/history.ts";
import { AuditTruth } from "./audit-truth.ts";
import { check, type CheckInput, type Findings } from "./checker.ts";
import type { Persisted } from "./persisted.ts";
import type { WrittenFile } from "./written-files.ts";

const path = "cluster/storm/core/configmaps/web-0.yaml";
const story: readonly (readonly [Persisted["operation"], string, string])[] = [
  ["CREATE", "11", "alice"],
  ["UPDATE", "12", "bob"],
  ["UPDATE", "13", "carol"],
  ["DELETE", "14", "dave"],
];

function truthfully(): { input: CheckInput; commits: Commit[]; written: Map<string, WrittenFile[]> } {
  const persisted = story.map(([operation, resourceVersion, user]) => persistedOf(operation, resourceVersion, user));
  const commits = [snapshot(), ...story.map(([operation, version, user]) => commitOf(operation ?? "", version, user))];
  const written = new Map<string, WrittenFile[]>(
    persisted.map(({ operation, resourceVersion, blob }) => {
      const status = operation === "CREATE" ? "A" : operation === "UPDATE" ? "M" : "D";
      return [resourceVersion, [{ status, path, blob }]];
    }),
  );
  const audit = new AuditTruth();
  audit.add(deletionBy("dave"));
  const input = { persisted: new Map([["core/configmaps", persisted]]), commits, written, audit, blind: () => false };
  return { input, commits, written };
}

describe("the storm's checker", () => {
  test("has nothing to say of a true history", () => {
    const findings = check(truthfully().input);
    expect(findings).toMatchObject({ changes: 4, commits: 4, seeingNamed: 4, ties: 0 });
    expect(complaintsOf(findings)).toEqual([]);
  });

  test.each<[complaint: string, falsify: (commits: Commit[], written: Map<string, WrittenFile[]>) => void]>([
    ["lost", (commits) => commits.splice(2, 1)],
    ["doubled disordered", (commits) => commits.splice(2, 0, ...commits.slice(2, 3))],
    ["unreal", (commits) => commits.push(commitOf("UPDATE", "15", "bob"))],
    ["disordered", (commits) => commits.push(...commits.splice(2, 1))],
    ["unreal lost", (commits) => change(commits, 2, { uid: "another" })],
    ["wrong", (commits) => change(commits, 2, { user: "alice" })],
    ["wrong", (commits) => change(commits, 4, { user: "alice", tier: "delete" })],
    ["wrongTies", (commits) => change(commits, 2, { tier: "tie", user: "alice", candidates: ["alice", "dave"] })],
    ["unexplained", (commits) => change(commits, 2, { tier: "unresolved", user: "unresolved" })],
    ["unexplained", (commits) => change(commits, 4, { tier: "unresolved", user: "unresolved" })],
    ["unfaithful", (commits) => change(commits, 2, { operation: "CREATE" })],
    ["unfaithful", (_, written) => written.set("12", [{ status: "M", path, blob: "older" }])],
    ["unfaithful", (_, written) => written.set("12", [])],
    ["unfaithful", (_, written) => written.set("14", [{ status: "M", path, blob: "blob 14" }])],
    ["unfaithful", (_, written) => written.get("13")?.push({ status: "M", path: "cluster/other.yaml", blob: "b" })],
  ])("finds what is %s", (complaint, falsify) => {
    const { input, commits, written } = truthfully();
    falsify(commits, written);
    expect(complaintsOf(check(input)).sort()).toEqual(complaint.split(" ").sort());
  });

  test("takes a tie that names the right one, and counts it", () => {
    const { input, commits } = truthfully();
    change(commits, 2, { tier: "tie", user: "alice", candidates: ["alice", "bob"] });
    const findings = check(input);
    expect(complaintsOf(findings)).toEqual([]);
    expect(findings).toMatchObject({ ties: 1, tiesRight: 0 });
  });

  test("lets what was made in blind times be unresolved, not wrong", () => {
    const { input, commits } = truthfully();
    change(commits, 2, { tier: "unresolved", user: "unresolved" });
    change(commits, 3, { user: "mallory" });
    const findings = check({ ...input, blind: () => true });
    expect(complaintsOf(findings)).toEqual(["wrong"]);
    expect(findings).toMatchObject({ blindChanges: 4, blindUnresolved: 1, seeingChanges: 0 });
  });
});

function complaintsOf(findings: Findings): string[] {
  const { lost, doubled, unreal, disordered, unfaithful, wrong, wrongTies, unexplained } = findings;
  const lists = { lost, doubled, unreal, disordered, unfaithful, wrong, wrongTies, unexplained };
  return Object.entries(lists).flatMap(([name, list]) => (list.length > 0 ? [name] : []));
}

function change(commits: Commit[], index: number, fields: Partial<Commit>): void {
  commits[index] = { ...(commits[index] ?? snapshot()), ...fields };
}

function persistedOf(operation: Persisted["operation"], resourceVersion: string, user: string): Persisted {
  return {
    typeKey: "core/configmaps",
    kind: operation === "CREATE" ? "ADDED" : operation === "UPDATE" ? "MODIFIED" : "DELETED",
    resource: "configmaps",
    namespace: "storm",
    name: "web-0",
    uid: "uid",
    resourceVersion,
    terminating: false,
    seenAtMs: 1_000,
    path,
    blob: `blob ${resourceVersion}`,
    writers: operation === "DELETE" ? [] : [user],
    operation,
  };
}

function commitOf(operation: string, resourceVersion: string, user: string): Commit {
  return {
    ...snapshot(),
    sha: resourceVersion,
    user,
    resource: "core/v1/configmaps storm/web-0",
    uid: "uid",
    resourceVersion,
    operation,
    tier: operation === "DELETE" ? "delete" : "exact",
    kind: "",
  };
}

function snapshot(): Commit {
  return {
    sha: "snapshot",
    authorName: "",
    authorEmail: "",
    authoredAt: 0,
    subject: "",
    trailers: new Map([["Kubescribe-Cursor", ["0 10 core/configmaps"]]]),
    changes: [],
    paths: [],
    user: "",
    resource: "",
    uid: "",
    resourceVersion: "",
    epoch: "",
    operation: "",
    tier: "",
    candidates: [],
    fieldManager: "",
    causedBy: "",
    kind: "snapshot",
  };
}

function deletionBy(username: string): AuditEvent {
  return {
    auditID: "1",
    stage: "ResponseComplete",
    verb: "delete",
    requestURI: "/api/v1/namespaces/storm/configmaps/web-0",
    user: { username },
    objectRef: { resource: "configmaps", namespace: "storm", name: "web-0" },
    responseStatus: { code: 200 },
    responseObject: { details: { uid: "uid" } },
    requestReceivedTimestamp: new Date(900).toISOString(),
    stageTimestamp: new Date(1_000).toISOString(),
  };
}
