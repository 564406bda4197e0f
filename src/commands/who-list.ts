/** The newest changes of one resource, apart for each target that wrote them. */

import { changedFields } from "../fields/changed-fields.ts";
import type { FieldPath } from "../fields/field-path.ts";
import type { FileContent, FileVersion } from "../git/clone/file-versions.ts";
import type { IndexEntry } from "../git/clone/history-index.ts";
import { ContentTrees } from "./content-trees.ts";

export interface ListedChange {
  readonly version: FileVersion;
  /** Null: the contents are not in the clone, or cannot be read. Empty where the file came or went whole. */
  readonly fields: readonly FieldPath[] | null;
}

export interface ChangeList {
  readonly prefix: string;
  /** The newest first. */
  readonly changes: readonly ListedChange[];
}

export interface ChangeLists {
  readonly lists: readonly ChangeList[];
  /** Commits about the resource that are older than those that are listed. */
  readonly older: number;
}

export interface ListOptions {
  readonly versions: AsyncIterable<FileVersion>;
  /** What the versions are of. */
  readonly entries: readonly IndexEntry[];
  /** 0 is all. */
  readonly limit: number;
  /** Only below this directory; null: any. */
  readonly path: string | null;
}

export async function listChanges({ versions, entries, limit, path }: ListOptions): Promise<ChangeLists> {
  const byPrefix = new Map<string, ListedChange[]>();
  const trees = new ContentTrees();
  let listed = 0;
  let older = 0;
  for await (const version of versions) {
    if (path !== null && version.prefix !== path) continue;
    const list = byPrefix.get(version.prefix) ?? [];
    list.push({ version: withoutTexts(version), fields: fieldsOf(version, trees) });
    byPrefix.set(version.prefix, list);
    listed += 1;
    if (listed !== limit) continue;
    older = entries.filter(({ at }) => at < version.at).length;
    break;
  }
  return { lists: Array.from(byPrefix, ([prefix, changes]) => ({ prefix, changes })), older };
}

/** Of all changes there may be gigabytes. */
function withoutTexts(version: FileVersion): FileVersion {
  const idOf = (content: FileContent | null): FileContent | null => content && { id: content.id, text: null };
  return { ...version, before: idOf(version.before), after: idOf(version.after) };
}

function fieldsOf({ before, after, cutOff }: FileVersion, trees: ContentTrees): ListedChange["fields"] {
  if (cutOff) return null;
  if (before === null || after === null) return [];
  const to = trees.of(after);
  const from = trees.of(before);
  return from === null || to === null ? null : changedFields(from, to).map(({ path }) => path);
}
