/** Two flushes into a new repository, by whatever files: in a test by files in memory, and as a process of its own by real ones. */

import type { FileSystem } from "../../actors/ports.ts";
import { createBlockingFiles } from "../../src/composition/node-blocking-files.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { createInlineCommitPool } from "../../src/git/commit-pool.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { allSelections, changed, flush, plainManifest, targetAt } from "./fixtures.ts";

/** Of the command line. */
const realFiles: ReadonlyMap<string, () => FileSystem> = new Map([
  ["blocking", createBlockingFiles],
  ["waiting", createNodeFileSystem],
]);

/** By a clock that stands still, and with directories listed by name: the same calls each time. `files` has its methods as its own. */
export async function playFlushes(files: FileSystem, repository: string): Promise<void> {
  const fs = { ...files, list: async (path: string) => (await files.list(path)).toSorted() };
  const rounds = [
    [changed({ version: 1, name: "a" }), changed({ version: 2, name: "b" })],
    [changed({ version: 3, name: "a", operation: "DELETE" })],
  ];
  for (const entries of rounds) {
    // What tidies up behind a flush ends with the pool, and so before the next one begins.
    await using pool = createInlineCommitPool({
      fs,
      clock: createSimulatedClock(1_700_001_000_000),
      manifestOf: plainManifest,
      selectionsOf: () => allSelections,
      targets: [targetAt(repository)],
    });
    await flush(pool, entries);
  }
}

const [, script = "", files = "", repository = ""] = process.argv;
const create = realFiles.get(files);
if (script === import.meta.filename && create !== undefined) await playFlushes(create(), repository);
