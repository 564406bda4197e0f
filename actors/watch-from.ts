/** One type's watch for as long as somebody needs it: how a detached target catches up (DESIGN section 6). */

import { WatchActor } from "./watch-actor.ts";
import type { WatchActorOptions } from "./watch-actor.ts";

/** Passes messages on from the cursor, until `until` says so of one, or `signal` is aborted. Never rejects. */
export async function watchFrom(options: WatchActorOptions, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await using watch = new WatchActor(options);
  const aborted = Promise.withResolvers<void>();
  const abort = (): void => aborted.resolve();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([watch.done, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
