/** The options' bounds in the units of those who keep them. */
import type { BranchLimits } from "../../actors/branch-options.ts";
import type { EngineBounds } from "../../actors/engine.ts";
import type { Bounds } from "../config/options.ts";

export function engineBoundsOf(bounds: Bounds): EngineBounds {
  return {
    pendingPerResource: bounds.pendingPerResource,
    pendingTotal: bounds.pendingTotal,
    pendingTtlMs: bounds.pendingTtlSeconds * 1000,
    contentBytes: bounds.pendingContentBytes,
    mailboxCapacity: bounds.mailboxCapacity,
    freshnessMs: bounds.freshnessSeconds * 1000,
  };
}

export function branchLimitsOf(bounds: Bounds): BranchLimits {
  return {
    batchWindowMs: bounds.batchWindowMs,
    flushChanges: bounds.flushChanges,
    flushBytes: bounds.flushBytes,
    snapshotWaitMs: bounds.snapshotWaitSeconds * 1000,
    backlogBytes: bounds.backlogBytes,
    verdictLogEntries: bounds.verdictLogEntries,
    cursorCopyMs: bounds.cursorCopySeconds * 1000,
  };
}
