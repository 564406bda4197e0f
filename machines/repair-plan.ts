/**
 * How often something that somebody else changes back is put right. Pure. Times are monotonic, in ms.
 *
 * A mistake is repaired at once, and so is the next. Who changes it back each time means it, or is a machine that does: against that
 * nobody wins, and both write without end. So repairs become rare, until one has lasted.
 */

export interface RepairPlan {
  /** When the latest repairs were made, oldest first; no more than count. */
  readonly madeMs: readonly number[];
  /** How often in a row it had to be waited; 0: not at odds with anybody. */
  readonly rests: number;
}

export const noRepairs: RepairPlan = { madeMs: [], rests: 0 };

/** So many within the window are no accident. */
const repairsAtOnce = 3;
const windowMs = 600_000;
const firstRestMs = 60_000;
const longestRestMs = 1_800_000;

/** From when on a repair may be made; a time that is past means now. */
export function repairableAtMs({ madeMs, rests }: RepairPlan): number {
  const lastMs = madeMs.at(-1);
  if (lastMs === undefined || rests === 0) return 0;
  return lastMs + restMsOf(rests);
}

/** Somebody changes it back each time. */
export function isFought({ rests }: RepairPlan): boolean {
  return rests > 0;
}

export function repairMade({ madeMs, rests }: RepairPlan, nowMs: number): RepairPlan {
  const recent = [...madeMs, nowMs].filter((atMs) => nowMs - atMs < windowMs).slice(-repairsAtOnce);
  return { madeMs: recent, rests: rests > 0 ? rests + 1 : recent.length >= repairsAtOnce ? 1 : 0 };
}

/** It was found as it should be: the last repair has held for the window and for the rest that would have been, or it has not yet. */
export function repairHeld(plan: RepairPlan, nowMs: number): RepairPlan {
  const lastMs = plan.madeMs.at(-1);
  if (lastMs === undefined || nowMs - lastMs < Math.max(windowMs, restMsOf(plan.rests))) return plan;
  return noRepairs;
}

function restMsOf(rests: number): number {
  return Math.min(firstRestMs * 2 ** Math.max(0, Math.min(rests, 16) - 1), longestRestMs);
}
