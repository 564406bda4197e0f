/** Reads commits back: what their trailers say about cursors, and which of them are ours. */

import { cursorOf, joined } from "../../machines/cursor.ts";
import {
  type Cursor,
  type Operation,
  type ResourceVersion,
  typeKeyOf,
  type TypeKey,
  type Uid,
} from "../../machines/messages.ts";
import { coverageMarkIn } from "./coverage-text.ts";
import { decodePathPart } from "./layout.ts";
import type { ObjectReader } from "./object-reader.ts";
import type { TargetOptions } from "./target.ts";

export interface Commit {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly committer: { readonly email: string; readonly second: number };
  readonly message: string;
}

export interface CommitWalk {
  /** The commit that was looked for is an ancestor of the head, or the head. */
  readonly reached: boolean;
  /** The newest commit of this target; empty where there is none. */
  readonly ownTip: string;
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  /** `epoch/uid/resourceVersion` of the changes that were met. */
  readonly changes: ReadonlySet<string>;
  /** Marks of the blind times that were met, the oldest first. */
  readonly blindTimes: readonly string[];
}

export interface WalkOptions {
  readonly reader: ObjectReader;
  readonly target: TargetOptions;
  readonly prefix: readonly string[];
  readonly head: string;
  /** Where to stop; empty: at the first commit. */
  readonly until: string;
  readonly limitCommits: number;
  /** Commits whose parents are not there. */
  readonly shallow: ReadonlySet<string>;
}

/**
 * From the head backwards, newest first, until `until` was met and all that is left is older. Beyond it nothing can raise a
 * cursor, so that a merge which leads around it does no harm.
 */
export async function walkCommits(options: WalkOptions): Promise<CommitWalk> {
  const { reader, target, head, until } = options;
  const cursors = new Map<TypeKey, Cursor>();
  const changes = new Set<string>();
  const blindTimes: string[] = [];
  const queue = [await readCommit(reader, head)];
  const seen = new Set([head]);
  let reached = false;
  let ownTip = "";
  let untilSecond = Number.NEGATIVE_INFINITY;
  for (let count = 0; count < options.limitCommits; count++) {
    queue.sort((a, b) => a.committer.second - b.committer.second);
    const commit = queue.pop();
    if (commit === undefined || (reached && commit.committer.second <= untilSecond && commit.id !== until)) break;
    if (commit.id === until) {
      reached = true;
      untilSecond = commit.committer.second;
      if (ownTip === "") ownTip = until;
      continue;
    }
    const record = recordOf(commit, target);
    // One for all targets of a branch.
    if (record !== null && record.blindTime !== "") blindTimes.unshift(record.blindTime);
    if (record !== null && (await touchesPrefix(commit, options))) {
      if (ownTip === "") ownTip = commit.id;
      if (record.change !== "") changes.add(record.change);
      for (const [key, cursor] of record.cursors) raise(cursors, key, cursor);
    }
    for (const parent of commit.parents) {
      if (seen.has(parent) || options.shallow.has(commit.id)) continue;
      seen.add(parent);
      queue.push(await readCommit(reader, parent));
    }
  }
  return { reached: until === "" || reached, ownTip, cursors, changes, blindTimes };
}

/** How far a commit takes each type, if it is one of this target's; null: it is not. */
export async function cursorsIn(
  commit: Commit,
  options: Pick<WalkOptions, "reader" | "target" | "prefix" | "shallow">,
): Promise<CommitRecord["cursors"] | null> {
  const record = recordOf(commit, options.target);
  return record !== null && (await touchesPrefix(commit, options)) ? record.cursors : null;
}

export function raise(cursors: Map<TypeKey, Cursor>, key: TypeKey, cursor: Cursor): void {
  cursors.set(key, joined(cursors.get(key) ?? null, cursor));
}

export async function readCommit(reader: ObjectReader, id: string): Promise<Commit> {
  const text = (await reader.read(id, "commit")).body.toString("utf8");
  const end = text.indexOf("\n\n");
  const header = end < 0 ? text : text.slice(0, end);
  const committer = /^committer .*<([^>]*)> (\d+)/m.exec(header);
  return {
    id,
    tree: /^tree ([0-9a-f]{40})/.exec(header)?.[1] ?? "",
    parents: [...header.matchAll(/^parent ([0-9a-f]{40})$/gm)].map((match) => match[1] ?? ""),
    committer: { email: committer?.[1] ?? "", second: Number(committer?.[2] ?? 0) },
    message: end < 0 ? "" : text.slice(end + 2),
  };
}

