/** What a branch actor is made of: its ports and its bounds. */

import type { CatchUpStart } from "../machines/branch-detachments.ts";
import type { TypeKey, WatchMessage } from "../machines/messages.ts";
import type { CommittedFlush } from "./committed-changes.ts";
import type { Clock, CommitPool, FileSystem, Log, Meter, Random } from "./ports.ts";

/**
 * A watch of one type for one target alone: from `from` (null: from a list), in watch order, in the shared watch's epochs
 * (`epoch` is the current one). Calls `sink` synchronously for each message until `signal` is aborted; settles only after that, or
 * with an error when it can go no further. It goes through no resource actor: the branch has the verdicts.
 */
export type CatchUp = (
  start: CatchUpStart,
  sink: (message: WatchMessage) => void,
  signal: AbortSignal,
) => Promise<void>;

export interface BranchOptions {
  readonly targetId: string;
  /** uid of kube-system. */
  readonly cluster: string;
  /** Types that the target's rules name: their first lists share the first commit. */
  readonly types: readonly TypeKey[];
  readonly pool: CommitPool;
  /** Told of each flush that is durable, and how many commits it made. */
  readonly flushed?: (commits: number) => void;
  /** Told of each change that is a commit now, and of which; must not throw. The pool is asked for ids only where somebody listens. */
  readonly committed?: (flush: CommittedFlush) => void;
  readonly catchUp: CatchUp;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: FileSystem;
  /** Absolute. The copy of the cursors lies below it. */
  readonly dataDir: string;
  readonly meter: Meter;
  readonly log: Log;
  readonly limits?: Partial<BranchLimits>;
}

export interface BranchLimits {
  /** How long a change may wait for others before its flush; 1000 for durability `second`. */
  readonly batchWindowMs: number;
  readonly flushChanges: number;
  readonly flushBytes: number;
  /** How long the first snapshot waits for the first lists of all types. */
  readonly snapshotWaitMs: number;
  /** Raw bytes of accepted changes that are not durable; one list may exceed it. */
  readonly backlogBytes: number;
  /** Verdicts of detached types, about 500 bytes each. */
  readonly verdictLogEntries: number;
  readonly cursorCopyMs: number;
}

const mebibyte = 1024 * 1024;

export const defaultBranchLimits: BranchLimits = {
  batchWindowMs: 10,
  flushChanges: 1000,
  flushBytes: 32 * mebibyte,
  snapshotWaitMs: 10_000,
  backlogBytes: 256 * mebibyte,
  verdictLogEntries: 200_000,
  cursorCopyMs: 60_000,
};
