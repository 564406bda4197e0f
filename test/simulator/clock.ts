import type { Clock } from "../../actors/ports.ts";

/** Real sockets need real time; timers beyond a second are of no use to a test. */
export const wallClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs < 1000 ? Math.min(delayMs, 20) : delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
