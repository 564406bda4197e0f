/**
 * The commit pool on worker threads: one pool prepares chunks for every target; each target has a thread of its own that holds
 * its tree. The main thread only hands buffers from one to the other. Repositories must be there before they are opened.
 */

import { Piscina } from "piscina";
import type { FlushResult } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Retry } from "../../machines/error.ts";
import type { Chunk } from "./batch.ts";
import { type BranchPool, createCommitPool, type SelectionsOf } from "./commit-pool.ts";
import type { PreparedChunk } from "./prepare.ts";
import type { MirrorReply } from "./stages.ts";
import type { TargetOptions } from "./target.ts";
import type { WrittenTarget } from "./target-writer.ts";

export interface PiscinaCommitPoolOptions {
  readonly targets: readonly TargetOptions[];
  readonly selectionsOf: SelectionsOf;
  /** src/composition/commit-worker.ts, as a file URL. */
  readonly workerUrl: string;
  readonly prepareThreads: number;
}

/** What comes back from a worker: a class of ours would not survive the way. */
export type Reply<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly retry: Retry };

export interface FlushTask {
  readonly header: string;
  readonly prepared: readonly PreparedChunk[];
}

export async function replyOf<Value>(work: () => Promise<Value>): Promise<Reply<Value>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (error instanceof KubescribeError) {
      return { ok: false, code: error.code, message: error.message, retry: error.retry };
    }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ok: false, code: "git-fault", message, retry: "backoff" };
  }
}

export function createPiscinaCommitPool(options: PiscinaCommitPoolOptions): BranchPool {
  const { targets, workerUrl, prepareThreads } = options;
  const threads = (count: number): Piscina => {
    const pool = new Piscina({
      filename: workerUrl,
      minThreads: count,
      maxThreads: count,
      idleTimeout: Number.POSITIVE_INFINITY,
      workerData: JSON.stringify(targets),
    });
    // A worker that dies with nothing to do: without a listener the process would go with it. Piscina starts another one.
    pool.on("error", () => undefined);
    return pool;
  };
  const preparing = threads(prepareThreads);
  const assembling = new Map<string, Piscina>();
  const assemblerOf = (targetId: string): Piscina => {
    const assembler = assembling.get(targetId) ?? threads(1);
    assembling.set(targetId, assembler);
    return assembler;
  };
  return createCommitPool(options, {
    parallelChunks: prepareThreads * 2,
    async open(targetId) {
      return valueOf(await replied<WrittenTarget>(assemblerOf(targetId).run(targetId, { name: "open" })));
    },
    async prepare(chunk: Chunk) {
      const work = preparing.run(chunk, { name: "prepare", ...transferring([chunk.bytes]) });
      return valueOf(await replied<PreparedChunk>(work));
    },
    async flush(targetId, header, prepared) {
      const task: FlushTask = { header, prepared };
      const buffers = prepared.flatMap((chunk) => [chunk.entries, chunk.table]);
      const work = assemblerOf(targetId).run(task, { name: "flush", ...transferring(buffers) });
      return valueOf(await replied<FlushResult>(work));
    },
    async mirror(task) {
      return valueOf(await replied<MirrorReply>(assemblerOf(task.targetId).run(task, { name: "mirror" })));
    },
    async tidy(targetId) {
      valueOf(await replied<null>(preparing.run(targetId, { name: "tidy" })));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([preparing.close(), ...[...assembling.values()].map((assembler) => assembler.close())]);
    },
  });
}

/** A worker answers even when it fails; so what rejects is the thread itself. Its successor reads the repository anew. */
async function replied<Value>(work: Promise<unknown>): Promise<Reply<Value>> {
  try {
    return (await work) as Reply<Value>;
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    const message =
      `a worker thread ended in the middle of its work (${found}); nothing is lost, and another one tries again. ` +
      "If it comes back, give the process more memory, or lower --flush-bytes";
    throw new KubescribeError("git-worker-ended", message, { retry: "backoff", cause: error });
  }
}

type RunOptions = NonNullable<Parameters<Piscina["run"]>[1]>;

/** Piscina derives this type from an overload that newer types of Node no longer put last. */
function transferring(buffers: readonly ArrayBuffer[]): Pick<RunOptions, "transferList"> {
  return { transferList: buffers } as unknown as Pick<RunOptions, "transferList">;
}

function valueOf<Value>(reply: Reply<Value>): Value {
  if (reply.ok) return reply.value;
  throw new KubescribeError(reply.code, reply.message, { retry: reply.retry });
}
