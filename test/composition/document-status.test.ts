import { expect, test } from "vitest";

import type { BranchStatus } from "../../actors/branch-actor.ts";
import { decodeDocuments } from "../../src/config/decode-documents.ts";
import { documentStatusOf } from "../../src/composition/document-status.ts";
import { clusterRule, repository } from "../config/samples.ts";
import { configmaps } from "../git/fixtures.ts";

const [history, workloads] = decodeDocuments(`${repository()}\n---\n${clusterRule()}`, "rules.yaml").documents;
const idle: BranchStatus = {
  targetId: "default/history",
  state: "idle",
  supply: "attached",
  queueDepth: 0,
  queueBytes: 0,
  detachedTypes: [],
  cursors: new Map(),
  tip: "",
  lastCommitMs: null,
  verdicts: new Map(),
  lastError: null,
};

function conditions(branch: BranchStatus, document = workloads): Readonly<Record<string, string>> {
  if (document === undefined) throw new Error("the samples are right");
  const around = { branch, watches: [], trouble: null, recording: true };
  const status = documentStatusOf(document.kind, { kind: "accepted", document }, around);
  return Object.fromEntries(status.conditions.map(({ type, status: holds, reason }) => [type, `${holds} ${reason}`]));
}

test.each([
  ["idle", {}, { Ready: "True Recording", Synced: "True Synced" }],
  ["not opened yet", { state: "unopened" }, { Synced: "False Unopened" }],
  ["behind", { detachedTypes: [configmaps.key] }, { Synced: "False CatchingUp" }],
  ["failing", { state: "backingOff", lastError: { code: "a", message: "b" } }, { Synced: "False Failing" }],
  ["stopped", { state: "stopped", lastError: { code: "a", message: "b" } }, { Ready: "False Stopped" }],
] as const)("a rule is no further than its repository, which is %s", (_how, state, expected) => {
  expect(conditions({ ...idle, ...state })).toMatchObject(expected);
  expect(conditions({ ...idle, ...state }, history)).toMatchObject(expected);
});
