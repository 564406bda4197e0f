/**
 * A clock that stands still until somebody moves it, and the scheduler of everything that hangs on it.
 *
 * 1. What is due runs in order of time. What is due at the same time runs in the order of arming, or in one that is drawn.
 * 2. Whatever promises a task settled has settled before the next one runs.
 */

import { setImmediate } from "node:timers";
import { setImmediate as turn } from "node:timers/promises";
import type { Clock, Random, Timer } from "../../actors/ports.ts";

export interface SimulatedClock extends Clock {
  /** Moves on and runs what falls due. Promises settle only once the caller awaits. */
  advance(ms: number): void;
  /** As `advance`, but lets promises settle before, between and after the tasks. */
  run(ms: number): Promise<void>;
  /** Runs what falls due, however late, until `promise` is settled; its value. */
  until<Value>(promise: Promise<Value>): Promise<Value>;
  /** Moves the wall clock alone, as an operator does. */
  jump(ms: number): void;
  /** How far it was moved so, there and back. */
  readonly jumpedMs: number;
  /** Timers that are armed. */
  readonly armed: number;
  /** Two runs that did the same things in the same order have the same one. */
  readonly fingerprint: number;
}

export interface SimulatedClockOptions {
  /** Draws the order of what is due at the same time. Absent: the order of arming. */
  readonly draw?: Random;
}

/** Tasks between two looks at the machine's own event loop: few at first, since most waits are short. */
const tasksPerTurn = { first: 4, most: 32 } as const;

export function createSimulatedClock(
  startMs = 1_700_000_000_000,
  { draw }: SimulatedClockOptions = {},
): SimulatedClock {
  const agenda = new Agenda();
  let armings = 0;
  let elapsedMs = 0;
  let offsetMs = startMs;
  let jumpedMs = 0;
  let fingerprint = 0;
  /** Runs the next task that is due by `endMs`; false when there is none. */
  const step = (endMs: number): boolean => {
    const next = agenda.takeDue(endMs);
    if (next === null) return false;
    elapsedMs = Math.max(elapsedMs, next.dueMs);
    fingerprint = (Math.imul(fingerprint ^ next.arming, 0x01000193) + elapsedMs) >>> 0;
    next.task();
    return true;
  };
  return {
    nowMs: () => offsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after(delayMs, task): Timer {
      const arming = (armings += 1);
      const entry = { dueMs: elapsedMs + Math.max(0, delayMs), order: draw?.() ?? arming, arming, task, live: true };
      agenda.add(entry);
      return { [Symbol.dispose]: () => agenda.drop(entry) };
    },
    advance(ms) {
      const endMs = elapsedMs + ms;
      while (step(endMs));
      elapsedMs = endMs;
    },
    async run(ms) {
      const endMs = elapsedMs + ms;
      await stepping(() => step(endMs));
      elapsedMs = endMs;
    },
    async until(promise) {
      let open = true;
      const close = (): void => void (open = false);
      promise.then(close, close);
      await stepping(() => {
        if (open && !step(Number.POSITIVE_INFINITY)) throw new Error("nothing is left that could happen");
        return open;
      });
      return await promise;
    },
    jump(ms) {
      offsetMs += ms;
      jumpedMs += Math.abs(ms);
    },
    get jumpedMs() {
      return jumpedMs;
    },
    get armed() {
      return agenda.size;
    },
    get fingerprint() {
      return fingerprint;
    },
  };
}

/** Resolves when promises that wait for nothing but each other have settled. */
export async function settled(): Promise<void> {
  await turn();
}

/** Calls `step` until it says false; promises settle before the first call and after each. */
function stepping(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false;
    const once = (): void => {
      if (over) return;
      try {
        over = !step();
      } catch (error) {
        over = true;
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (over) resolve();
    };
    // Node lets promises settle between two immediates; a turn of its whole loop for each would take most of the time.
    const some = (tasks: number): void => {
      if (over) return;
      for (let count = 0; count < tasks; count += 1) setImmediate(once);
      setImmediate(some, Math.min(2 * tasks, tasksPerTurn.most));
    };
    some(tasksPerTurn.first);
  });
}

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly arming: number;
  readonly task: () => void;
  live: boolean;
}

/** A binary heap. What was dropped stays in it until it is due, or until half of it is such. */
class Agenda {
  #heap: Entry[] = [];
  #dropped = 0;

  get size(): number {
    return this.#heap.length - this.#dropped;
  }

  add(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  drop(entry: Entry): void {
    if (!entry.live) return;
    entry.live = false;
    this.#dropped += 1;
    if (this.#dropped < 64 || this.#dropped * 2 < this.#heap.length) return;
    const live = this.#heap.filter((kept) => kept.live);
    this.#heap = [];
    this.#dropped = 0;
    for (const kept of live) this.add(kept);
  }

  takeDue(endMs: number): Entry | null {
    for (;;) {
      const [first] = this.#heap;
      if (first === undefined || first.dueMs > endMs) return null;
      this.#removeFirst();
      if (first.live) {
        first.live = false;
        return first;
      }
      this.#dropped -= 1;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let child = heap[below];
      if (child === undefined) break;
      const other = heap[below + 1];
      if (other !== undefined && isBefore(other, child)) {
        below += 1;
        child = other;
      }
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs;
  if (a.order !== b.order) return a.order < b.order;
  return a.arming < b.arming;
}
