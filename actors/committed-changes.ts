/** What is told of a flush to those who follow changes one by one. Where nobody does, none of this is made. */

import type { BranchEntry } from "../machines/branch-queue.ts";
import type { Change } from "../machines/messages.ts";
import type { Clock, FlushResult } from "./ports.ts";

export interface CommittedChange {
  readonly change: Change;
  /** Hex; empty where an attempt before made it, whose answer was lost. */
  readonly commit: string;
  /** Wall clock, ms since 1970: when it left its resource's actor. */
  readonly queuedAtMs: number;
}

/** A durable flush, with those of its changes that are a commit now. Times are wall clock, ms since 1970. */
export interface CommittedFlush {
  readonly targetId: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly changes: readonly CommittedChange[];
}

/** A push that has arrived. Times as above. */
export interface ArrivedPush {
  /** Flushes that ended before are in it: what there is to push is asked for between two flushes. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** False: there was more than one push may hold. */
  readonly whole: boolean;
}

export interface SettledFlush {
  readonly targetId: string;
  readonly entries: readonly BranchEntry[];
  readonly result: FlushResult;
  /** Monotonic clock. */
  readonly startedMs: number;
}

export function committedFlush(flush: SettledFlush, clock: Pick<Clock, "nowMs" | "monotonicMs">): CommittedFlush {
  const { targetId, entries, result, startedMs } = flush;
  const endedAtMs = clock.nowMs();
  const nowMs = clock.monotonicMs();
  const changes = entries.flatMap(({ item, queuedAtMs }, at): readonly CommittedChange[] => {
    if (item.kind !== "change" || (result.commits[at] ?? 0) === 0) return [];
    const commit = result.ids?.[at] ?? "";
    return [{ change: item.change, commit, queuedAtMs: endedAtMs - (nowMs - queuedAtMs) }];
  });
  return { targetId, startedAtMs: endedAtMs - (nowMs - startedMs), endedAtMs, changes };
}
