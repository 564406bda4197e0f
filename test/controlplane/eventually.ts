import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again and again until `look` neither throws nor answers undefined, and gives its answer. For what a real API server
 * does in its own time; throws the last failure after `timeoutMs`.
 */
export async function eventually<T>(
  look: () => T | undefined | Promise<T | undefined>,
  { timeoutMs = 60_000, everyMs = 50, what = "what was waited for" } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline)
      throw new Error(`${what} did not come within ${timeoutMs} ms`, { cause: failure });
    await delay(everyMs);
  }
}
