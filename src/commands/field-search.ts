/**
 * Who set a field last: looks at the versions of one file, the newest first, until that is known.
 *
 * 1. A version is compared with the one before it in Git, so that a commit answers for its own difference only. 2. Where the file begins,
 * so does the answer: the object was created, or it was there before the history and nobody is named. 3. What changed in Git alone (a
 * takeover, an edit by hand before it) is no answer. 4. Of a version in which the lines of the field are the same, neither the YAML is parsed
 * nor the commit read: there may be thousands of them.
 */

import { changedFields, type ChangedField } from "../fields/changed-fields.ts";
import type { FieldPath } from "../fields/field-path.ts";
import { type FieldLines, linesOf, sameLines } from "../fields/field-lines.ts";
import { type FieldValue, isMap, pinned, valueAt } from "../fields/manifest-tree.ts";
import type { FileChange, FileContent, FileVersion } from "../git/clone/file-versions.ts";
import { ContentTrees } from "./content-trees.ts";

export interface AnswerStep {
  readonly version: FileVersion;
  /** Below the field that was asked for; paths begin there. */
  readonly fields: readonly ChangedField[];
}

/** Why the search ended. `never`: the object was created without it; `beginning`: it may be older than the file. */
export type SearchEnd = "found" | "never" | "beginning" | "cut-off" | "unreadable";

export interface FieldAnswer {
  readonly prefix: string;
  /** The newest of the file. */
  readonly newest: FileVersion;
  /** As it is now, or was before the file went; undefined: not there. */
  readonly value: FieldValue | undefined;
  /** The longest part of the path that is there, and what is there below it. */
  readonly nearby: { readonly path: FieldPath; readonly keys: readonly string[] };
  /** The newest first. With the end `found` the last one set the field; others are notes (a snapshot) with which it changed. */
  readonly steps: readonly AnswerStep[];
  readonly end: SearchEnd;
}

export interface SearchOptions {
  /** The newest first. */
  readonly changes: AsyncIterable<FileChange>;
  readonly field: FieldPath;
  /** Directories of the targets that are asked. */
  readonly prefixes: Iterable<string>;
  /** Older commits may be missing. */
  readonly shallow: boolean;
}

/** One answer for each target that has the file; the search ends when all have one. */
export async function searchField(options: SearchOptions): Promise<readonly FieldAnswer[]> {
  const searches = new Map(Array.from(options.prefixes, (prefix) => [prefix, new FieldSearch(options)]));
  for await (const change of options.changes) {
    await searches.get(change.prefix)?.take(change);
    if ([...searches.values()].every(({ ended }) => ended)) break;
  }
  return [...searches.values()].flatMap((search) => search.answer ?? []);
}

class FieldSearch {
  readonly #trees = new ContentTrees();
  readonly #steps: AnswerStep[] = [];
  readonly #shallow: boolean;
  #field: FieldPath;
  #newest: FileVersion | null = null;
  #value: FieldValue | undefined;
  #nearby: FieldAnswer["nearby"] = { path: [], keys: [] };
  #end: SearchEnd | null = null;
  #last: { readonly id: string; readonly field: FieldPath; readonly lines: FieldLines | null } = {
    id: "",
    field: [],
    lines: null,
  };

  constructor({ field, shallow }: Pick<SearchOptions, "field" | "shallow">) {
    this.#field = field;
    this.#shallow = shallow;
  }

  get ended(): boolean {
    return this.#end !== null;
  }

  get answer(): FieldAnswer | null {
    if (this.#newest === null) return null;
    return {
      prefix: this.#newest.prefix,
      newest: this.#newest,
      value: this.#value,
      nearby: this.#nearby,
      steps: this.#steps,
      end: this.#end ?? (this.#shallow ? "cut-off" : "beginning"),
    };
  }

  async take(change: FileChange): Promise<void> {
    if (this.ended) return;
    if (this.#newest !== null && this.#isSame(change)) return;
    const commit = await change.commit();
    if (commit === null) return;
    const version = { ...change, commit };
    if (this.#newest === null) this.#begin(version);
    this.#end = this.#look(version);
  }

  #begin(version: FileVersion): void {
    this.#newest = version;
    const tree = this.#trees.of(version.after ?? version.before);
    this.#value = valueAt(tree, this.#field);
    this.#nearby = nearbyOf(tree, this.#field);
    this.#field = pinned(this.#field, tree);
  }

  /** Null: an older one may know. */
  #look(version: FileVersion): SearchEnd | null {
    const { commit, before, after, cutOff } = version;
    if (cutOff) return "cut-off";
    if (commit.kind === "takeover") return null;
    if (before?.text === null || after?.text === null) return "unreadable";
    if (after === null) return version === this.#newest ? null : "never";
    if (this.#isSame(version)) return null;
    const fields = this.#changedIn(version);
    if (fields === null) return "unreadable";
    if (fields.length > 0) this.#steps.push({ version, fields });
    if (before === null && !creates(version)) return "beginning";
    if (commit.kind === "" && fields.length > 0) return "found";
    return before === null ? "never" : null;
  }

  #changedIn({ before, after }: FileVersion): readonly ChangedField[] | null {
    const to = this.#trees.of(after);
    // Last: it is what the next older version has after it.
    const from = this.#trees.of(before);
    if (from === null || to === null) return null;
    // A field that is gone now may have been an item with a name.
    this.#field = pinned(pinned(this.#field, to), from);
    return changedFields(valueAt(from, this.#field), valueAt(to, this.#field));
  }

  /** By the lines alone: what may have changed for all they tell is compared as trees. */
  #isSame({ before, after, cutOff }: Pick<FileChange, "before" | "after" | "cutOff">): boolean {
    if (cutOff || before === null || after === null) return false;
    const is = this.#linesOf(after);
    return sameLines(is, this.#linesOf(before));
  }

  /** What is before a change is mostly after the next older one. */
  #linesOf({ id, text }: FileContent): FieldLines | null {
    if (this.#last.id === id && this.#last.field === this.#field) return this.#last.lines;
    const lines = text === null ? null : linesOf(text, this.#field);
    this.#last = { id, field: this.#field, lines };
    return lines;
  }
}

/** Whoever first touches an object that was there before has not set all that it has. */
function creates({ commit }: FileVersion): boolean {
  return commit.kind === "" && commit.operation === "CREATE";
}

function nearbyOf(tree: FieldValue | undefined, field: FieldPath): FieldAnswer["nearby"] {
  let path: FieldPath = field;
  while (path.length > 0 && valueAt(tree, path) === undefined) path = path.slice(0, -1);
  const value = valueAt(tree, path);
  return { path, keys: isMap(value) ? [...value.keys()] : [] };
}
