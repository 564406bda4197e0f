/**
 * Has a fetched pack indexed in a thread of its own, which ends with it: a branch of 200,000 files takes a quarter of a minute, in
 * which nobody here waits, and its memory goes with it.
 */

import { Worker } from "node:worker_threads";
import type { Reply } from "../git/piscina-pool.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { IndexPack } from "../remote/index-pack.ts";
import { remoteError } from "../remote/remote-error.ts";

/** Of a thread's heap; the pack itself stands beside it, and has a bound of its own. */
const heapLimitMib = 2048;

export const indexInThread: IndexPack = threadOf(heapLimitMib);

export function threadOf(heapMib: number): IndexPack {
  return async (request, signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Reply<Uint8Array>>();
    const thread = new Worker(new URL("node-index-worker.ts", import.meta.url), {
      workerData: request,
      resourceLimits: { maxOldGenerationSizeMb: heapMib },
    });
    const abort = (): void => reject(signal.reason as Error);
    thread.once("message", resolve).once("error", (error) => reject(endOf(error, heapMib)));
    signal.addEventListener("abort", abort, { once: true });
    try {
      const reply = await promise;
      if (reply.ok) return reply.value;
      throw new KubescribeError(reply.code, reply.message, { retry: reply.retry });
    } finally {
      signal.removeEventListener("abort", abort);
      await thread.terminate();
    }
  };
}

/** What a thread dies of without an answer. */
function endOf(error: unknown, heapMib: number): unknown {
  if (!(error instanceof Error && "code" in error) || error.code !== "ERR_WORKER_OUT_OF_MEMORY") return error;
  const message =
    `what was fetched takes more than ${heapMib} MiB of memory to index: the newest commit of the branch should have fewer than ` +
    "half a million files; name another branch or repository";
  return remoteError("quota", message, error);
}
