/**
 * Builds the commits of one flush in memory: against the tree cache, into one pack.
 *
 * Owns the pack in hand and the tip. 1. One change makes one commit or none. 2. Between two commits the tree cache holds
 * exactly the tree of `tip`. 3. Which changes are old is judged by the cursors as they stood before the flush (I1).
 */

import type { Clock } from "../../actors/ports.ts";
import type { BlindTime } from "../../machines/blind-time.ts";
import { covers, cursorOf } from "../../machines/cursor.ts";
import type { Cursor, ResourceType, TypeKey, Uid } from "../../machines/messages.ts";
import type { BatchEntry } from "./batch.ts";
import { type BranchFile, BranchFiles } from "./branch-files.ts";
import type { BranchView } from "./branch-view.ts";
import { changeCommitOf, type ChangeHeader, coverageCommitOf, noteCommitOf, type NoteOptions } from "./commit.ts";
import type { CommitSigner } from "./commit-signature.ts";
import { coverageMarkOf } from "./coverage-text.ts";
import { type FormatEntry, formatSubject, type Rewritten, rewriteFiles } from "./format-files.ts";
import { type FilePath, filePathOf } from "./layout.ts";
import { PackBuilder } from "./pack.ts";
import type { PreparedObject } from "./prepare.ts";
import type { SelectionIndex } from "./selection.ts";
import { changedFilesOf } from "./takeover.ts";
import type { TargetOptions } from "./target.ts";

export interface FlushBuilderOptions {
  readonly view: BranchView;
  /** The durable ones, and what flushes without commits have told since. */
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  readonly target: TargetOptions;
  readonly prefix: readonly string[];
  readonly selections: SelectionIndex;
  /** Types of which the rules select something else than when their files were written. */
  readonly reselected: ReadonlySet<TypeKey>;
  readonly clock: Clock;
  /** Null: commits are not signed. */
  readonly sign: CommitSigner | null;
}

type SnapshotEntry = Extract<BatchEntry, { readonly kind: "snapshot" }>;
type ResyncEntry = Extract<BatchEntry, { readonly kind: "resync" }>;

export class FlushBuilder {
  readonly pack = new PackBuilder();
  readonly #options: FlushBuilderOptions;
  readonly #files: BranchFiles;
  #tip: string;
  readonly #ids: string[] = [];
  readonly #reformatted = new Set<TypeKey>();
  readonly #blindTimes: string[];

  constructor(options: FlushBuilderOptions) {
    this.#options = options;
    const { view, prefix } = options;
    this.#files = new BranchFiles({ tree: view.tree, pack: this.pack, prefix });
    this.#tip = view.head;
    this.#blindTimes = [...view.blindTimes];
  }

  get tip(): string {
    return this.#tip;
  }

  /** Files that were written as their object came, because it could not be read. */
  get faults(): number {
    return this.#files.faults;
  }

  /** Of each entry the commit that it made last; empty where it made none, or shares one with others. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  /** Types whose files are those that would be written now. */
  get reformatted(): ReadonlySet<TypeKey> {
    return this.#reformatted;
  }

  /** Marks of those that the branch tells of. */
  get blindTimes(): readonly string[] {
    return this.#blindTimes;
  }

  /** Ours over what others edited or removed since our last commit. */
  async takeOver(): Promise<void> {
    const { view, prefix } = this.#options;
    if (view.ownTip === "" || view.ownTip === view.head) return;
    const files = await changedFilesOf({ reader: view.reader, ownTip: view.ownTip, head: view.head, prefix });
    if (files.length === 0) return;
    for (const { path, id } of files) await this.#files.write(path, Buffer.from(id, "hex"));
    const subject = `Take over ${files.length === 1 ? "1 file" : `${files.length} files`} that others changed`;
    this.#note({ kind: "takeover", subject, cursors: new Map() });
  }

