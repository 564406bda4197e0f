/**
 * Who set a field last: looks at the versions of one file, the newest first, until that is known.
 *
 * 1. A version is compared with the one before it in Git, so that a commit answers for its own difference only. 2. Where the file begins,
 * so does the answer: the object was created, or it was there before the history and nobody is named. 3. What changed in Git alone (a
 * takeover, an edit by hand before it) is no answer.
 */

import { changedFields, type ChangedField } from "../fields/changed-fields.ts";
import type { FieldPath } from "../fields/field-path.ts";
import { sectionOf } from "../fields/field-section.ts";
import { type FieldValue, isMap, pinned, valueAt } from "../fields/manifest-tree.ts";
import type { FileVersion } from "../git/clone/file-versions.ts";
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
  readonly versions: AsyncIterable<FileVersion>;
  readonly field: FieldPath;
  /** Directories of the targets that are asked. */
  readonly prefixes: Iterable<string>;
  /** Older commits may be missing. */
  readonly shallow: boolean;
}

/** One answer for each target that has the file; the search ends when all have one. */
export async function searchField(options: SearchOptions): Promise<readonly FieldAnswer[]> {
  const searches = new Map(Array.from(options.prefixes, (prefix) => [prefix, new FieldSearch(options)]));
  for await (const version of options.versions) {
    searches.get(version.prefix)?.take(version);
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

  take(version: FileVersion): void {
    if (this.ended) return;
    if (this.#newest === null) this.#begin(version);
    this.#end = this.#look(version);
  }

  #begin(version: FileVersion): void {
    this.#newest = version;
    const tree = this.#trees.of(version.after ?? version.before);
    this.#value = valueAt(tree, this.#field);
    this.#nearby = nearbyOf(tree, this.#field);
  }

  /** Null: an older one may know. */
  #look(version: FileVersion): SearchEnd | null {
    const { commit, before, after, cutOff } = version;
    if (cutOff) return "cut-off";
    if (commit.kind === "takeover") return null;
    if (before?.text === null || after?.text === null) return "unreadable";
    if (after === null) return version === this.#newest ? null : "never";
    if (before !== null && this.#isSame(before.text, after.text)) return null;
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

  #isSame(before: string, after: string): boolean {
    const until = this.#field.findIndex((step) => typeof step !== "string");
    const keys = (until < 0 ? this.#field : this.#field.slice(0, until)).filter((step) => typeof step === "string");
    const section = sectionOf(after, keys);
    return section !== null && section === sectionOf(before, keys);
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
