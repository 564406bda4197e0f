/** The CommitPool port over the two stages: cuts a flush into chunks, prepares them side by side, and has them assembled. */

import type { CommitPool, FlushRequest, FlushResult, Mirrors, Outgoing } from "../../actors/ports.ts";
import type { Selection } from "../../machines/selection.ts";
import { batchOf, type BatchTarget, type Chunk } from "./batch.ts";
import { BranchTurns } from "./branch-turns.ts";
import { pathPrefixOf } from "./layout.ts";
import type { PreparedChunk } from "./prepare.ts";
import { SelectionIndex } from "./selection.ts";
import { reselectedIn, selectionMarks } from "./selection-mark.ts";
import { type MirrorReply, type MirrorTask, Stages, type StagesOptions, targetOf } from "./stages.ts";
import type { TargetOptions } from "./target.ts";
import type { WrittenTarget } from "./target-writer.ts";
import { Tidier } from "./tidier.ts";

/** What a target wants now; the very same list while nothing changes. */
export type SelectionsOf = (targetId: string) => readonly Selection[];

/** Where the stages run. `prepare` and `flush` may take the buffers away. */
export interface StageRunner extends AsyncDisposable {
  /** Chunks that are worth preparing at once. */
  readonly parallelChunks: number;
  open(targetId: string): Promise<WrittenTarget>;
  prepare(chunk: Chunk): Promise<PreparedChunk>;
  flush(targetId: string, header: string, prepared: readonly PreparedChunk[]): Promise<FlushResult>;
  mirror(task: MirrorTask): Promise<MirrorReply>;
  /** Beside the flushes of the target. */
  tidy(targetId: string): Promise<void>;
}

/** Both ports on the same branches: what one of them does to a branch, the other waits for. */
export interface BranchPool extends CommitPool {
  readonly mirrors: Mirrors;
}

/** Everything in the calling thread, through the ports only: for simulations and tests. */
export function createInlineCommitPool(options: StagesOptions & { readonly selectionsOf: SelectionsOf }): BranchPool {
  const stages = new Stages(options);
  return createCommitPool(options, {
    parallelChunks: 1,
    open: (targetId) => stages.open(targetId),
    prepare: async (chunk) => stages.prepare(chunk),
    flush: (_targetId, header, prepared) => stages.flush(header, prepared),
    mirror: (task) => stages.mirror(task),
    tidy: (targetId) => stages.tidy(targetId),
    [Symbol.asyncDispose]: async () => {},
  });
}

export interface CommitPoolOptions {
  readonly targets: readonly TargetOptions[];
  readonly selectionsOf: SelectionsOf;
}

/** A flush is prepared and assembled with the same selections; they are sent to the target's worker when they have changed. */
export function createCommitPool({ targets, selectionsOf }: CommitPoolOptions, runner: StageRunner): BranchPool {
  const indexes = new Map<string, { readonly selections: readonly Selection[]; readonly index: SelectionIndex }>();
  /** What each target's worker has; nothing after a failure: it may be another worker now. */
  const sent = new Map<string, readonly Selection[]>();
  const turns = new BranchTurns();
  const tidier = new Tidier((targetId) => runner.tidy(targetId));
  const indexOf = (targetId: string, selections: readonly Selection[]): SelectionIndex => {
    const known = indexes.get(targetId);
    if (known?.selections === selections) return known.index;
    const index = new SelectionIndex(selections);
    indexes.set(targetId, { selections, index });
    return index;
  };
  const mirror = <Answer extends MirrorReply>(task: MirrorTask): Promise<Answer> =>
    turns.take(targetOf(targets, task.targetId), () => runner.mirror(task) as Promise<Answer>);
  return {
    mirrors: {
      exists: (targetId) => mirror<boolean>({ kind: "exists", targetId }),
      adopt: (targetId, remote) => mirror<boolean>({ kind: "adopt", targetId, remote }),
      async outgoing(targetId, whole) {
        for (;;) {
          const found = await mirror<Outgoing | "more" | null>({ kind: "outgoing", targetId, whole });
          if (found !== "more") return found;
        }
      },
      arrived: async (targetId, remote) => void (await mirror<null>({ kind: "arrived", targetId, remote })),
      rebuild: (targetId, remote) => mirror<number>({ kind: "rebuild", targetId, remote }),
    },
    async open(id) {
      const { id: targetId, path } = targetOf(targets, id);
      const { selections: then, outOfFormat, ...state } = await runner.open(targetId);
      const now = selectionMarks(selectionsOf(targetId), pathPrefixOf(path));
      const toCompare = [...(outOfFormat ?? []), ...reselectedIn(then, now)];
      // Of a type that no rule names any more the files stay as they are.
      return { ...state, outOfFormat: new Set(toCompare.filter((key) => now.has(key))) };
    },
    async flush(id, request) {
      const target = targetOf(targets, id);
      const targetId = target.id;
      const selections = selectionsOf(targetId);
      const news = sent.get(targetId) === selections ? null : selections;
      sent.delete(targetId);
      const index = indexOf(targetId, selections);
      const { header, prepared } = await prepareBatch(runner, request, { targetId, index, selections: news });
      const result = await turns.take(target, () => runner.flush(targetId, header, prepared));
      sent.set(targetId, selections);
      tidier.flushed(targetId);
      return result;
    },
    async [Symbol.asyncDispose]() {
      await tidier.idle();
      await runner[Symbol.asyncDispose]();
    },
  };
}

async function prepareBatch(
  runner: StageRunner,
  request: FlushRequest,
  target: BatchTarget,
): Promise<{ readonly header: string; readonly prepared: readonly PreparedChunk[] }> {
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
  return { header: batch.header, prepared };
}
