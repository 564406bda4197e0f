/** A clock that stands still until a test moves it. */

import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../actors/ports.ts";

export interface SimulatedClock extends Clock {
  /** Moves on and runs what falls due, in order of time, then of arming. Promises settle only once the caller awaits. */
  advance(ms: number): void;
  /** As `advance`, but lets promises settle before, between and after the timers. */
  run(ms: number): Promise<void>;
  /** Moves the wall clock alone, as an operator does. */
  jump(ms: number): void;
  /** Timers that are armed. */
  readonly armed: number;
}

export function createSimulatedClock(startMs = 1_700_000_000_000): SimulatedClock {
  const timers = new Set<{ readonly dueMs: number; readonly task: () => void }>();
  let elapsedMs = 0;
  let offsetMs = startMs;
  /** Runs the next timer that is due by `endMs`; false when there is none. */
  const step = (endMs: number): boolean => {
    const next = [...timers].filter(({ dueMs }) => dueMs <= endMs).toSorted((a, b) => a.dueMs - b.dueMs)[0];
    if (next === undefined) return false;
    timers.delete(next);
    elapsedMs = Math.max(elapsedMs, next.dueMs);
    next.task();
    return true;
  };
  return {
    nowMs: () => offsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after(delayMs, task) {
      const timer = { dueMs: elapsedMs + Math.max(0, delayMs), task };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    advance(ms) {
      const endMs = elapsedMs + ms;
      while (step(endMs));
      elapsedMs = endMs;
    },
    async run(ms) {
      const endMs = elapsedMs + ms;
      await settled();
      while (step(endMs)) await settled();
      elapsedMs = endMs;
      await settled();
    },
    jump(ms) {
      offsetMs += ms;
    },
    get armed() {
      return timers.size;
    },
  };
}

/** Resolves when promises that wait for nothing but each other have settled. */
export async function settled(): Promise<void> {
  await setImmediate();
}
