/** Entry of the commit pool's worker threads: fills the stages of src/git with Node's files and the sanitizer. */

import { move, transferableSymbol, valueSymbol, workerData } from "piscina";
import type { FlushResult } from "../../actors/ports.ts";
import type { Chunk } from "../git/batch.ts";
import { type FlushTask, type Reply, replyOf } from "../git/piscina-pool.ts";
import type { PreparedChunk } from "../git/prepare.ts";
import { type MirrorReply, type MirrorTask, Stages } from "../git/stages.ts";
import type { TargetOptions } from "../git/target.ts";
import type { WrittenTarget } from "../git/target-writer.ts";
import { manifestOf } from "../sanitize/manifest.ts";
import { createBlockingFiles } from "./node-blocking-files.ts";
import { nodeClock } from "./node-clock.ts";

const stages = new Stages({
  fs: createBlockingFiles(),
  clock: nodeClock,
  manifestOf,
  // The lock stands in it: it was made before this thread began.
  creates: false,
  targets: JSON.parse(String(workerData)) as readonly TargetOptions[],
});

export async function prepare(chunk: Chunk): Promise<unknown> {
  const reply = await replyOf(async () => stages.prepare(chunk));
  return reply.ok ? moved(reply) : reply;
}

export function open(targetId: string): Promise<Reply<WrittenTarget>> {
  return replyOf(() => stages.open(targetId));
}

export function flush(task: FlushTask): Promise<Reply<FlushResult>> {
  return replyOf(() => stages.flush(task.header, task.prepared));
}

export function mirror(task: MirrorTask): Promise<Reply<MirrorReply>> {
  return replyOf(() => stages.mirror(task));
}

export function tidy(targetId: string): Promise<Reply<null>> {
  return replyOf(async () => {
    await stages.tidy(targetId);
    return null;
  });
}

function moved(reply: { readonly ok: true; readonly value: PreparedChunk }): unknown {
  const { entries, table } = reply.value;
  return move({
    get [transferableSymbol](): ArrayBuffer[] {
      return [entries, table];
    },
    get [valueSymbol](): unknown {
      return reply;
    },
  } as unknown as ArrayBuffer);
}
