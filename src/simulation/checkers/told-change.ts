/** One commit of a change, in the contract's words, beside the write that it stands for. */

import type { CommittedFile, HistoryCommit } from "./git-reader.ts";
import type { TargetFiles } from "./target-files.ts";
import type { ObjectName, Truth, TrueWrite } from "./truth.ts";

export interface ToldChange {
  readonly commit: HistoryCommit;
  readonly object: ObjectName;
  /** `unknown` where a file was left over, and nobody knows what became of its object. */
  readonly uid: string;
  readonly revision: number;
  readonly epoch: number;
  /** Of the cluster, at least: it may have restored backups that nobody could notice. */
  readonly era: number;
  readonly operation: string;
  readonly tier: string;
  readonly author: string;
  readonly candidates: readonly string[];
  /** At the object's path; the blobs are the same where the commit does not touch it. */
  readonly file: CommittedFile;
  /** Null: none has this uid and version. */
  readonly write: TrueWrite | null;
}

/** Tiers that are certain of their author. */
const settledTiers: ReadonlySet<string> = new Set(["exact", "scale", "delete", "content", "recovered"]);

export function isSettled({ tier }: ToldChange): boolean {
  return settledTiers.has(tier);
}

/** Settled, or a tie. */
export function isNamed(told: ToldChange): boolean {
  return isSettled(told) || told.tier === "tie";
}

export interface Telling {
  readonly truth: Truth;
  readonly files: TargetFiles;
  /** What an epoch of a type is at least, as the cluster counts. */
  readonly eraOf: (typeKey: string, epoch: number) => number;
  /** Whether kubescribe was told of a write while it held. */
  readonly wasRead: (write: TrueWrite) => boolean;
  /** The tree before the commit: blob ids by path. */
  readonly tree: ReadonlyMap<string, string>;
}

export function toldBy(commit: HistoryCommit, { truth, files, eraOf, wasRead, tree }: Telling): ToldChange {
  const first = (key: string): string => commit.trailers.get(`Kubescribe-${key}`)?.[0] ?? "";
  const object = objectOf(first("Resource"));
  const path = files.pathOf(object);
  const there = tree.get(path) ?? "";
  const file = commit.files.find((each) => each.path === path) ?? { status: "", path, before: there, after: there };
  const uid = first("Uid");
  const revision = Number(first("Resource-Version"));
  const epoch = Number(first("Epoch"));
  const era = eraOf(object.typeKey, epoch);
  const author = commit.trailers.get("Changed-By")?.[0] ?? "";
  const writes = truth.find(uid, revision);
  const operation = first("Operation");
  // A restore may give one version twice: what it undid is told no more, the file tells which of them it is, and the operation, else the
  // author, or what was ever read, or the epoch, which is the least that it may be.
  const [write] = narrowed(
    writes,
    (each) => truth.holds(each, era),
    (each) => files.after(each) === file.after,
    (each) => each.operation === operation,
    (each) => files.before(each) === file.before,
    (each) => each.era >= era,
    (each) => each.user === author,
    wasRead,
    (each) => each.era === era,
  );
  return {
    commit,
    object,
    uid,
    revision,
    epoch,
    era,
    operation,
    tier: first("Attribution"),
    author,
    candidates: commit.trailers.get("Kubescribe-Candidate") ?? [],
    file,
    write: write ?? null,
  };
}

/** By one rule after the other, as far as any is left. */
function narrowed(
  writes: readonly TrueWrite[],
  ...rules: readonly ((write: TrueWrite) => boolean)[]
): readonly TrueWrite[] {
  return rules.reduce((left, rule) => {
    const kept = left.filter(rule);
    return kept.length > 0 ? kept : left;
  }, writes);
}

export function titleOfTold({ commit, revision, tier }: ToldChange): string {
  return `${commit.subject} @${revision} ${tier}`;
}

/** `GROUP/VERSION/RESOURCE NAMESPACE/NAME`; a cluster-scoped name stands alone. */
function objectOf(resource: string): ObjectName {
  const [type = "", full = ""] = resource.split(" ");
  const [group = "", , plural = ""] = type.split("/");
  const slash = full.indexOf("/");
  const namespace = slash < 0 ? "" : full.slice(0, slash);
  return { typeKey: `${group}/${plural}`, namespace, name: full.slice(slash + 1) };
}
