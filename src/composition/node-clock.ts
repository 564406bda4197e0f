/** The Clock and Random ports on what the process has. */
import type { Clock, Random } from "../../actors/ports.ts";

export const nodeClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, Math.max(0, delayMs));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

export const nodeRandom: Random = () => Math.random();
