/** A mirror on disk and its remote beside it: a bare repository that stock git reads and writes. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Outgoing, RefIds } from "../../actors/ports.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createInlineCommitPool, type BranchPool } from "../../src/git/commit-pool.ts";
import { stateRefOf } from "../../src/git/state.ts";
import type { UnpushedBounds } from "../../src/git/unpushed.ts";
import { createSimulatedClock, type SimulatedClock } from "../../src/simulation/simulated-clock.ts";
import {
  allSelections,
  changed,
  clusterUid,
  flush,
  plainManifest,
  runGit,
  targetAt,
  temporaryPlace,
} from "./fixtures.ts";

export const target = "default/history";
export const branch = "refs/heads/main";
export const state = stateRefOf({ id: target, clusterUid });
export const fileOf = (name: string): string => `clusters/prod/default/core/configmaps/${name}.yaml`;

export class MirrorWorld implements Disposable {
  readonly place = temporaryPlace("mirror.git");
  readonly clock: SimulatedClock = createSimulatedClock(1_700_001_000_000);
  readonly remote = join(this.place.path, "..", "remote.git");
  pool: BranchPool = this.open();
  #version = 0;
  #clones = 0;

  constructor() {
    runGit("/", ["init", "-q", "--bare", "-b", "main", this.remote]);
  }

  open(path = this.place.path, unpushed: Partial<UnpushedBounds> = {}): BranchPool {
    return createInlineCommitPool({
      unpushed,
      fs: createNodeFileSystem(),
      clock: this.clock,
      manifestOf: plainManifest,
      selectionsOf: () => allSelections,
      targets: [targetAt(path, { isMirror: true })],
    });
  }

  async commit(name: string, content: string): Promise<void> {
    this.#version += 1;
    await flush(this.pool, [changed({ version: this.#version, name, content: `${content}\n` })]);
  }

  /** By stock git: the pack must have all that is missing there. */
  deliver({ updates, packPath }: Outgoing): RefIds {
    const args = ["index-pack", "--fix-thin", "--stdin", "--strict"];
    runGit(this.remote, args, readFileSync(packPath) as unknown as string);
    for (const { ref, from, to } of updates)
      runGit(this.remote, ["update-ref", ref, to, from === "" ? "0".repeat(40) : from]);
    return this.refs();
  }

  refs(): RefIds {
    const lines = runGit(this.remote, ["for-each-ref", "--format=%(refname) %(objectname)"]).split("\n");
    return Object.fromEntries(lines.filter((line) => line !== "").map((line) => line.split(" ") as [string, string]));
  }

  async push(): Promise<void> {
    const outgoing = await this.pool.mirrors.outgoing(target, false);
    if (outgoing === null) throw new Error("there should be something to push");
    await this.pool.mirrors.arrived(target, this.deliver(outgoing));
  }

  fetch(into = this.place.path, ...options: readonly string[]): RefIds {
    runGit(into, ["fetch", "-q", ...options, `file://${this.remote}`, "+refs/*:refs/fetched/*"]);
    return this.refs();
  }

  /** Somebody else commits there. */
  edit(files: Readonly<Record<string, string>>): void {
    const work = join(this.place.path, "..", `work-${(this.#clones += 1)}`);
    runGit("/", ["clone", "-q", this.remote, work]);
    for (const [path, text] of Object.entries(files))
      runGit(work, [
        "update-index",
        "--add",
        "--cacheinfo",
        `100644,${runGit(work, ["hash-object", "-w", "--stdin"], text)},${path}`,
      ]);
    runGit(work, ["commit", "-q", "-m", "mine"]);
    runGit(work, ["push", "-q"]);
  }

  log(format = "%an|%s"): readonly string[] {
    return runGit(this.remote, ["log", "--reverse", `--format=${format}`, "main"]).split("\n");
  }

  check(): void {
    runGit(this.remote, ["fsck", "--strict", "--full"]);
    runGit(this.place.path, ["fsck", "--strict", "--full"]);
  }

  [Symbol.dispose](): void {
    this.place[Symbol.dispose]();
  }
}
