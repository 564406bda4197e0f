/**
 * What becomes of a type's files where objects are as the branch has them and only their files should be others: another version or other
 * keys wrote them, or the rules select something else now.
 */

import type { BatchEntry } from "./batch.ts";
import type { BranchFiles } from "./branch-files.ts";
import { filePathOf } from "./layout.ts";
import type { PreparedObject } from "./prepare.ts";
import type { SelectionIndex } from "./selection.ts";

export type FormatEntry = Extract<BatchEntry, { readonly kind: "format" }>;

export interface FormatOptions {
  readonly files: BranchFiles;
  readonly prefix: readonly string[];
  readonly selections: SelectionIndex;
  /** The rules select something else of the type than when its files were written. */
  readonly reselected: boolean;
}

export interface Rewritten {
  readonly written: number;
  readonly removed: number;
}

/** One that no update may touch, or that cannot be read, stays as it is. */
export async function rewriteFiles(
  { type, items }: FormatEntry,
  objects: readonly PreparedObject[],
  options: FormatOptions,
): Promise<Rewritten> {
  const { files, prefix, selections, reselected } = options;
  let written = 0;
  let removed = reselected ? await removeOutside(type, options) : 0;
  for (const { namespace, name, item } of items) {
    const object = objects[item];
    if (object === undefined) continue;
    const path = filePathOf(prefix, type, { namespace, name });
    const selectable = { typeKey: type.key, namespace, labels: object.labels };
    if (await files.has(path)) {
      if (object.faulted) continue;
      if (selections.decide({ ...selectable, operation: "UPDATE" }) === "write") {
        if (await files.writeObject(path, object)) written += 1;
      } else if (reselected && !selections.includes(selectable) && (await files.remove(path))) removed += 1;
    } else if (reselected && selections.includes(selectable) && (await files.writeObject(path, object))) written += 1;
  }
  return { written, removed };
}

/** Where no rule looks at the type any more, nothing of it can be what the cluster has, nor ever be mended. */
async function removeOutside(
  type: FormatEntry["type"],
  { files, selections }: Pick<FormatOptions, "files" | "selections">,
): Promise<number> {
  let removed = 0;
  for (const { path } of await files.ofType(type, (namespace) => !selections.covers(type.key, namespace))) {
    if (await files.remove(path)) removed += 1;
  }
  return removed;
}

/** For a person. `types`: a type, or how many. */
export function formatSubject({ written, removed }: Rewritten, types: string, reselected: boolean): string {
  const of = (count: number): string => (count === 1 ? "1 file" : `${count} files`);
  if (!reselected) return `Rewrite ${of(written)} of ${types} in another format`;
  const parts = [
    ...(written > 0 ? [`write ${of(written)}`] : []),
    ...(removed > 0 ? [`remove ${written > 0 ? removed : of(removed)}`] : []),
  ];
  return `Follow changed rules: ${parts.join(" and ")} of ${types}`;
}
