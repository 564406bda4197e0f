/** Sends a request's body with the connection's own speed. */

import type { Writable } from "node:stream";
import type { RequestBody } from "./conversation.ts";
import type { Watchdog } from "./watchdog.ts";

/**
 * The next chunk is asked for once the last is on its way; an aborted `stop` ends it early, in silence. Throws what the body's
 * source throws, and a RangeError where that has not as many bytes as it said.
 */
export async function pump(
  body: RequestBody,
  into: Writable,
  { stop, watchdog }: { readonly stop: AbortSignal; readonly watchdog: Watchdog },
): Promise<void> {
  let wake: () => void = () => undefined;
  const wakeUp = (): void => {
    wake();
  };
  into.on("drain", wakeUp);
  stop.addEventListener("abort", wakeUp);
  let left = body.sizeBytes;
  for await (const chunk of body.chunks) {
    if (stop.aborted) return;
    left -= chunk.length;
    if (left < 0) break;
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    if (!into.write(chunk)) await promise;
    watchdog.touch();
  }
  if (left !== 0) throw new RangeError(`a pack should have as many bytes as was said, and has ${-left} more`);
  if (!stop.aborted) into.end();
}
