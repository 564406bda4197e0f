/**
 * Builds the commits of one flush in memory: against the tree cache, into one pack.
 *
 * Owns the pack in hand and the tip. 1. One change makes one commit or none. 2. Between two commits the tree cache holds
 * exactly the tree of `tip`. 3. Which changes are old is judged by the cursors as they stood before the flush (I1).
 */

import type { Clock } from "../../actors/ports.ts";
import { covers, cursorOf } from "../../machines/cursor.ts";
import type { Cursor, ResourceType, TypeKey, Uid } from "../../machines/messages.ts";
import type { BatchEntry } from "./batch.ts";
import type { BranchView } from "./branch-view.ts";
import { changeCommitOf, type ChangeHeader, noteCommitOf, type NoteOptions } from "./commit.ts";
import type { CommitSigner } from "./commit-signature.ts";
import {
  decodePathPart,
  type FilePath,
  filePathOf,
  namespaceDirectoryOf,
  namespaceOf,
  type ResourceName,
  resourcePartOf,
  typeDirectoriesOf,
} from "./layout.ts";
import { PackBuilder } from "./pack.ts";
import type { PreparedObject } from "./prepare.ts";
import type { SelectionIndex } from "./selection.ts";
import { changedFilesOf } from "./takeover.ts";
import type { TargetOptions } from "./target.ts";
import { directoryMode } from "./tree-node.ts";

export interface FlushBuilderOptions {
  readonly view: BranchView;
  /** The durable ones, and what flushes without commits have told since. */
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  readonly target: TargetOptions;
  readonly prefix: readonly string[];
  readonly selections: SelectionIndex;
  readonly clock: Clock;
  /** Null: commits are not signed. */
  readonly sign: CommitSigner | null;
}

type SnapshotEntry = Extract<BatchEntry, { readonly kind: "snapshot" }>;
type FormatEntry = Extract<BatchEntry, { readonly kind: "format" }>;
type ResyncEntry = Extract<BatchEntry, { readonly kind: "resync" }>;

export class FlushBuilder {
  readonly pack = new PackBuilder();
  readonly #options: FlushBuilderOptions;
  #tip: string;
  #faults = 0;
  readonly #ids: string[] = [];
  readonly #reformatted = new Set<TypeKey>();

  constructor(options: FlushBuilderOptions) {
    this.#options = options;
    this.#tip = options.view.head;
  }

  get tip(): string {
    return this.#tip;
  }

  /** Files that were written as their object came, because it could not be read. */
  get faults(): number {
    return this.#faults;
  }

  /** Of each entry the commit that it made last; empty where it made none, or shares one with others. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  /** Types whose files are as they would be written now. */
  get reformatted(): ReadonlySet<TypeKey> {
    return this.#reformatted;
  }

