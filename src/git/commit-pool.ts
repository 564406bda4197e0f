/** The CommitPool port over the two stages: cuts a flush into chunks, prepares them side by side, and has them assembled. */

import type { CommitPool, FlushRequest, FlushResult, TargetState } from "../../actors/ports.ts";
import { batchOf, type Chunk } from "./batch.ts";
import type { PreparedChunk } from "./prepare.ts";
import { SelectionIndex } from "./selection.ts";
import { Stages, type StagesOptions, targetOf } from "./stages.ts";
import type { TargetOptions } from "./target.ts";

/** Where the stages run. `prepare` and `flush` may take the buffers away. */
export interface StageRunner extends AsyncDisposable {
  /** Chunks that are worth preparing at once. */
  readonly parallelChunks: number;
  open(targetId: string): Promise<TargetState>;
  prepare(chunk: Chunk): Promise<PreparedChunk>;
  flush(targetId: string, header: string, prepared: readonly PreparedChunk[]): Promise<FlushResult>;
}

/** Everything in the calling thread, through the ports only: for simulations and tests. */
export function createInlineCommitPool(options: StagesOptions): CommitPool {
  const stages = new Stages(options);
  return createCommitPool(options.targets, {
    parallelChunks: 1,
    open: (targetId) => stages.open(targetId),
    prepare: async (chunk) => stages.prepare(chunk),
    flush: (_targetId, header, prepared) => stages.flush(header, prepared),
    [Symbol.asyncDispose]: async () => {},
  });
}

export function createCommitPool(targets: readonly TargetOptions[], runner: StageRunner): CommitPool {
  const selections = new Map(targets.map((target) => [target.id, new SelectionIndex(target.selections)]));
  return {
    open: async (targetId) => runner.open(targetOf(targets, targetId).id),
    async flush(targetId, request) {
      const index = selections.get(targetOf(targets, targetId).id) ?? new SelectionIndex([]);
      return flushBatch(runner, request, { targetId, selections: index });
    },
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  };
}

async function flushBatch(
  runner: StageRunner,
  request: FlushRequest,
  target: { readonly targetId: string; readonly selections: SelectionIndex },
): Promise<FlushResult> {
  const batch = batchOf(request, target);
  const chunks = batch.chunks[Symbol.iterator]();
  const prepared: PreparedChunk[] = [];
  let next = 0;
  const prepareSome = async (): Promise<void> => {
    for (let step = chunks.next(); step.done !== true; step = chunks.next()) {
      const at = next++;
      prepared[at] = await runner.prepare(step.value);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: runner.parallelChunks }, prepareSome));
  for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
  return runner.flush(target.targetId, batch.header, prepared);
}
