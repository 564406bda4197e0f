/** Files as the sanitizer would leave them, and the entries of a flush that write them: for what is measured behind it. */

import type { CommitPool, FlushEntry, FlushResult } from "../actors/ports.ts";
import { cursorOf } from "../machines/cursor.ts";
import type {
  Cursor,
  ObjectHash,
  ResourceType,
  ResourceVersion,
  TypeKey,
  Uid,
  WatchEvent,
} from "../machines/messages.ts";
import { typeKeyOf } from "../machines/messages.ts";
import type { Selection } from "../machines/selection.ts";
import { createBlockingFiles } from "../src/composition/node-blocking-files.ts";
import { createInlineCommitPool } from "../src/git/commit-pool.ts";
import type { TargetOptions } from "../src/git/target.ts";
import { defaultAuthorMapping, defaultCommitter, defaultSentinel } from "../src/git/target.ts";
import { simulatedSecrets } from "../src/simulation/simulated-secrets.ts";

export interface PreparedFile {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
  readonly yaml: Buffer;
}

/** Some 1.5 KB that deflate as real manifests do. */
export function yamlOf(name: string, random: () => number): Buffer {
  const lines = ["apiVersion: apps/v1", "kind: Deployment", "metadata:", `  name: ${name}`, "spec:", "  env:"];
  for (let at = 0; at < 36; at++) lines.push(`  - name: SETTING_${at}`, `    value: v${Math.floor(random() * 1e9)}`);
  return Buffer.from(`${lines.join("\n")}\n`);
}

export function typeOf(group: string, resource: string): ResourceType {
  const key = typeKeyOf(group, resource);
  return { key, group, version: "v1", resource, kind: "Deployment", namespaced: true, scalable: true };
}

const uid = "4be52ede-8d02-46d4-8af7-43b3cb8e7b11" as Uid;
const author = {
  user: "alice@example.com",
  claims: {},
  fieldManager: "kubectl",
  subresource: "",
  atMs: 1_700_000_000_000,
};

export function changeOf({ type, namespace, name, yaml }: PreparedFile, version: number): FlushEntry {
  const verdict = { tier: "exact", author, candidates: [], causedBy: "", faulted: false } as const;
  const resourceVersion = String(version) as ResourceVersion;
  const change = { type, namespace, name, uid, resourceVersion, epoch: 0, operation: "UPDATE", verdict } as const;
  return { kind: "change", change: { ...change, bytes: yaml, observedAtMs: 0 } };
}

/** All of them in one commit, one entry for each type. */
export function snapshotOf(files: readonly PreparedFile[], version: number): readonly FlushEntry[] {
  const none = "" as ObjectHash;
  const rest = { kind: "ADDED", terminating: false, objectHash: none, restHash: none, replicas: 0, atMs: 0 } as const;
  const byType = new Map<ResourceType, WatchEvent[]>();
  for (const [index, { type, namespace, name, yaml }] of files.entries()) {
    const resourceVersion = String(index + 1) as ResourceVersion;
    const items = byType.get(type) ?? [];
    items.push({ ...rest, type, namespace, name, uid, resourceVersion, bytes: yaml });
    byType.set(type, items);
  }
  const cursor = { epoch: 0, resourceVersion: String(version) as ResourceVersion };
  return Array.from(byType, ([type, items]) => ({ kind: "snapshot", type, cursor, items }));
}

export function targetOf(id: string, repository: string): TargetOptions {
  return {
    id,
    clusterUid: "bench",
    repository,
    branch: "main",
    path: "clusters",
    author: defaultAuthorMapping,
    committer: defaultCommitter,
    sentinel: defaultSentinel,
    secrets: simulatedSecrets,
    signing: null,
    format: { files: "1", secrets: "1" },
    durability: "flush",
  };
}

/** With the cursors that the entries come to. */
export function flushed(pool: CommitPool, targetId: string, entries: readonly FlushEntry[]): Promise<FlushResult> {
  const cursors = new Map<TypeKey, Cursor>();
  for (const entry of entries) {
    if (entry.kind === "change") cursors.set(entry.change.type.key, cursorOf(entry.change));
    else if (entry.kind !== "coverage") cursors.set(entry.type.key, entry.cursor);
  }
  return pool.flush(targetId, { entries, cursors });
}

export function everySelectionOf(types: readonly ResourceType[]): readonly Selection[] {
  return types.map(({ key }): Selection => ({
    typeKey: key,
    namespaces: null,
    matchLabels: {},
    matchExpressions: [],
    operations: ["CREATE", "UPDATE"],
  }));
}

/** Both stages in this thread, on the files that the worker has. */
export function poolOf(
  targets: readonly TargetOptions[],
  types: readonly ResourceType[],
): ReturnType<typeof createInlineCommitPool> {
  const selections = everySelectionOf(types);
  return createInlineCommitPool({
    fs: createBlockingFiles(),
    clock: {
      nowMs: () => 1_700_000_000_000,
      monotonicMs: () => performance.now(),
      after: () => ({ [Symbol.dispose]: () => undefined }),
    },
    manifestOf: (bytes) => ({ yaml: bytes, labels: {} }),
    selectionsOf: () => selections,
    targets,
  });
}