/** The trailers of a message in our format: its last paragraph. */
export function trailersOf(message: string): ReadonlyMap<string, readonly string[]> {
  const trailers = new Map<string, string[]>();
  const block = message.trimEnd().split("\n\n").at(-1) ?? "";
  for (const line of block.split("\n")) {
    const match = /^([A-Za-z0-9-]+): (.*)$/.exec(line);
    if (match === null) continue;
    const [, key = "", value = ""] = match;
    const values = trailers.get(key);
    if (values === undefined) trailers.set(key, [value]);
    else values.push(value);
  }
  return trailers;
}

interface CommitRecord {
  /** Its mark; empty where the commit tells of none. */
  readonly blindTime: string;
  readonly change: string;
  readonly cursors: readonly (readonly [TypeKey, Cursor])[];
}

/** Null: not a commit of this cluster's kubescribe. Whoever may push can forge one; the cluster's users cannot. */
function recordOf(commit: Commit, target: TargetOptions): CommitRecord | null {
  if (commit.committer.email !== target.committer.email) return null;
  const trailers = trailersOf(commit.message);
  const first = (key: string): string => trailers.get(key)?.[0] ?? "";
  if (first("Kubescribe-Cluster") !== target.clusterUid) return null;
  const kind = first("Kubescribe-Kind");
  if (kind !== "") {
    const cursors = (trailers.get("Kubescribe-Cursor") ?? []).flatMap((value) => {
      const match = /^(\d+) (\d+) (\S+)$/.exec(value);
      return match === null ? [] : [[match[3] as TypeKey, cursorOf(versionIn(match[1], match[2] ?? ""))] as const];
    });
    return { blindTime: kind === "coverage" ? coverageMarkIn(first) : "", change: "", cursors };
  }
  const type = /^([^/ ]+)\/[^/ ]+\/([^/ ]+) /.exec(first("Kubescribe-Resource"));
  // An attempt bears only the version that it was based on: it says nothing of how far the branch has come.
  if (first("Kubescribe-Attribution") === "dual") return { blindTime: "", change: "", cursors: [] };
  const version = first("Kubescribe-Resource-Version");
  if (type === null || !/^\d+$/.test(version)) return null;
  const uid = first("Kubescribe-Uid") as Uid;
  const operation = first("Kubescribe-Operation") as Operation;
  const cursor = cursorOf({ ...versionIn(trailers.get("Kubescribe-Epoch")?.[0], version), uid, operation });
  const key = typeKeyOf(decodePathPart(type[1] ?? ""), decodePathPart(type[2] ?? ""));
  return { blindTime: "", change: `${cursor.epoch}/${uid}/${version}`, cursors: [[key, cursor]] };
}

function versionIn(epoch: string | undefined, version: string): Omit<Cursor, "uids"> {
  return { epoch: Number(epoch ?? 0), resourceVersion: version as ResourceVersion };
}

/** Another target of this cluster may write to the same branch, below another path. */
async function touchesPrefix(
  commit: Commit,
  options: Pick<WalkOptions, "reader" | "prefix" | "shallow">,
): Promise<boolean> {
  if (options.prefix.length === 0) return true;
  const parent = options.shallow.has(commit.id) ? undefined : commit.parents[0];
  const before = parent === undefined ? "" : (await readCommit(options.reader, parent)).tree;
  const at = (root: string): Promise<string> => treeAt(options.reader, root, options.prefix);
  return (await at(commit.tree)) !== (await at(before));
}

/** The id of the tree at a path, or empty. */
export async function treeAt(reader: ObjectReader, root: string, path: readonly string[]): Promise<string> {
  let id = root;
  for (const name of path) {
    if (id === "") return "";
    id = treeEntry(await reader.readTree(id), name);
  }
  return id;
}

function treeEntry(raw: Buffer, name: string): string {
  for (let at = 0; at < raw.length;) {
    const end = raw.indexOf(0, at);
    if (raw.toString("latin1", at, end) === `40000 ${name}`) return raw.toString("hex", end + 1, end + 21);
    at = end + 21;
  }
  return "";
}