  /** Ours over what others edited or removed since our last commit. */
  async takeOver(): Promise<void> {
    const { view, prefix } = this.#options;
    if (view.ownTip === "" || view.ownTip === view.head) return;
    const files = await changedFilesOf({ reader: view.reader, ownTip: view.ownTip, head: view.head, prefix });
    if (files.length === 0) return;
    for (const { path, id } of files) await this.#write(path, Buffer.from(id, "hex"));
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
      if (!(await this.#remove(path))) return 0;
    } else if (!(await this.#writeObject(path, object))) return 0;
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
        changed = (await this.#writeObject(path, object)) || changed;
      }
      for (const { path } of await this.#leftovers(type, kept)) changed = (await this.#remove(path)) || changed;
    }
    const types = entries.length === 1 ? (entries[0]?.type.key ?? "") : `${entries.length} resource types`;
    const cursors = new Map(entries.map((entry) => [entry.type.key, entry.cursor]));
    if (changed) this.#note({ kind: "snapshot", subject: `Snapshot of ${types}`, cursors });
    return changed;
  }

  /** One commit that writes files of several types as they would be written now. */
  async #format(entries: readonly FormatEntry[], objects: readonly PreparedObject[]): Promise<boolean> {
    let files = 0;
    for (const entry of entries) files += await this.#formatType(entry, objects);
    const types = entries.length === 1 ? (entries[0]?.type.key ?? "") : `${entries.length} resource types`;
    const subject = `Rewrite ${files === 1 ? "1 file" : `${files} files`} of ${types} in another format`;
    if (files > 0) this.#note({ kind: "format", subject, cursors: new Map() });
    return files > 0;
  }

  /** Of objects that did not change; one that no update may touch stays. Returns how many files differ. */
  async #formatType({ type, cursor, items }: FormatEntry, objects: readonly PreparedObject[]): Promise<number> {
    const { view, prefix, selections } = this.#options;
    const reached = this.#options.cursors.get(type.key);
    // A flush that is repeated finds its own changes: what was listed is older than they are.
    if (reached !== undefined && !covers(cursor, reached)) return 0;
    this.#reformatted.add(type.key);
    let files = 0;
    for (const { namespace, name, item } of items) {
      const object = objects[item];
      if (object === undefined || object.faulted) continue;
      const written = { typeKey: type.key, namespace, operation: "UPDATE", labels: object.labels } as const;
      if (selections.decide(written) !== "write") continue;
      const path = filePathOf(prefix, type, { namespace, name });
      if (!view.tree.isLoaded(path.directories)) await view.tree.load(path.directories);
      if (view.tree.get(path.directories, path.file) === null) continue;
      if (await this.#writeObject(path, object)) files += 1;
    }
    return files;
  }

  /** What went while nobody watched: whose uid and hand is not known. */
  async #resync(entry: ResyncEntry): Promise<number> {
    const { prefix, target, clock } = this.#options;
    const { type, cursor } = entry;
    if (this.#isOld(type.key, cursor)) return 0;
    const kept = new Set(entry.present.map((resource) => keyOf(filePathOf(prefix, type, resource))));
    let commits = 0;
    for (const { path, resource } of await this.#leftovers(type, kept)) {
      if (!(await this.#remove(path))) continue;
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

  /** Files of a type that a complete list has no object for, where a rule lets go of files. */
  async #leftovers(
    type: ResourceType,
    kept: ReadonlySet<string>,
  ): Promise<readonly { readonly path: FilePath; readonly resource: ResourceName }[]> {
    const { prefix, selections } = this.#options;
    const { tree } = this.#options.view;
    const found: { readonly path: FilePath; readonly resource: ResourceName }[] = [];
    await tree.load(prefix);
    for (const { name: directory, mode } of tree.entries(prefix)) {
      const namespace = namespaceOf(directory);
      if (mode !== directoryMode || namespaceDirectoryOf(namespace) !== directory) continue;
      if (!selections.removes(type.key, namespace)) continue;
      const directories = typeDirectoriesOf(prefix, directory, type);
      await tree.load(directories);
      for (const { name: file } of tree.entries(directories)) {
        const part = resourcePartOf(file);
        const path = { directories, file };
        if (part === null || kept.has(keyOf(path))) continue;
        found.push({ path, resource: { namespace, name: decodePathPart(part) } });
      }
    }
    return found;
  }

  /** False where the file has these bytes. */
  async #writeObject(path: FilePath, object: PreparedObject): Promise<boolean> {
    if (!(await this.#write(path, object.id))) return false;
    this.pack.addPacked(object);
    if (object.faulted) this.#faults += 1;
    return true;
  }

  /** False where the file has these bytes. */
  async #write(path: FilePath, id: Buffer): Promise<boolean> {
    const { tree } = this.#options.view;
    if (!tree.isLoaded(path.directories)) await tree.load(path.directories);
    if (tree.get(path.directories, path.file)?.equals(id) === true) return false;
    tree.set(path.directories, path.file, id);
    return true;
  }

  async #remove(path: FilePath): Promise<boolean> {
    const { tree } = this.#options.view;
    if (!tree.isLoaded(path.directories)) await tree.load(path.directories);
    return tree.delete(path.directories, path.file);
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

function countShared(commits: number[]): void {
  if (commits.length > 0) commits[commits.length - 1] = 1;
}
