/** The Clock and Random ports on what the process has. */
import type { Clock, Random } from "../../actors/ports.ts";

/** The longest delay that setTimeout takes: beyond it, it fires at once. */
const longestDelayMs = 2 ** 31 - 1;

export const nodeClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    if (delayMs <= 0) {
      // A timer of 0 is one of 1 ms.
      const turn = setImmediate(task);
      return { [Symbol.dispose]: () => clearImmediate(turn) };
    }
    const timer = setTimeout(task, Math.min(delayMs, longestDelayMs));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

export const nodeRandom: Random = () => Math.random();