  /** Returns how many commits each entry made; one that several share counts for the last of them. */
  async add(entries: readonly BatchEntry[], objects: readonly PreparedObject[]): Promise<readonly number[]> {
    const commits: number[] = [];
    let snapshots: SnapshotEntry[] = [];
    let formats: FormatEntry[] = [];
    const share = async (): Promise<void> => {
      if (snapshots.length > 0 && (await this.#snapshot(snapshots, objects))) countShared(commits);
      if (formats.length > 0 && (await this.#format(formats, objects))) countShared(commits);
      snapshots = [];
      formats = [];
    };
    for (const [at, entry] of entries.entries()) {
      if (entry.kind !== entries[at - 1]?.kind) await share();
      const before = this.#tip;
      switch (entry.kind) {
        case "snapshot":
          if (!this.#isOld(entry.type.key, entry.cursor)) snapshots.push(entry);
          commits.push(0);
          break;
        case "format":
          formats.push(entry);
          commits.push(0);
          break;
        case "change":
          commits.push(await this.#change(entry.change, objects[entry.item]));
          break;
        case "resync":
          commits.push(await this.#resync(entry));
          break;
        case "coverage":
          commits.push(this.#coverage(entry.time));
          break;
        default:
          entry satisfies never;
      }
      this.#ids.push(this.#tip === before ? "" : this.#tip);
    }
    await share();
    return commits;
  }

  #isOld(key: TypeKey, cursor: Cursor): boolean {
    return covers(this.#options.cursors.get(key) ?? null, cursor);
  }

  async #change(change: ChangeHeader, object: PreparedObject | undefined): Promise<number> {
    const { view, selections, prefix } = this.#options;
    const { type, namespace, operation } = change;
    // An attempt (`--ingestion dual`) bears only the version that it was based on.
    if (change.verdict.tier !== "dual" && this.#isOld(type.key, cursorOf(change))) {
      return view.unrecorded.has(`${change.epoch}/${change.uid}/${change.resourceVersion}`) ? 1 : 0;
    }
    const labels = object?.labels ?? {};
    const decision = selections.decide({ typeKey: type.key, namespace, operation, labels });
    if (decision === "ignore") return 0;
    const path = filePathOf(prefix, type, change);
    if (decision === "remove" || object === undefined) {
      if (!(await this.#files.remove(path))) return 0;
    } else if (!(await this.#files.writeObject(path, object))) return 0;
    const faulted = change.verdict.faulted || (decision === "write" && object?.faulted === true);
    const marked = { ...change, verdict: { ...change.verdict, faulted } };
    this.#commit((frame) => changeCommitOf(marked, frame, this.#options.target));
    return 1;
  }

  /** One commit that makes the files of several types equal to what a list says. */
  async #snapshot(entries: readonly SnapshotEntry[], objects: readonly PreparedObject[]): Promise<boolean> {
    const { prefix, selections } = this.#options;
    let changed = false;
    for (const { type, items } of entries) {
      const kept = new Set<string>();
      for (const item of items) {
        const object = objects[item.item];
        if (object === undefined) continue;
        if (!selections.includes({ typeKey: type.key, namespace: item.namespace, labels: object.labels })) continue;
        const path = filePathOf(prefix, type, item);
        kept.add(keyOf(path));
        changed = (await this.#files.writeObject(path, object)) || changed;
      }
      for (const { path } of await this.#leftovers(type, kept)) changed = (await this.#files.remove(path)) || changed;
    }
    const types = typesText(entries);
    const cursors = new Map(entries.map((entry) => [entry.type.key, entry.cursor]));
    if (changed) this.#note({ kind: "snapshot", subject: `Snapshot of ${types}`, cursors });
    return changed;
  }

  /** One commit that makes the files of several types those that would be written now; of objects that did not change. */
  async #format(entries: readonly FormatEntry[], objects: readonly PreparedObject[]): Promise<boolean> {
    const { prefix, selections, cursors } = this.#options;
    const parts: { readonly entry: FormatEntry; readonly rewritten: Rewritten; readonly reselected: boolean }[] = [];
    for (const entry of entries) {
      const { key } = entry.type;
      const reached = cursors.get(key);
      // A flush that is repeated finds its own changes: what was listed is older than they are.
      if (reached !== undefined && !covers(entry.cursor, reached)) continue;
      this.#reformatted.add(key);
      const reselected = this.#options.reselected.has(key);
      const rewritten = await rewriteFiles(entry, objects, { files: this.#files, prefix, selections, reselected });
      if (rewritten.written + rewritten.removed > 0) parts.push({ entry, rewritten, reselected });
    }
    if (parts.length === 0) return false;
    const rewritten = parts.reduce<Rewritten>(
      (sum, part) => ({
        written: sum.written + part.rewritten.written,
        removed: sum.removed + part.rewritten.removed,
      }),
      { written: 0, removed: 0 },
    );
    const types = typesText(parts.map(({ entry }) => entry));
    const reselected = parts.some((part) => part.reselected);
    this.#note({ kind: "format", subject: formatSubject(rewritten, types, reselected), cursors: new Map() });
    return true;
  }

  /** What went while nobody watched: whose uid and hand is not known. */
  async #resync(entry: ResyncEntry): Promise<number> {
    const { prefix, target, clock } = this.#options;
    const { type, cursor } = entry;
    if (this.#isOld(type.key, cursor)) return 0;
    const kept = new Set(entry.present.map((resource) => keyOf(filePathOf(prefix, type, resource))));
    let commits = 0;
    for (const { path, resource } of await this.#leftovers(type, kept)) {
      if (!(await this.#files.remove(path))) continue;
      const change: ChangeHeader = {
        ...resource,
        ...cursor,
        type,
        uid: "unknown" as Uid,
        operation: "DELETE",
        verdict: { tier: "unresolved", author: null, candidates: [], causedBy: "", faulted: false },
        observedAtMs: clock.nowMs(),
      };
      this.#commit((frame) => changeCommitOf(change, frame, target));
      commits++;
    }
    return commits;
  }

  #coverage(time: BlindTime): number {
    const mark = coverageMarkOf(time);
    // A history that has not begun has missed nothing.
    if (this.#options.view.head === "" || this.#blindTimes.includes(mark)) return 0;
    this.#blindTimes.push(mark);
    this.#commit((frame) => coverageCommitOf(time, frame, this.#options.target));
    return 1;
  }

  /** Files of a type that a complete list has no object for, where a rule lets go of files. */
  async #leftovers(type: ResourceType, kept: ReadonlySet<string>): Promise<readonly BranchFile[]> {
    const { selections } = this.#options;
    const found = await this.#files.ofType(type, (namespace) => selections.removes(type.key, namespace));
    return found.filter(({ path }) => !kept.has(keyOf(path)));
  }

  #note(note: NoteOptions): void {
    this.#commit((frame) => noteCommitOf(note, frame, this.#options.target));
  }

  #commit(encode: (frame: Parameters<typeof changeCommitOf>[1]) => Buffer): void {
    const { view, clock, sign } = this.#options;
    const tree = view.tree.write(this.pack).toString("hex");
    const commit = encode({ tree, parent: this.#tip, committedAtMs: clock.nowMs() });
    this.#tip = this.pack.add("commit", sign === null ? commit : sign(commit)).toString("hex");
  }
}

function keyOf(path: FilePath): string {
  return `${path.directories.join("/")}/${path.file}`;
}

function typesText(entries: readonly { readonly type: ResourceType }[]): string {
  return entries.length === 1 ? (entries[0]?.type.key ?? "") : `${entries.length} resource types`;
}

function countShared(commits: number[]): void {
  if (commits.length > 0) commits[commits.length - 1] = 1;
}
