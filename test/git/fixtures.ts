/** Targets, changes and a real repository in a temporary directory, read by stock git. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommitPool, FlushEntry, FlushResult } from "../../actors/ports.ts";
import { cursorOf as cursorIn, joined } from "../../machines/cursor.ts";
import type {
  Actor,
  Change,
  Cursor,
  ObjectHash,
  Operation,
  ResourceType,
  ResourceVersion,
  TypeKey,
  Uid,
  Verdict,
  WatchEvent,
} from "../../machines/messages.ts";
import type { Selection } from "../../machines/selection.ts";
import type { ManifestOf } from "../../src/git/prepare.ts";
import { defaultAuthorMapping, defaultCommitter, defaultSentinel, type TargetOptions } from "../../src/git/target.ts";
import { simulatedSecrets } from "../../src/simulation/simulated-secrets.ts";

export const configmaps: ResourceType = {
  key: "core/configmaps" as TypeKey,
  group: "",
  version: "v1",
  resource: "configmaps",
  kind: "ConfigMap",
  namespaced: true,
  scalable: false,
};

export const deployments: ResourceType = {
  key: "apps/deployments" as TypeKey,
  group: "apps",
  version: "v1",
  resource: "deployments",
  kind: "Deployment",
  namespaced: true,
  scalable: true,
};

export const clusterUid = "0d5a6f0e-0000-4000-8000-000000000001";

export function selectionOf(type: ResourceType, selection: Partial<Selection> = {}): Selection {
  return {
    typeKey: type.key,
    namespaces: null,
    matchLabels: {},
    matchExpressions: [],
    operations: ["CREATE", "UPDATE", "DELETE"],
    ...selection,
  };
}

export function targetAt(repository: string, target: Partial<TargetOptions> = {}): TargetOptions {
  return {
    id: "default/history",
    clusterUid,
    repository,
    branch: "main",
    path: "clusters/prod",
    author: defaultAuthorMapping,
    committer: defaultCommitter,
    sentinel: defaultSentinel,
    secrets: simulatedSecrets,
    signing: null,
    format: { files: "1", secrets: "1" },
    durability: "flush",
    ...target,
  };
}

/** Everything of both types. */
export const allSelections = [selectionOf(configmaps), selectionOf(deployments)];

/** As plain as can be: the content is the bytes; a first line `labels {...}` gives labels. */
export const plainManifest: ManifestOf = (bytes) => {
  const text = Buffer.from(bytes).toString("utf8");
  const labels = /^labels (.*)\n/.exec(text)?.[1];
  return { yaml: bytes, labels: labels === undefined ? {} : (JSON.parse(labels) as Record<string, string>) };
};

export function actorOf(user: string, actor: Partial<Actor> = {}): Actor {
  return { user, claims: {}, fieldManager: "kubectl", subresource: "", atMs: 1_700_000_000_000, ...actor };
}

export function verdictBy(user: string, verdict: Partial<Verdict> = {}): Verdict {
  return { tier: "exact", author: actorOf(user), candidates: [], causedBy: "", faulted: false, ...verdict };
}

export const unresolved: Verdict = { tier: "unresolved", author: null, candidates: [], causedBy: "", faulted: false };

export interface ChangeShape {
  readonly version: number;
  readonly type?: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
  readonly operation?: Operation;
  readonly content?: string;
  readonly verdict?: Verdict;
  readonly epoch?: number;
  readonly uid?: string;
}

export function changeOf(shape: ChangeShape): Change {
  return {
    type: shape.type ?? configmaps,
    namespace: shape.namespace ?? "default",
    name: shape.name ?? "web",
    uid: (shape.uid ?? "4be52ede-8d02-46d4-8af7-43b3cb8e7b11") as Uid,
    resourceVersion: String(shape.version) as ResourceVersion,
    epoch: shape.epoch ?? 0,
    operation: shape.operation ?? "UPDATE",
    verdict: shape.verdict ?? verdictBy("alice@example.com"),
    bytes: Buffer.from(shape.content ?? `version: ${shape.version}\n`),
    observedAtMs: 1_700_000_500_000,
  };
}

export function changed(shape: ChangeShape): FlushEntry {
  return { kind: "change", change: changeOf(shape) };
}

export function itemOf(shape: ChangeShape): WatchEvent {
  const { type, namespace, name, uid, resourceVersion, bytes } = changeOf(shape);
  const none = "" as ObjectHash;
  return {
    kind: "ADDED",
    type,
    namespace,
    name,
    uid,
    resourceVersion,
    terminating: false,
    objectHash: none,
    restHash: none,
    replicas: 0,
    bytes,
    atMs: 1_700_000_500_000,
  };
}

export function cursorOf(version: number, epoch = 0): Cursor {
  return { epoch, resourceVersion: String(version) as ResourceVersion };
}

/** Flushes entries with the cursors that follow from them. */
export function flush(
  pool: CommitPool,
  entries: readonly FlushEntry[],
  targetId = "default/history",
): Promise<FlushResult> {
  const cursors = new Map<TypeKey, Cursor>();
  for (const entry of entries) {
    if (entry.kind === "coverage") continue;
    const [key, cursor] =
      entry.kind === "change" ? [entry.change.type.key, cursorIn(entry.change)] : [entry.type.key, entry.cursor];
    cursors.set(key, joined(cursors.get(key) ?? null, cursor));
  }
  return pool.flush(targetId, { entries, cursors });
}

export interface Place extends Disposable {
  readonly path: string;
  /** Runs stock git there; returns what it prints, without the last line feed. */
  git(...args: readonly string[]): string;
}

export function temporaryPlace(name = "history.git"): Place {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-git-"));
  const path = join(directory, name);
  return {
    path,
    git: (...args) => runGit(path, args),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export function runGit(cwd: string, args: readonly string[], input = ""): string {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "mallory",
    GIT_AUTHOR_EMAIL: "mallory@example.com",
    GIT_COMMITTER_NAME: "mallory",
    GIT_COMMITTER_EMAIL: "mallory@example.com",
  };
  return execFileSync("git", args, { cwd, env, input, encoding: "utf8", stdio: "pipe" }).replace(/\n$/, "");
}
