/** One branch actor for each target, opened from its repository. */
import { watchFrom } from "../../actors/watch-from.ts";
import type { WatchPeers } from "../../actors/watch-peers.ts";
import type { WatchSource } from "../../actors/watch-source.ts";
import { BranchActor, openBranchActor } from "../../actors/branch-actor.ts";
import type { BranchOptions, CatchUp } from "../../actors/branch-options.ts";
import type { WatchStart } from "../../actors/watch-manager.ts";
import type { Clock, CommitPool, FileSystem, Log, Meter, Random } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Cursor, TypeKey } from "../../machines/messages.ts";
import type { TypeList } from "../../machines/branch-intake.ts";
import { covers } from "../../machines/cursor.ts";
import type { FaultKind } from "../../machines/watch-fault.ts";
import { delayOf, waitFor } from "../../machines/watch-plan.ts";
import type { RunOptions } from "../config/options.ts";
import type { ChangeFollower } from "../telemetry/change-follower.ts";
import { branchLimitsOf } from "./engine-bounds.ts";
import type { LateOpening } from "./late-openings.ts";
import { pause } from "./persistently.ts";
import type { RuleView } from "./rule-view.ts";

export interface BranchPorts {
  readonly options: RunOptions;
  readonly clusterUid: string;
  readonly rules: RuleView;
  readonly source: WatchSource;
  /** Joined by the watches of those who catch up. */
  readonly peers: WatchPeers;
  readonly pool: CommitPool;
  /** Told of a target's flushes. */
  readonly flushed: (targetId: string, commits: number) => void;
  /** For targets that cannot be opened yet: resolves when they can be, rejects where they never can. */
  readonly lateness: (targetId: string) => Promise<void> | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: FileSystem;
  readonly meter: Meter;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly follower?: Pick<ChangeFollower, "committed">;
}

export interface OpenedBranches {
  readonly branches: ReadonlyMap<string, BranchActor>;
  /** Of these, the ones that take messages and are not open yet. */
  readonly late: readonly LateOpening[];
}

export async function openBranches(targetIds: readonly string[], ports: BranchPorts): Promise<OpenedBranches> {
  const branches = new Map<string, BranchActor>();
  const late: LateOpening[] = [];
  for (const targetId of targetIds) {
    const options = branchOptionsOf(targetId, ports);
    const possible = ports.lateness(targetId);
    if (possible !== undefined) {
      const branch = new BranchActor(options, null);
      branches.set(targetId, branch);
      const compare = (typeKey: TypeKey, cursor: Cursor): Promise<TypeList | null> =>
        listAt({ targetId, typeKey, cursor }, ports);
      late.push({ branch, options, possible, compare });
      continue;
    }
    const branch = await openBranchActor(options);
    branches.set(targetId, branch);
    const { outOfFormat } = branch;
    if (outOfFormat.size === 0) continue;
    for (const typeKey of outOfFormat) {
      const cursor = branch.cursorOf(typeKey);
      const list = cursor === undefined ? null : await listAt({ targetId, typeKey, cursor }, ports);
      if (list !== null) branch.compare(list);
    }
    branch.stopHolding();
  }
  return { branches, late };
}

/**
 * Files that another version wrote, other keys or other rules, are held against the state that this very target has come to: the shared watch
 * begins where the lowest target is. Where there is no such list any more (null), what the watch begins with has to do.
 */
async function listAt(
  { targetId, typeKey, cursor }: { readonly targetId: string; readonly typeKey: TypeKey; readonly cursor: Cursor },
  ports: BranchPorts,
): Promise<TypeList | null> {
  const { rules, source, clock, random, signal, log } = ports;
  const type = rules.typeOf(typeKey);
  if (type === undefined) return null;
  const request = { match: "exact", version: cursor.resourceVersion, alive: () => undefined } as const;
  for (let attempt = 1; ; attempt += 1) {
    const listed = await source.list(type, request, signal);
    if (listed.kind === "listed") return { type, cursor, items: listed.items };
    const { fault } = listed;
    if (!passing.has(fault.kind) || attempt === comparisonAttempts || signal.aborted) {
      const error = fault.detail;
      log.warn("files of another format cannot be compared yet", { target: targetId, type: typeKey, error });
      return null;
    }
    await pause(delayOf(waitFor(fault, attempt), random()), clock, signal);
  }
}

/** What passes by itself is waited for, for some seconds: by a newer list it could not be told whose the differences are. */
const comparisonAttempts = 5;
const passing: ReadonlySet<FaultKind> = new Set(["ahead", "throttled", "unavailable", "refused", "broken", "silent"]);

/** Where the shared watch of a type has to begin: at the lowest cursor, knowing of the highest; null when no target has one. */
export function sharedStart(typeKey: TypeKey, branches: Iterable<Pick<BranchActor, "cursorOf">>): WatchStart | null {
  let start: WatchStart | null = null;
  for (const branch of branches) {
    const cursor = branch.cursorOf(typeKey);
    if (cursor === undefined) continue;
    const { cursor: lowest, seen }: WatchStart = start ?? { cursor, seen: cursor };
    start = { cursor: covers(cursor, lowest) ? lowest : cursor, seen: covers(cursor, seen) ? cursor : seen };
  }
  return start;
}

function branchOptionsOf(targetId: string, ports: BranchPorts): BranchOptions {
  const { options, clusterUid, rules, pool, flushed, clock, random, files, meter, log, follower } = ports;
  return {
    targetId,
    cluster: clusterUid,
    types: rules.selectionsOf(targetId).map(({ typeKey }) => typeKey),
    pool,
    flushed: (commits) => flushed(targetId, commits),
    ...(follower === undefined ? {} : { committed: follower.committed.bind(follower) }),
    catchUp: catchUpOf(ports),
    clock,
    random,
    files,
    dataDir: options.dataDir,
    meter,
    log,
    limits: branchLimitsOf(options.bounds),
  };
}

/** A watch of its own for a target that fell behind. */
export function catchUpOf(
  ports: Omit<
    BranchPorts,
    "options" | "clusterUid" | "pool" | "flushed" | "lateness" | "files" | "signal" | "follower"
  >,
): CatchUp {
  const { rules, source, peers, clock, random, meter, log } = ports;
  return async ({ typeKey, from, seen }, sink, signal) => {
    const type = rules.typeOf(typeKey);
    if (type === undefined)
      throw new KubescribeError("catch-up-unknown-type", `${typeKey} is no longer served`, { retry: "backoff" });
    await watchFrom({ type, cursor: from, seen, source, peers, clock, random, meter, log, sink }, signal);
  };
}
