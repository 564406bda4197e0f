/**
 * What the remote lacks, committed anew on where its branch stands now: the same changes in the same order, with their authors and
 * dates. Files of ours that somebody else edited become ours again first, in a takeover commit (DESIGN section 6). What another replica has
 * committed there meanwhile for the same target is not committed twice, and its files are no edits of others.
 */

import type { Clock, FileSystem, RefIds } from "../../actors/ports.ts";
import { covers } from "../../machines/cursor.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Cursor, TypeKey } from "../../machines/messages.ts";
import { branchRefOf, readBranch, readShallow, stateOf } from "./branch-view.ts";
import { noteCommitOf, recommitted } from "./commit.ts";
import { type CommitSigner, commitSignerOf } from "./commit-signature.ts";
import { type Commit, cursorsIn, raise, readCommit, walkCommits, type WalkOptions } from "./history.ts";
import { pathPrefixOf, refPartOf } from "./layout.ts";
import { ObjectReader } from "./object-reader.ts";
import { PackBuilder } from "./pack.ts";
import { shelve } from "./pack-shelf.ts";
import type { RefStore } from "./refs.ts";
import { type BranchState, encodeState, noState, stateRefOf } from "./state.ts";
import { changedFilesOf } from "./takeover.ts";
import type { TargetOptions } from "./target.ts";
import { TreeCache } from "./tree-cache.ts";
import { fileChanges } from "./tree-diff.ts";

export interface RebuildOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly gitDirectory: string;
  readonly refs: RefStore;
  /** All that write to the branch. */
  readonly targets: readonly TargetOptions[];
  /** Where the remote's branch stands; fetched. */
  readonly head: string;
  /** Where our branch stands. */
  readonly local: string;
  /** What the remote's branch is known to have held; empty: nothing. */
  readonly pushed: string;
  readonly remote: RefIds;
}

/** Resolves to how many commits were made anew. */
export async function rebuildOn(options: RebuildOptions): Promise<number> {
  const { fs, gitDirectory, head, local, pushed } = options;
  if (head === "" && pushed !== "") throw lostError(options);
  const reader = await ObjectReader.open(fs, gitDirectory);
  const ours = await lineOf(reader, { from: local, until: pushed });
  const base = await forkOf(options, reader, new Set([...ours.map(({ id }) => id), pushed]));
  if (base === head) return 0;
  const ahead = ours.slice(ours.findIndex(({ id }) => id === base) + 1);
  const told = await toldBy(options, reader, base);
  const tree = await TreeCache.read(reader, (await readCommit(reader, head)).tree);
  const rebuilt = new Rebuild(options, { reader, tree, told });
  await rebuilt.takeOver(base);
  for (const commit of ahead) await rebuilt.again(commit);
  await publish(options, rebuilt);
  return rebuilt.count;
}

/** What another replica says, between the fork and the head, of one target. */
interface Told extends Pick<WalkOptions, "reader" | "target" | "prefix" | "shallow"> {
  /** Its last commit; the fork where it made none. */
  readonly tip: string;
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
}

async function toldBy(options: RebuildOptions, reader: ObjectReader, base: string): Promise<readonly Told[]> {
  const { fs, gitDirectory, head: from, targets } = options;
  const shallow = await readShallow(fs, gitDirectory);
  return Promise.all(
    targets.map(async (target) => {
      const place = { reader, target, prefix: pathPrefixOf(target.path), shallow };
      const limitCommits = Number.POSITIVE_INFINITY;
      const { ownTip, cursors } = await walkCommits({ ...place, head: from, until: base, limitCommits });
      return { ...place, tip: ownTip === "" ? base : ownTip, cursors };
    }),
  );
}

/** Commits of ours, oldest first: first parents, from the tip to what was pushed. */
async function lineOf(
  reader: ObjectReader,
  { from, until }: { readonly from: string; readonly until: string },
): Promise<readonly Commit[]> {
  const line: Commit[] = [];
  for (let id = from; id !== until && id !== "";) {
    const commit = await readCommit(reader, id);
    line.push(commit);
    const [parent = ""] = commit.parents;
    id = parent;
  }
  return line.reverse();
}

/** The newest commit that both sides have; empty where neither had any. */
async function forkOf(options: RebuildOptions, reader: ObjectReader, known: ReadonlySet<string>): Promise<string> {
  const { head, fs, gitDirectory, pushed } = options;
  const shallow = await readShallow(fs, gitDirectory);
  const seen = new Set([head]);
  for (const id of seen) {
    if (known.has(id)) return id;
    if (shallow.has(id)) continue;
    for (const parent of (await readCommit(reader, id)).parents) seen.add(parent);
  }
  if (pushed === "") return "";
  throw rewrittenError(options);
}

class Rebuild {
  readonly pack = new PackBuilder();
  readonly #options: RebuildOptions;
  readonly #reader: ObjectReader;
  readonly #tree: TreeCache;
  readonly #sign: CommitSigner | null;
  readonly #told: readonly Told[];
  tip: string;
  /** Commits that were made anew. */
  count = 0;

  constructor(
    options: RebuildOptions,
    { reader, tree, told }: { readonly reader: ObjectReader; readonly tree: TreeCache; readonly told: readonly Told[] },
  ) {
    this.#options = options;
    this.#reader = reader;
    this.#tree = tree;
    this.#told = told;
    this.tip = options.head;
    const signing = options.targets[0]?.signing ?? null;
    this.#sign = signing === null ? null : commitSignerOf(signing);
  }

