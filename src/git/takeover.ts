/** Which of our files somebody else edited or removed between our last commit and the head. */

import { readCommit, treeAt } from "./history.ts";
import { type FilePath, resourcePartOf } from "./layout.ts";
import type { ObjectReader } from "./object-reader.ts";
import { TreeCache } from "./tree-cache.ts";
import { directoryMode, fileMode, type TreeEntry } from "./tree-node.ts";

export interface TakeoverOptions {
  readonly reader: ObjectReader;
  readonly ownTip: string;
  readonly head: string;
  readonly prefix: readonly string[];
}

/** Below the prefix: namespace, group, resource, and then files. */
const layoutDepth = 3;

/** Each with the id of our version. Files that were not ours are left as they are. */
export async function changedFilesOf(
  options: TakeoverOptions,
): Promise<readonly { readonly path: FilePath; readonly id: string }[]> {
  const { reader, prefix } = options;
  const files: { readonly path: FilePath; readonly id: string }[] = [];
  const compare = async (own: string, other: string, directories: readonly string[]): Promise<void> => {
    if (own === other || own === "") return;
    const theirs = new Map((await entriesOf(reader, other)).map((entry) => [entry.name, entry]));
    const depth = directories.length - prefix.length;
    for (const entry of await entriesOf(reader, own)) {
      const found = theirs.get(entry.name);
      if (depth < layoutDepth) {
        if (entry.mode !== directoryMode) continue;
        const otherId = found?.mode === directoryMode ? found.id : "";
        await compare(entry.id, otherId, [...directories, entry.name]);
      } else if (entry.mode === fileMode && resourcePartOf(entry.name) !== null) {
        if (found?.id === entry.id && found.mode === entry.mode) continue;
        files.push({ path: { directories, file: entry.name }, id: entry.id });
      }
    }
  };
  const rootOf = async (commit: string): Promise<string> =>
    treeAt(reader, (await readCommit(reader, commit)).tree, prefix);
  await compare(await rootOf(options.ownTip), await rootOf(options.head), prefix);
  return files;
}

async function entriesOf(reader: ObjectReader, id: string): Promise<readonly TreeEntry[]> {
  return (await TreeCache.read(reader, id)).entries([]);
}
