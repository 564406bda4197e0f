/**
 * Writes one target's branch: the second stage, one per target, one flush after the other.
 *
 * Owns the reading of the branch that flushes build on, the cursors that flushes without commits have told, and the selections
 * that came last.
 * 1. The order on disk is pack, index, branch ref, state ref: a crash leaves unused objects, or a state ref that the trailers of
 *    the commits after it complete.
 * 2. After any failure the reading is dropped: what holds is what the repository says.
 * 3. A repository that was there once is never made again: a volume that is not mounted must not begin a second history.
 * 4. A flush that is repeated commits nothing twice: the cursors of the repository judge.
 */

import type { Clock, FileSystem, FlushResult, TargetState } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Cursor, TypeKey } from "../../machines/messages.ts";
import type { BatchHeader } from "./batch.ts";
import { branchRefOf, type BranchView, readBranch } from "./branch-view.ts";
import { type CommitSigner, commitSignerOf } from "./commit-signature.ts";
import { FlushBuilder } from "./flush-builder.ts";
import { raise } from "./history.ts";
import { pathPrefixOf, refPartOf } from "./layout.ts";
import { PackBuilder } from "./pack.ts";
import { PackShelf } from "./pack-shelf.ts";
import { decodePrepared, type PreparedChunk } from "./prepare.ts";
import { ensureRepository, openRepository } from "./repository.ts";
import { SelectionIndex } from "./selection.ts";
import { reselectedIn, selectionMarks } from "./selection-mark.ts";
import { type BranchState, encodeState, stateRefOf } from "./state.ts";
import { formatOf, repositoryGone, type TargetOptions } from "./target.ts";

export interface TargetWriterOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly target: TargetOptions;
  /** Whether a repository that is not there is made, the first time. */
  readonly creates: boolean;
}

export interface WrittenTarget extends TargetState {
  /** By which each type's files were selected, where that is known. */
  readonly selections: ReadonlyMap<TypeKey, string>;
}

/** Cursors that moved without a commit reach the state ref this late at the most, if there are flushes. */
const stateDelayMs = 60_000;

export class TargetWriter {
  readonly #options: TargetWriterOptions;
  readonly #prefix: readonly string[];
  readonly #sign: CommitSigner | null;
  /** Null: none came yet. */
  #selected: Selected | null = null;
  #mayCreate: boolean;
  #loaded: Loaded | null = null;
  #told: ReadonlyMap<TypeKey, Cursor> = new Map();
  #stateAtMs = 0;

  constructor(options: TargetWriterOptions) {
    this.#options = options;
    this.#mayCreate = options.creates;
    const { path, signing } = options.target;
    this.#prefix = pathPrefixOf(path);
    this.#sign = signing === null ? null : commitSignerOf(signing);
  }

