/** Repositories in memory, copied out to where stock git can look at them. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BranchPool, createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { readCommit } from "../../src/git/history.ts";
import { ObjectReader } from "../../src/git/object-reader.ts";
import type { TargetOptions } from "../../src/git/target.ts";
import { createSimulatedClock, type SimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { allSelections, plainManifest, targetAt } from "./fixtures.ts";

export class MemoryWorld {
  readonly clock: SimulatedClock = createSimulatedClock(1_700_001_000_000);
  readonly fs = new MemoryFileSystem(this.clock);

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

  /** As `git log --format=%s` has them. */
  async subjects(): Promise<readonly string[]> {
    const reader = await ObjectReader.open(this.fs, "/repo");
    const found: string[] = [];
    let id = Buffer.from(await this.fs.readFile("/repo/refs/heads/main"))
      .toString("latin1")
      .trim();
    while (id !== "") {
      const commit = await readCommit(reader, id);
      found.push(commit.message.split("\n")[0] ?? "");
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
