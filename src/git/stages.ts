/** The work of both stages for all targets, in whatever thread it runs: what the inline pool and the worker threads share. */

import type { Clock, FileSystem, FlushResult, Outgoing, RefIds } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { BatchHeader, Chunk, ChunkHeader } from "./batch.ts";
import { type ManifestOf, prepareChunk, type PreparedChunk } from "./prepare.ts";
import { refPartOf } from "./layout.ts";
import { joinPacks } from "./pack-joining.ts";
import { Mirror } from "./mirror.ts";
import { ensureRepository, findGitDirectory, openRepository } from "./repository.ts";
import { repositoryGone, type TargetOptions } from "./target.ts";
import { type UnpushedBounds, UnpushedLine } from "./unpushed.ts";
import { TargetWriter, type WrittenTarget } from "./target-writer.ts";

export interface StagesOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly manifestOf: ManifestOf;
  readonly targets: readonly TargetOptions[];
  /** Whether a repository that is not there is made; false where it was made before. Default true. */
  readonly creates?: boolean;
  readonly unpushed?: Partial<UnpushedBounds>;
}

/** One call of the Mirrors port. */
export type MirrorTask =
  | { readonly kind: "exists"; readonly targetId: string }
  | { readonly kind: "outgoing"; readonly targetId: string; readonly whole: boolean }
  | { readonly kind: "adopt" | "arrived" | "rebuild"; readonly targetId: string; readonly remote: RefIds };

/** `more`: ask again, others may have their turn in between. */
export type MirrorReply = Outgoing | "more" | null | boolean | number;

export class Stages {
  readonly #options: StagesOptions;
  readonly #writers = new Map<string, TargetWriter>();
  /** Repositories of mirrors that were there once: none of them is made again. */
  readonly #met = new Set<string>();
  /** Of each branch that has a remote. */
  readonly #unpushed = new Map<string, UnpushedLine>();

  constructor(options: StagesOptions) {
    this.#options = options;
  }

  prepare(chunk: Chunk): PreparedChunk {
    const { targetId } = JSON.parse(chunk.header) as Pick<ChunkHeader, "targetId">;
    const { secrets } = this.#targetOf(targetId);
    return prepareChunk(chunk, { manifestOf: this.#options.manifestOf, secrets });
  }

  open(targetId: string): Promise<WrittenTarget> {
    return naming(this.#targetOf(targetId), () => this.#writerOf(targetId).open());
  }

  flush(header: string, prepared: readonly PreparedChunk[]): Promise<FlushResult> {
    const batch = JSON.parse(header) as BatchHeader;
    return naming(this.#targetOf(batch.targetId), () => this.#writerOf(batch.targetId).flush(batch, prepared));
  }

  /** Joins what has become too many packs; beside the flushes, in whatever thread. */
  async tidy(targetId: string): Promise<void> {
    const { id, repository, durability } = this.#targetOf(targetId);
    const { fs } = this.#options;
    const gitDirectory = await findGitDirectory(fs, repository);
    if (gitDirectory === null) return;
    await joinPacks({ fs, gitDirectory, owner: refPartOf(id), sync: durability === "flush" });
  }

  mirror(task: MirrorTask): Promise<MirrorReply> {
    const target = this.#targetOf(task.targetId);
    return naming(target, async () => {
      const mirror = await this.#mirrorOf(target);
      switch (task.kind) {
        case "exists":
          return mirror.exists();
        case "outgoing":
          return mirror.outgoing(task.whole);
        case "adopt":
          return mirror.adopt(task.remote);
        case "arrived":
          await mirror.arrived(task.remote);
          return null;
        case "rebuild":
          return mirror.rebuild(task.remote);
        default:
          return task satisfies never;
      }
    });
  }

  async #mirrorOf(target: TargetOptions): Promise<Mirror> {
    const { repository, branch, durability } = target;
    const { fs, clock, creates = true } = this.#options;
    const targets = this.#options.targets.filter((each) => each.repository === repository && each.branch === branch);
    const place = { fs, repository, branch, sync: durability === "flush" };
    const mayCreate = creates && !this.#met.has(repository);
    const gitDirectory = await (mayCreate ? ensureRepository(place) : openRepository(place));
    // An empty one in its place would have nothing to push, and begin a second history.
    if (gitDirectory === null) throw repositoryGone(target);
    this.#met.add(repository);
    const key = `${repository}\n${branch}`;
    const unpushed = this.#unpushed.get(key) ?? new UnpushedLine(this.#options.unpushed);
    this.#unpushed.set(key, unpushed);
    return new Mirror({ fs, clock, gitDirectory, targets, unpushed });
  }

  #targetOf(targetId: string): TargetOptions {
    return targetOf(this.#options.targets, targetId);
  }

  #writerOf(targetId: string): TargetWriter {
    const { fs, clock, creates = true } = this.#options;
    const known = this.#writers.get(targetId);
    if (known !== undefined) return known;
    const writer = new TargetWriter({ fs, clock, creates, target: this.#targetOf(targetId) });
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

const denials = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR"]);

/** Errors of the file system know neither target nor repository, nor what to do. */
async function naming<Value>(target: TargetOptions, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KubescribeError) throw error;
    const where = `target ${target.id} in ${target.repository}`;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (denials.has(code)) {
      const advice =
        code === "EROFS" ? "mount its file system for writing" : "give the user that kubescribe runs as access to it";
      const message = `${where} cannot be read and written (${code}): ${advice}; nothing is lost, and it is tried again`;
      throw new KubescribeError("git-denied", message, { retry: "backoff", cause: error });
    }
    const what = error instanceof Error ? error.message : String(error);
    const advice =
      code === "ENOSPC" || code === "EDQUOT" ? "make room on its disk" : "if it stays so, run git fsck in it";
    const message = `${where} failed: ${what}; nothing is lost, and it is tried again; ${advice}`;
    throw new KubescribeError("git-failed", message, { retry: "backoff", cause: error });
  }
}
