/** The work of both stages for all targets, in whatever thread it runs: what the inline pool and the worker threads share. */

import type { Clock, FileSystem, FlushResult, TargetState } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { BatchHeader, Chunk, ChunkHeader } from "./batch.ts";
import { type ManifestOf, prepareChunk, type PreparedChunk } from "./prepare.ts";
import { SelectionIndex } from "./selection.ts";
import type { TargetOptions } from "./target.ts";
import { TargetWriter } from "./target-writer.ts";

export interface StagesOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly manifestOf: ManifestOf;
  readonly targets: readonly TargetOptions[];
}

export class Stages {
  readonly #options: StagesOptions;
  readonly #writers = new Map<string, TargetWriter>();
  readonly #usesLabels = new Map<string, boolean>();

  constructor(options: StagesOptions) {
    this.#options = options;
    for (const target of options.targets) {
      this.#usesLabels.set(target.id, new SelectionIndex(target.selections).usesLabels);
    }
  }

  prepare(chunk: Chunk): PreparedChunk {
    const { targetId } = JSON.parse(chunk.header) as Pick<ChunkHeader, "targetId">;
    const target = targetOf(this.#options.targets, targetId);
    return prepareChunk(chunk, {
      manifestOf: this.#options.manifestOf,
      secrets: target.secrets,
      usesLabels: this.#usesLabels.get(targetId) ?? false,
    });
  }

  open(targetId: string): Promise<TargetState> {
    return this.#writerOf(targetId).open();
  }

  flush(header: string, prepared: readonly PreparedChunk[]): Promise<FlushResult> {
    const batch = JSON.parse(header) as BatchHeader;
    return this.#writerOf(batch.targetId).flush(batch, prepared);
  }

  #writerOf(targetId: string): TargetWriter {
    const { fs, clock } = this.#options;
    const known = this.#writers.get(targetId);
    if (known !== undefined) return known;
    const writer = new TargetWriter({ fs, clock, target: targetOf(this.#options.targets, targetId) });
    this.#writers.set(targetId, writer);
    return writer;
  }
}

export function targetOf(targets: readonly TargetOptions[], targetId: string): TargetOptions {
  const target = targets.find(({ id }) => id === targetId);
  if (target !== undefined) return target;
  throw new KubescribeError("git-target-unknown", `no target is called ${JSON.stringify(targetId)}`, {
    retry: "never",
  });
}
