/**
 * A branch that has a remote, in its local repository: what the remote lacks, and where it stood when it was read last.
 *
 * Owns the refs `refs/upstream/*`: the remote's `refs/*` as they were read back.
 * 1. They only tell of commits that the local repository holds.
 * 2. A state ref never names a tip that its branch does not descend from, at whatever point a process ends.
 * 3. One push has a bound; the state refs go with the last of several.
 */

import { packMissing } from "../../actors/ports.ts";
import type { Clock, FileSystem, Outgoing, RefIds, RefUpdate } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { branchRefOf, readShallow } from "./branch-view.ts";
import { isMissing } from "./files.ts";
import { readCommit } from "./history.ts";
import { refPartOf } from "./layout.ts";
import { ObjectReader } from "./object-reader.ts";
import { copyPacks, openPackSource, type PackSource } from "./pack-copy.ts";
import { shelvedPacks } from "./pack-shelf.ts";
import { rebuildOn } from "./rebuild.ts";
import { RefStore } from "./refs.ts";
import { decodeState, stateRefOf } from "./state.ts";
import type { TargetOptions } from "./target.ts";
import type { UnpushedLine } from "./unpushed.ts";

export interface MirrorOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly gitDirectory: string;
  /** All that write to the branch; one at least. */
  readonly targets: readonly TargetOptions[];
  /** Of the branch; it outlives this. */
  readonly unpushed: UnpushedLine;
}

export class Mirror {
  readonly #options: MirrorOptions;
  readonly #refs: RefStore;
  readonly #branch: string;
  readonly #states: readonly string[];

  constructor(options: MirrorOptions) {
    this.#options = options;
    const [target] = options.targets;
    if (target === undefined) throw new RangeError("a mirror without targets");
    this.#refs = new RefStore({ ...options, sync: target.durability === "flush", exclusive: true });
    this.#branch = branchRefOf(target);
    this.#states = options.targets.map((each) => stateRefOf(each));
  }

