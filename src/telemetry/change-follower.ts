/** Follows changes on their way, one by one: the log at debug level, and traces. No method may throw, or wait for anything. */

import type { ArrivedPush, CommittedFlush } from "../../actors/committed-changes.ts";
import type { Correlation } from "../../machines/messages.ts";

export interface ChangeFollower {
  /** A review is about to be answered, `tookMs` after it was read. */
  answered(correlation: Correlation, tookMs: number): void;
  committed(flush: CommittedFlush): void;
  /** Of a branch, for each target that writes to it. */
  pushed(targetId: string, push: ArrivedPush): void;
}

/** Null: nobody follows, and nothing is made for it. */
export function followerOf(followers: readonly ChangeFollower[]): ChangeFollower | null {
  const [first, ...others] = followers;
  if (first === undefined || others.length === 0) return first ?? null;
  return {
    answered: (correlation, tookMs) => {
      for (const each of followers) each.answered(correlation, tookMs);
    },
    committed: (flush) => {
      for (const each of followers) each.committed(flush);
    },
    pushed: (targetId, push) => {
      for (const each of followers) each.pushed(targetId, push);
    },
  };
}
