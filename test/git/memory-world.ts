/** Repositories in memory, copied out to where stock git can look at them. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BranchPool, createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { readTextIfAny } from "../../src/git/files.ts";
import { type Commit, readCommit } from "../../src/git/history.ts";
import { ObjectReader } from "../../src/git/object-reader.ts";
import type { TargetOptions } from "../../src/git/target.ts";
import { fileChanges } from "../../src/git/tree-diff.ts";
import { createSimulatedClock, type SimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { allSelections, plainManifest, targetAt } from "./fixtures.ts";

export class MemoryWorld {
  readonly clock: SimulatedClock;
  readonly fs: MemoryFileSystem;

  /** `left`: files of another world, such as what a loss of power left of them; they are not shared. */
  constructor(left?: MemoryFileSystem) {
    this.clock = createSimulatedClock(1_700_001_000_000);
    this.fs = left?.copy(this.clock) ?? new MemoryFileSystem(this.clock);
  }

  pool(target: Partial<TargetOptions> = {}): BranchPool {
    const { fs, clock } = this;
    return createInlineCommitPool({
      fs,
      clock,
      manifestOf: plainManifest,
      selectionsOf: () => allSelections,
      targets: [targetAt("/repo", target)],
    });
  }

  /** As `git log --format=%s` has them; none where there is no branch. */
  async subjects(): Promise<readonly string[]> {
    const commits = await this.#commits(await ObjectReader.open(this.fs, "/repo"));
    return commits.map(subjectOf);
  }

  /** As `subjects`; throws unless every object that the branch needs can be read. */
  async readAll(): Promise<readonly string[]> {
    const reader = await ObjectReader.open(this.fs, "/repo");
    const commits = await this.#commits(reader);
    let newer = "";
    for (const { tree } of commits) {
      for await (const { id } of fileChanges(reader, newer, tree)) if (id !== "") await reader.read(id, "blob");
      newer = tree;
    }
    return commits.map(subjectOf);
  }

  async #commits(reader: ObjectReader): Promise<readonly Commit[]> {
    const found: Commit[] = [];
    let id = ((await readTextIfAny(this.fs, "/repo/refs/heads/main")) ?? "").trim();
    while (id !== "") {
      const commit = await readCommit(reader, id);
      found.push(commit);
      id = commit.parents[0] ?? "";
    }
    return found;
  }

  /** Copies `/repo` to `path`. */
  copyTo(path: string): void {
    for (const directory of this.fs.directories()) {
      if (directory.startsWith("/repo")) mkdirSync(join(path, directory.slice(5)), { recursive: true });
    }
    for (const [name, bytes] of this.fs.files()) {
      if (!name.startsWith("/repo/")) continue;
      mkdirSync(dirname(join(path, name.slice(5))), { recursive: true });
      writeFileSync(join(path, name.slice(5)), bytes);
    }
  }
}

function subjectOf({ message }: Commit): string {
  return message.split("\n")[0] ?? "";
}