  /** Ours over what others did to our files since `base`. */
  async takeOver(base: string): Promise<void> {
    if (base === "") return;
    const { head, clock } = this.#options;
    for (const { target, prefix, tip: ownTip } of this.#told) {
      const files = await changedFilesOf({ reader: this.#reader, ownTip, head, prefix });
      if (files.length === 0) continue;
      for (const { path, id } of files) await this.#put(path, id);
      const subject = `Take over ${files.length === 1 ? "1 file" : `${files.length} files`} that others changed`;
      const frame = { tree: this.#written(), parent: this.tip, committedAtMs: clock.nowMs() };
      this.#commit(noteCommitOf({ kind: "takeover", subject, cursors: new Map() }, frame, target));
    }
  }

  async again(commit: Commit): Promise<void> {
    if (await this.#isTold(commit)) return;
    this.count += 1;
    const [parent] = commit.parents;
    const before = parent === undefined ? "" : (await readCommit(this.#reader, parent)).tree;
    for await (const { path, id } of fileChanges(this.#reader, before, commit.tree)) await this.#put(path, id);
    const { body } = await this.#reader.read(commit.id, "commit");
    const frame = { tree: this.#written(), parent: this.tip, committedAtMs: this.#options.clock.nowMs() };
    this.#commit(recommitted(body, frame));
  }

  async #isTold(commit: Commit): Promise<boolean> {
    for (const told of this.#told) {
      const cursors = told.cursors.size === 0 ? null : await cursorsIn(commit, told);
      if (cursors === null || cursors.length === 0) continue;
      return cursors.every(([key, cursor]) => covers(told.cursors.get(key) ?? null, cursor));
    }
    return false;
  }

  /** Where each type stands now: as far as we have come, or the other replica. */
  cursorsOf(target: TargetOptions, own: ReadonlyMap<TypeKey, Cursor>): ReadonlyMap<TypeKey, Cursor> {
    const cursors = new Map(own);
    const told = this.#told.find((each) => each.target.id === target.id);
    for (const [key, cursor] of told?.cursors ?? []) raise(cursors, key, cursor);
    return cursors;
  }

  async #put(path: { readonly directories: readonly string[]; readonly file: string }, id: string): Promise<void> {
    await this.#tree.load(path.directories);
    if (id === "") return void this.#tree.delete(path.directories, path.file);
    // The pack that has it may not be pushed: it is of commits that nobody will see.
    this.pack.add("blob", (await this.#reader.read(id, "blob")).body);
    this.#tree.set(path.directories, path.file, Buffer.from(id, "hex"));
  }

  #written(): string {
    return this.#tree.write(this.pack).toString("hex");
  }

  #commit(body: Buffer): void {
    this.tip = this.pack.add("commit", this.#sign === null ? body : this.#sign(body)).toString("hex");
  }
}

/** State refs step back before the branch moves, and forward behind it: whatever ends a process in between, trailers complete them. */
async function publish(options: RebuildOptions, rebuilt: Rebuild): Promise<void> {
  const { pack, tip } = rebuilt;
  const { fs, clock, gitDirectory, refs, targets, local, remote } = options;
  const [target] = targets;
  if (target === undefined) return;
  const states = await Promise.all(
    targets.map(async (each) => {
      const view = await readBranch({ fs, clock, gitDirectory, target: each, prefix: pathPrefixOf(each.path) });
      const state = stateOf(view);
      const cursors = rebuilt.cursorsOf(each, state.cursors);
      return { ref: stateRefOf(each), blob: view.stateBlob, state: { ...state, cursors, tip } };
    }),
  );
  const nowhere = blobOf(pack, noState);
  const ahead = states.map(({ state }) => blobOf(pack, state));
  const sync = target.durability === "flush";
  await shelve(pack, { fs, gitDirectory, owner: refPartOf(target.id), sync, maker: "rebuilt" });
  const back = states.map(({ ref }) => remote[ref] ?? nowhere);
  for (const [at, { ref, blob }] of states.entries()) await move(refs, ref, blob, back[at] ?? nowhere);
  await refs.move(branchRefOf(target), { expected: local, id: tip });
  for (const [at, { ref }] of states.entries()) await move(refs, ref, back[at] ?? nowhere, ahead[at] ?? nowhere);
}

async function move(refs: RefStore, ref: string, expected: string, id: string): Promise<void> {
  if (expected !== id) await refs.move(ref, { expected, id });
}

function blobOf(pack: PackBuilder, state: BranchState): string {
  return pack.add("blob", encodeState(state)).toString("hex");
}

function lostError({ targets }: RebuildOptions): KubescribeError {
  const [target] = targets;
  const branch = target === undefined ? "" : branchRefOf(target);
  return new KubescribeError(
    "git-remote-lost",
    `${branch} was on the remote and is gone. Push it back from a clone, or from the local repository ${target?.repository ?? ""}, with its ` +
      "refs/kubescribe/*: it goes on by itself then. Nothing is lost meanwhile",
    { retry: "backoff" },
  );
}

function rewrittenError({ targets, pushed, head }: RebuildOptions): KubescribeError {
  const [target] = targets;
  const branch = target === undefined ? "" : branchRefOf(target);
  return new KubescribeError(
    "git-remote-rewritten",
    `${branch} of the remote should descend from ${pushed}, which was pushed there, and is at ${head === "" ? "nothing" : head}: somebody ` +
      "rewrote the history. Nothing more is pushed there; what is committed stays in this process's own repository. Put the branch back, or " +
      `accept the new history: "git push REMOTE --delete ${targets.map((one) => `'${stateRefOf(one)}'`).join(" ")}" from a clone, and move ` +
      `the local repository ${target?.repository ?? ""} away; then restart`,
    { retry: "never" },
  );
}
