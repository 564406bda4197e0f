/** Which files differ between two trees: only the directories that differ are read. */

import { directoryMode, type TreeEntry, TreeNode } from "./tree-node.ts";
import type { TreeSource } from "./tree-cache.ts";
import type { FilePath } from "./layout.ts";

export interface FileChange {
  readonly path: FilePath;
  readonly mode: string;
  /** Hex; empty where the file is gone. */
  readonly id: string;
}

/** From one root tree to another, both by id; empty: no tree. In git's order, what is gone in a directory last. */
export async function* fileChanges(source: TreeSource, from: string, to: string): AsyncIterable<FileChange> {
  yield* changesBelow({ source, directories: [] }, from, to);
}

interface Place {
  readonly source: TreeSource;
  readonly directories: readonly string[];
}

async function* changesBelow(place: Place, from: string, to: string): AsyncIterable<FileChange> {
  if (from === to) return;
  const { source, directories } = place;
  const before = new Map((await entriesOf(source, from)).map((entry) => [entry.name, entry]));
  const below = (name: string): Place => ({ source, directories: [...directories, name] });
  for (const entry of await entriesOf(source, to)) {
    const { name, mode, id } = entry;
    const old = before.get(name);
    before.delete(name);
    if (old?.id === id && old.mode === mode) continue;
    if (old !== undefined && isDirectory(old) !== isDirectory(entry)) yield* goneBelow(place, old);
    if (isDirectory(entry)) yield* changesBelow(below(name), old !== undefined && isDirectory(old) ? old.id : "", id);
    else yield { path: { directories, file: name }, mode, id };
  }
  for (const old of before.values()) yield* goneBelow(place, old);
}

async function* goneBelow(place: Place, entry: TreeEntry): AsyncIterable<FileChange> {
  const { source, directories } = place;
  const { name, mode, id } = entry;
  if (isDirectory(entry)) yield* changesBelow({ source, directories: [...directories, name] }, id, "");
  else yield { path: { directories, file: name }, mode, id: "" };
}

function isDirectory({ mode }: TreeEntry): boolean {
  return mode === directoryMode;
}

async function entriesOf(source: TreeSource, id: string): Promise<readonly TreeEntry[]> {
  return id === "" ? [] : new TreeNode(await source.readTree(id)).entries();
}