  async exists(): Promise<boolean> {
    return (await this.#refs.read(this.#branch)) !== "";
  }

  async adopt(remote: RefIds): Promise<boolean> {
    const head = remote[this.#branch] ?? "";
    if (head === "" || (await this.exists())) return true;
    const reader = await this.#reader();
    const tips = await Promise.all(this.#states.map((ref) => this.#tipOf(reader, ref, remote[ref] ?? "")));
    const wanted = tips.filter((tip) => tip !== "");
    if (!(await this.#reaches(reader, head, wanted))) return false;
    await this.arrived(remote);
    // The branch last: until it is there, this is done again.
    for (const ref of [...this.#states, this.#branch]) await this.#put(ref, remote[ref] ?? "");
    return true;
  }

  async arrived(remote: RefIds): Promise<void> {
    for (const ref of [this.#branch, ...this.#states]) await this.#put(trackingOf(ref), remote[ref] ?? "");
  }

  /** `more`: there is more to read, ask again. `whole` as in Mirrors. */
  async outgoing(whole: boolean): Promise<Outgoing | "more" | null> {
    const head = await this.#refs.read(this.#branch);
    const pushed = await this.#refs.read(trackingOf(this.#branch));
    const reader = await this.#reader();
    const part = await this.#options.unpushed.look({ head, base: pushed }, async (id) => {
      const [parent = ""] = (await readCommit(reader, id)).parents;
      return parent;
    });
    if (part === null) return "more";
    const { ids, waiting } = part;
    const tip = ids.at(-1) ?? head;
    const updates: RefUpdate[] = [];
    for (const ref of tip === head ? [this.#branch, ...this.#states] : [this.#branch]) {
      const to = ref === this.#branch ? tip : await this.#refs.read(ref);
      const from = await this.#refs.read(trackingOf(ref));
      if (to !== "" && to !== from) updates.push({ ref, from, to });
    }
    if (updates.length === 0) return null;
    const blobs = updates.filter(({ ref }) => ref !== this.#branch).map(({ to }) => to);
    const packPath = await this.#packOf(reader, [...ids, ...blobs], {
      pushed: whole ? "" : pushed,
      tip: whole || tip === head ? null : tip,
    });
    return { commits: ids.length, waiting, updates, packPath };
  }

  async rebuild(remote: RefIds): Promise<number> {
    const head = remote[this.#branch] ?? "";
    const local = await this.#refs.read(this.#branch);
    const pushed = await this.#refs.read(trackingOf(this.#branch));
    const { targets } = this.#options;
    this.#options.unpushed.forget();
    const count = await rebuildOn({ ...this.#options, refs: this.#refs, targets, head, local, pushed, remote });
    await this.arrived(remote);
    return count;
  }

  async #put(ref: string, id: string): Promise<void> {
    const found = await this.#refs.read(ref);
    if (id !== "" && id !== found) await this.#refs.move(ref, { expected: found, id });
  }

  async #reader(): Promise<ObjectReader> {
    const { fs, gitDirectory } = this.#options;
    return ObjectReader.open(fs, gitDirectory);
  }

  async #tipOf(reader: ObjectReader, ref: string, id: string): Promise<string> {
    return id === "" ? "" : decodeState((await reader.read(id, "blob")).body, ref).tip;
  }

  async #reaches(reader: ObjectReader, head: string, tips: readonly string[]): Promise<boolean> {
    const missing = new Set(tips);
    const shallow = await readShallow(this.#options.fs, this.#options.gitDirectory);
    const seen = new Set([head]);
    for (const id of seen) {
      missing.delete(id);
      if (missing.size === 0) return true;
      if (!shallow.has(id)) for (const parent of (await readCommit(reader, id)).parents) seen.add(parent);
    }
    // All of it was read: whoever opens the branch says that it was rewritten.
    return shallow.size === 0;
  }

  /**
   * The packs that have the objects, oldest first: one as it is, several copied into one. Of packs that were written here, what comes before the end
   * of `pushed`, or behind that of `tip`, is left out: there each commit stands behind all that it needs.
   */
  async #packOf(
    reader: ObjectReader,
    ids: readonly string[],
    { pushed, tip }: { readonly pushed: string; readonly tip: string | null },
  ): Promise<string> {
    const { fs, gitDirectory, targets } = this.#options;
    const directory = `${gitDirectory}/objects/pack`;
    const own = await shelvedPacks(fs, gitDirectory);
    const start = pushed === "" ? null : await reader.locate(pushed);
    const end = tip === null ? null : await reader.locate(tip);
    const names = new Set<string>();
    for (const id of ids) {
      const found = await reader.locate(id);
      if (found === null) throw looseError(id, gitDirectory);
      names.add(found.pack);
    }
    const sources: PackSource[] = [];
    for (const name of names) {
      const source = await openPackSource({ fs, directory }, name);
      if (source === null) throw looseError(name, gitDirectory);
      const cut = (at: typeof start): number | undefined =>
        at?.pack === name && own.has(name) ? source.index.entryEnd(at.offset) : undefined;
      const [from, until] = [cut(start), cut(end)];
      sources.push({ ...source, ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) });
    }
    const [only] = sources;
    if (only !== undefined && only.from === undefined && only.until === undefined && sources.length === 1) {
      return `${directory}/${only.name}.pack`;
    }
    const path = `${directory}/tmp_push_kubescribe_${refPartOf(targets[0]?.id ?? "")}`;
    try {
      await copyPacks(sources, { fs, directory, path, sync: false, versions: null });
    } catch (error) {
      if (isMissing(error)) throw looseError("the commits to be pushed", gitDirectory);
      throw error;
    }
    return path;
  }
}

/** Where the remote's ref is kept. */
export function trackingOf(ref: string): string {
  return ref.replace(/^refs\//, "refs/upstream/");
}

function looseError(what: string, gitDirectory: string): KubescribeError {
  return new KubescribeError(
    packMissing,
    `a pack of ${gitDirectory} should hold ${what}, and none does any more: somebody repacked it in this moment; it is tried again`,
    { retry: "backoff" },
  );
}
