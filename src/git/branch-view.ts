/** One reading of a target's branch: where it stands, how far it has come, and its tree. Never mended, only read again. */

import type { Clock, FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Cursor, TypeKey } from "../../machines/messages.ts";
import { type CommitWalk, raise, readCommit, walkCommits } from "./history.ts";
import { readTextIfAny } from "./files.ts";
import { ObjectReader } from "./object-reader.ts";
import { RefStore } from "./refs.ts";
import { type BranchState, decodeState, noState, stateRefOf } from "./state.ts";
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
  readonly selections: ReadonlyMap<TypeKey, string>;
  /** Marks of those that the branch tells of; by whichever target of this cluster. */
  readonly blindTimes: readonly string[];
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
  const { tip: until, cursors: durableCursors, formats, selections, blindTimes } = state ?? noState;
  const durable = { durableCursors, formats, selections, blindTimes, stateBlob };
  const head = await refs.read(branchRefOf(target));
  if (head === "") {
    if (until !== "") throw rewritten(target, until, "is gone");
    const tree = await TreeCache.read(reader, "");
    return { refs, reader, head, ownTip: "", tree, ...durable, cursors: durableCursors, unrecorded: new Set() };
  }
  const limitCommits = state === null ? searchCommits : completeCommits;
  const shallow = await readShallow(fs, gitDirectory);
  const walk = await walkCommits({ reader, target, prefix, head, until, limitCommits, shallow });
  if (!walk.reached) throw rewritten(target, until, `is at ${head}, which does not descend from it`);
  return {
    refs,
    reader,
    head,
    ownTip: walk.ownTip,
    tree: await TreeCache.read(reader, (await readCommit(reader, head)).tree),
    ...durable,
    cursors: completed(durableCursors, walk),
    blindTimes: [...blindTimes, ...walk.blindTimes],
    unrecorded: walk.changes,
  };
}

/** What the state ref would say of it now. */
export function stateOf({ head, cursors, formats, selections, blindTimes }: BranchView): BranchState {
  return { tip: head, cursors, formats, selections, blindTimes };
}

function completed(durable: ReadonlyMap<TypeKey, Cursor>, walk: CommitWalk): ReadonlyMap<TypeKey, Cursor> {
  const cursors = new Map(walk.cursors);
  for (const [key, cursor] of durable) raise(cursors, key, cursor);
  return cursors;
}

function rewritten(target: TargetOptions, tip: string, found: string): KubescribeError {
  const branch = branchRefOf(target);
  const stateRef = stateRefOf(target);
  // What is wrong in a copy is wrong in its remote, and is mended there.
  const advice =
    target.isMirror === true
      ? `Put it back with "git push --force REMOTE ${tip}:${branch}", or accept the new history with "git push REMOTE --delete ` +
        `'${stateRef}'", both from a clone; then move this copy away, if it is on a volume, and restart`
      : `Put it back with "git update-ref ${branch} ${tip}", or accept the new history with "git update-ref -d ${stateRef}"; then restart`;
  return new KubescribeError(
    "git-history-rewritten",
    `${branch} of ${target.repository} should descend from ${tip}, the last commit of target ${target.id}, but ${found}: ` +
      `somebody rewrote the history. Nothing more is committed there. ${advice}`,
    { retry: "never" },
  );
}
