/** Every file of ours at a branch's head, for `verify`: read by isomorphic-git, so that the judge is not the writer. */

import { readBlob, readTree } from "isomorphic-git";
import type { FileSystem } from "../../actors/ports.ts";
import { branchRefOf } from "./branch-view.ts";
import { isomorphicFiles } from "./isomorphic-files.ts";
import { pathPrefixOf, resourcePartOf } from "./layout.ts";
import { RefStore } from "./refs.ts";
import { findGitDirectory } from "./repository.ts";
import type { TargetOptions } from "./target.ts";

export interface ListedFile {
  /** From the root of the branch. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Nothing where the repository or the branch does not exist. Files that are not in our layout are left out. */
export async function* listTree(fs: FileSystem, target: TargetOptions): AsyncIterable<ListedFile> {
  const gitDirectory = await findGitDirectory(fs, target.repository);
  if (gitDirectory === null) return;
  const refs = new RefStore({ fs, gitDirectory, sync: false, clock: noClock });
  const head = await refs.read(branchRefOf(target));
  if (head === "") return;
  const repository = { fs: isomorphicFiles(fs), gitdir: gitDirectory, cache: {} };
  const prefix = pathPrefixOf(target.path);
  yield* filesBelow({ repository, oid: head, prefix, path: [] });
}

interface Level {
  readonly repository: Pick<Parameters<typeof readTree>[0], "fs" | "gitdir" | "cache">;
  readonly oid: string;
  readonly prefix: readonly string[];
  readonly path: readonly string[];
}

const layoutDepth = 3;

async function* filesBelow(level: Level): AsyncIterable<ListedFile> {
  const { repository, oid, prefix, path } = level;
  const depth = path.length - prefix.length;
  const { tree } = await readTree({ ...repository, oid });
  for (const entry of tree) {
    const below = [...path, entry.path];
    if (depth < 0 && entry.path !== prefix[path.length]) continue;
    if (entry.type === "tree" && depth < layoutDepth) yield* filesBelow({ ...level, oid: entry.oid, path: below });
    if (entry.type !== "blob" || depth !== layoutDepth || resourcePartOf(entry.path) === null) continue;
    yield { path: below.join("/"), bytes: (await readBlob({ ...repository, oid: entry.oid })).blob };
  }
}

/** Reading a ref takes no lock, and so asks for no time. */
const noClock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  after: () => ({ [Symbol.dispose]: () => {} }),
};