  async open(): Promise<WrittenTarget> {
    this.#loaded = null;
    const { view } = await this.#load();
    const cursors = this.#cursorsOf(view);
    const outOfFormat = new Set([...cursors.keys()].filter((key) => this.#isOutOfFormat(view, key)));
    return { tip: view.head, cursors, outOfFormat, selections: view.selections };
  }

  async flush(batch: BatchHeader, prepared: readonly PreparedChunk[]): Promise<FlushResult> {
    const { index: selections, marks } = this.#selectionsFor(batch);
    const loaded = await this.#current();
    this.#loaded = null;
    const { view } = loaded;
    const { target, clock } = this.#options;
    const cursors = this.#cursorsOf(view);
    const reselected = reselectedIn(view.selections, marks);
    const builder = new FlushBuilder({
      view,
      cursors,
      target,
      prefix: this.#prefix,
      selections,
      reselected,
      clock,
      sign: this.#sign,
    });
    await builder.takeOver();
    const commits = await builder.add(batch.entries, decodePrepared(prepared));
    const reached = new Map(cursors);
    for (const [key, cursor] of batch.cursors) raise(reached, key, cursor);
    const written = this.#writtenAfter(view, { reached, reformatted: builder.reformatted, marks, reselected });
    const { blindTimes } = builder;
    const stateBlob = await this.#publish(loaded, builder, { cursors: reached, ...written, blindTimes });
    this.#told = reached;
    const durable = stateBlob === null ? {} : { stateBlob, durableCursors: reached, ...written };
    const after = {
      ...view,
      ...durable,
      blindTimes,
      head: builder.tip,
      ownTip: builder.tip,
      cursors: reached,
      unrecorded: new Set<string>(),
    };
    this.#loaded = { ...loaded, view: after };
    const { tip, faults, ids } = builder;
    return { tip, commits, ...(faults === 0 ? {} : { faults }), ...(batch.wantsIds ? { ids } : {}) };
  }

  /** A state ref that is lost says nothing: what is there is taken for what would be written. */
  #isOutOfFormat({ formats, durableCursors }: BranchView, key: TypeKey): boolean {
    return durableCursors.has(key) && formats.get(key) !== formatOf(this.#options.target, key);
  }

  /** How the files of each type stand there after a flush: as they did, unless it wrote them anew, or a rule names the type for the first time. */
  #writtenAfter(view: BranchView, flush: Written): Pick<BranchState, "formats" | "selections"> {
    const { reached, reformatted, marks, reselected } = flush;
    const formats = new Map<TypeKey, string>();
    const selections = new Map<TypeKey, string>();
    for (const key of reached.keys()) {
      const differs = this.#isOutOfFormat(view, key) || reselected.has(key);
      const mark = marks.get(key);
      // Of a type that no rule names any more the files stay as they are.
      const stays = mark === undefined || (differs && !reformatted.has(key));
      const format = stays ? view.formats.get(key) : formatOf(this.#options.target, key);
      const selection = stays ? view.selections.get(key) : mark;
      if (format !== undefined) formats.set(key, format);
      if (selection !== undefined) selections.set(key, selection);
    }
    return { formats, selections };
  }

  #selectionsFor({ selections }: BatchHeader): Selected {
    if (selections !== null) {
      this.#selected = { index: new SelectionIndex(selections), marks: selectionMarks(selections, this.#prefix) };
    }
    if (this.#selected !== null) return this.#selected;
    const message = `target ${this.#options.target.id} has a new worker, which knows no selections yet; they come with the next attempt`;
    throw new KubescribeError("git-worker-new", message, { retry: "backoff" });
  }

  /** The reading in hand, unless somebody moved the branch since. */
  async #current(): Promise<Loaded> {
    if (this.#loaded !== null) {
      const { view } = this.#loaded;
      if ((await view.refs.read(branchRefOf(this.#options.target))) === view.head) return this.#loaded;
    }
    return this.#load();
  }

  async #load(): Promise<Loaded> {
    const { fs, clock, target } = this.#options;
    const sync = target.durability === "flush";
    const place = { fs, repository: target.repository, branch: target.branch, sync };
    const gitDirectory = await (this.#mayCreate ? ensureRepository(place) : openRepository(place));
    if (gitDirectory === null) throw repositoryGone(target);
    const shelf = await PackShelf.open({ fs, gitDirectory, owner: refPartOf(target.id), sync });
    const view = await readBranch({ fs, clock, gitDirectory, target, prefix: this.#prefix });
    this.#mayCreate = false;
    this.#loaded = { view, shelf };
    return this.#loaded;
  }

  #cursorsOf(view: BranchView): ReadonlyMap<TypeKey, Cursor> {
    const cursors = new Map(view.cursors);
    for (const [key, cursor] of this.#told) raise(cursors, key, cursor);
    return cursors;
  }

  /** Returns the new state blob, or null where the state ref can wait. */
  async #publish(loaded: Loaded, builder: FlushBuilder, reached: Omit<BranchState, "tip">): Promise<string | null> {
    const { view, shelf } = loaded;
    const { target, clock } = this.#options;
    const moved = builder.tip !== view.head;
    const nowMs = clock.nowMs();
    if (!moved && !needsState(view, reached) && Math.abs(nowMs - this.#stateAtMs) < stateDelayMs) return null;
    const pack = moved ? builder.pack : new PackBuilder();
    const stateBlob = pack.add("blob", encodeState({ tip: builder.tip, ...reached })).toString("hex");
    if (stateBlob === view.stateBlob) return stateBlob;
    await shelf.write(pack);
    if (moved) await view.refs.move(branchRefOf(target), { expected: view.head, id: builder.tip });
    await view.refs.move(stateRefOf(target), { expected: view.stateBlob, id: stateBlob });
    this.#stateAtMs = nowMs;
    return stateBlob;
  }
}

interface Written {
  readonly reached: ReadonlyMap<TypeKey, Cursor>;
  readonly reformatted: ReadonlySet<TypeKey>;
  readonly marks: ReadonlyMap<TypeKey, string>;
  readonly reselected: ReadonlySet<TypeKey>;
}

interface Selected {
  readonly index: SelectionIndex;
  readonly marks: ReadonlyMap<TypeKey, string>;
}

interface Loaded {
  readonly view: BranchView;
  readonly shelf: PackShelf;
}

/** A type or an epoch that the state ref knows nothing of must not wait: without it, the type would begin with a snapshot again. */
function needsState(view: BranchView, { cursors, formats, selections }: Omit<BranchState, "tip">): boolean {
  if (view.ownTip !== view.head) return true;
  if ([...formats].some(([key, format]) => view.formats.get(key) !== format)) return true;
  if ([...selections].some(([key, mark]) => view.selections.get(key) !== mark)) return true;
  return [...cursors].some(([key, cursor]) => view.durableCursors.get(key)?.epoch !== cursor.epoch);
}
