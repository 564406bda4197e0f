/**
 * The contents of versions as trees, the newest version first, its file after the change before that before it: what is before a change is
 * after the next older one, and parsed once.
 */

import { type FieldValue, readManifest } from "../fields/manifest-tree.ts";
import type { FileContent } from "../git/clone/file-versions.ts";

export class ContentTrees {
  #last: { readonly id: string; readonly tree: FieldValue } | null = null;

  /** Undefined: there is no file. Null: it cannot be read. */
  of(content: FileContent | null): FieldValue | undefined {
    if (content === null) return undefined;
    if (content.text === null) return null;
    if (this.#last?.id !== content.id) this.#last = { id: content.id, tree: readManifest(content.text) };
    return this.#last.tree;
  }
}
