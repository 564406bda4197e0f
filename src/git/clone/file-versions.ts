/** What the commits about one resource made of its file, the newest first, read a few at a time: an answer is often near. */

import type { Clone } from "./clone.ts";
import { askGit } from "./git.ts";
import type { IndexEntry } from "./history-index.ts";
import { readObjects } from "./objects.ts";
import { readCommits, type RecordedCommit } from "./recorded-commit.ts";
import { fileOfPath } from "./record-key.ts";

export interface FileVersion {
  readonly commit: RecordedCommit;
  /** Place in the history: a later one is newer. */
  readonly at: number;
  /** Directory of the target: several may write to one branch. */
  readonly prefix: string;
  readonly path: string;
  /** Null: there is no file. */
  readonly before: FileContent | null;
  readonly after: FileContent | null;
  /** A shallow clone ends here: what was before the commit is not known. */
  readonly cutOff: boolean;
}

export interface FileContent {
  /** Hex, of the blob. */
  readonly id: string;
  /** Null: the clone has no such object, or it is too large. */
  readonly text: string | null;
}

const firstCommits = 32;
/** At once in memory, with two contents each. */
const mostCommits = 128;
/** The API server takes objects of up to 3 MB. */
const contentBytes = 16 << 20;

/** `entries`: of one resource, the newest first. */
export async function* fileVersionsOf(clone: Clone, entries: readonly IndexEntry[]): AsyncGenerator<FileVersion> {
  for (let from = 0, size = firstCommits; from < entries.length; from += size, size = Math.min(mostCommits, size * 2)) {
    yield* await readVersions(clone, entries.slice(from, from + size));
  }
}

/** Commits that are asked for the targets that wrote them: of these, some recent ones are enough. */
const prefixCommits = 1000;

/** The directories of the targets that recorded the resource lately: one commit does not say which others there are. */
export async function prefixesOf(clone: Clone, entries: readonly IndexEntry[]): Promise<ReadonlySet<string>> {
  const changes = await readChanges(clone, entries.slice(0, prefixCommits));
  const prefixes = new Set([...changes.values()].map(({ prefix }) => prefix));
  // All there is may be one commit where a shallow clone ends.
  return prefixes.size === 0 ? new Set([""]) : prefixes;
}

async function readVersions(clone: Clone, entries: readonly IndexEntry[]): Promise<readonly FileVersion[]> {
  const commits = await readCommits(
    clone,
    entries.map(({ id }) => id),
  );
  const byId = new Map(commits.map((commit) => [commit.id, commit]));
  const changes = await readChanges(clone, entries);
  const contents = await contentsOf(clone, [...changes.values()]);
  return entries.flatMap(({ at, id, key }): readonly FileVersion[] => {
    const commit = byId.get(id);
    const change = changes.get(id);
    if (commit === undefined) return [];
    const cutOff = clone.boundary.has(id);
    // A change has one file. One that a shallow clone cut off seems to add all there are: which one is not known.
    if (change === undefined)
      return cutOff ? [{ commit, at, prefix: key.prefix ?? "", path: "", ...nothing, cutOff }] : [];
    return [{ commit, at, ...change, before: contents(change.before), after: contents(change.after), cutOff }];
  });
}

const nothing = { before: null, after: null };

interface FileChange {
  readonly prefix: string;
  readonly path: string;
  /** Hex; empty: there is no file. */
  readonly before: string;
  readonly after: string;
}

async function readChanges(clone: Clone, entries: readonly IndexEntry[]): Promise<ReadonlyMap<string, FileChange>> {
  const whole = entries.filter(({ id }) => !clone.boundary.has(id));
  const notes = whole.filter(({ key }) => key.prefix !== null);
  const changes = await diffTrees(clone, { entries: whole.filter(({ key }) => key.prefix === null), paths: [] });
  // A snapshot changes thousands of files: only ours are compared.
  const paths = new Set(notes.map(({ key }) => `${key.prefix === "" ? "" : `${key.prefix}/`}${key.file}.yaml`));
  const noted = await diffTrees(clone, { entries: notes, paths: [...paths] });
  return new Map([...changes, ...noted]);
}

interface DiffOptions {
  readonly entries: readonly IndexEntry[];
  /** Empty: all. */
  readonly paths: readonly string[];
}

async function diffTrees(clone: Clone, { entries, paths }: DiffOptions): Promise<ReadonlyMap<string, FileChange>> {
  const found = new Map<string, FileChange>();
  if (entries.length === 0) return found;
  const files = new Map(entries.map(({ id, key }) => [id, key.file]));
  const args = ["diff-tree", "--stdin", "-r", "--root", "--no-renames", "--raw", "-z", "--no-abbrev"];
  const input = `${[...files.keys()].join("\n")}\n`;
  const output = await askGit(clone.git, [...args, "--", ...paths], { input });
  const parts = output.toString("utf8").split("\0");
  let id = "";
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] ?? "";
    const raw = /^:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) /.exec(part);
    if (raw === null) {
      id = part;
      continue;
    }
    const path = parts[++at] ?? "";
    const place = fileOfPath(path);
    if (place === null || place.file !== files.get(id)) continue;
    found.set(id, { prefix: place.prefix, path, before: blobIn(raw[1], raw[3]), after: blobIn(raw[2], raw[4]) });
  }
  return found;
}

const regularFile = /^100/;

function blobIn(mode: string | undefined, id: string | undefined): string {
  return mode !== undefined && id !== undefined && regularFile.test(mode) ? id : "";
}

async function contentsOf(clone: Clone, changes: readonly FileChange[]): Promise<(id: string) => FileContent | null> {
  const ids = [...new Set(changes.flatMap(({ before, after }) => [before, after]))].filter((id) => id !== "");
  const objects = await readObjects(clone, ids);
  const texts = new Map<string, string | null>();
  for (const [id, body] of objects) texts.set(id, body.length > contentBytes ? null : body.toString("utf8"));
  return (id) => (id === "" ? null : { id, text: texts.get(id) ?? null });
}
