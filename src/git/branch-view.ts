/** One reading of a target's branch: where it stands, how far it has come, and its tree. Never mended, only read again. */

import type { Clock, FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Cursor, TypeKey } from "../../machines/messages.ts";
import { type CommitWalk, raise, readCommit, walkCommits } from "./history.ts";
import { readTextIfAny } from "./files.ts";
import { ObjectReader } from "./object-reader.ts";
import { RefStore } from "./refs.ts";
import { decodeState, stateRefOf } from "./state.ts";
import type { TargetOptions } from "./target.ts";
import { TreeCache } from "./tree-cache.ts";

export interface BranchViewOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly gitDirectory: string;
  readonly target: TargetOptions;
  readonly prefix: readonly string[];
}

export interface BranchView {
  readonly refs: RefStore;
  readonly reader: ObjectReader;
  readonly head: string;
  /** The newest commit of ours; differs from the head where somebody else has committed since. Empty: there is none. */
  readonly ownTip: string;
  readonly tree: TreeCache;
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  readonly durableCursors: ReadonlyMap<TypeKey, Cursor>;
  /** As the state ref has them. */
  readonly formats: ReadonlyMap<TypeKey, string>;
  /** Id of the state ref's blob; empty where there is none. */
  readonly stateBlob: string;
  /** Changes that were committed after the state ref moved last: `epoch/uid/resourceVersion`. */
  readonly unrecorded: ReadonlySet<string>;
}

/** Where no state ref says where to stop, trailers are looked for in so many commits. */
const searchCommits = 10_000;
/** Between the state ref and the head: a flush or two of ours, and what others pushed. */
const completeCommits = 200_000;

export function branchRefOf(target: TargetOptions): string {
  return `refs/heads/${target.branch}`;
}

/** Commits whose parents were not fetched. */
export async function readShallow(fs: FileSystem, gitDirectory: string): Promise<ReadonlySet<string>> {
  const text = (await readTextIfAny(fs, `${gitDirectory}/shallow`)) ?? "";
  return new Set(text.split("\n").filter((line) => line !== ""));
}

export async function readBranch(options: BranchViewOptions): Promise<BranchView> {
  const { fs, gitDirectory, target, prefix } = options;
  const exclusive = target.isMirror === true;
  const refs = new RefStore({ ...options, sync: target.durability === "flush", exclusive });
  const reader = await ObjectReader.open(fs, gitDirectory);
  const stateRef = stateRefOf(target);
  await refs.settle(stateRef);
  await refs.settle(branchRefOf(target));
  const stateBlob = await refs.read(stateRef);
  const state = stateBlob === "" ? null : decodeState((await reader.read(stateBlob, "blob")).body, stateRef);
  const head = await refs.read(branchRefOf(target));
  if (head === "") {
    if (state !== null && state.tip !== "") throw rewritten(target, state.tip, "is gone");
    const cursors = state?.cursors ?? new Map<TypeKey, Cursor>();
    const tree = await TreeCache.read(reader, "");
    const known = {
      cursors,
      durableCursors: cursors,
      formats: state?.formats ?? new Map<TypeKey, string>(),
      stateBlob,
    };
    return { refs, reader, head, ownTip: "", tree, ...known, unrecorded: new Set() };
  }
  const until = state?.tip ?? "";
  const limitCommits = state === null ? searchCommits : completeCommits;
  const shallow = await readShallow(fs, gitDirectory);
  const walk = await walkCommits({ reader, target, prefix, head, until, limitCommits, shallow });
  if (!walk.reached) throw rewritten(target, until, `is at ${head}, which does not descend from it`);
  const durableCursors = state?.cursors ?? new Map<TypeKey, Cursor>();
  return {
    refs,
    reader,
    head,
    ownTip: walk.ownTip,
    tree: await TreeCache.read(reader, (await readCommit(reader, head)).tree),
    cursors: completed(durableCursors, walk),
    durableCursors,
    formats: state?.formats ?? new Map<TypeKey, string>(),
    stateBlob,
    unrecorded: walk.changes,
  };
}

function completed(durable: ReadonlyMap<TypeKey, Cursor>, walk: CommitWalk): ReadonlyMap<TypeKey, Cursor> {
  const cursors = new Map(walk.cursors);
  for (const [key, cursor] of durable) raise(cursors, key, cursor);
  return cursors;
}

function rewritten(target: TargetOptions, tip: string, found: string): KubescribeError {
  const branch = branchRefOf(target);
  return new KubescribeError(
    "git-history-rewritten",
    `${branch} of ${target.repository} should descend from ${tip}, the last commit of target ${target.id}, but ${found}: ` +
      `somebody rewrote the history. Nothing more is committed there. Put it back with "git update-ref ${branch} ${tip}", or ` +
      `accept the new history with "git update-ref -d ${stateRefOf(target)}"; then restart`,
    { retry: "never" },
  );
}
