/** What the commits about one resource made of its file, the newest first, read a few at a time: an answer is often near. */

import type { Clone } from "./clone.ts";
import { askGit } from "./git.ts";
import { halves } from "./halves.ts";
import type { IndexEntry } from "./history-index.ts";
import { readObjects, sizesOf } from "./objects.ts";
import { parted } from "./parted.ts";
import { readCommits, type RecordedCommit } from "./recorded-commit.ts";
import { fileOfPath } from "./record-key.ts";

export interface FileChange {
  /** Read when it is asked for first, with those of its neighbours. Null: there is no such commit. */
  readonly commit: () => Promise<RecordedCommit | null>;
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

export interface FileVersion extends Omit<FileChange, "commit"> {
  readonly commit: RecordedCommit;
}

export interface FileContent {
  /** Hex, of the blob. */
  readonly id: string;
  /** Null: the clone has no such object, or it is too large. */
  readonly text: string | null;
}

/** Commits at a time. The first ones are often enough; every look costs some processes, so then it is many, and then all but all. */
const looks = [32, 256, 8192] as const;
/** The messages of so many commits are read together. */
const neighbours = 256;
/** Of contents at once in memory. */
const heldBytes = 64 << 20;

/** `entries`: of one resource, the newest first; or of several, but one of each commit. */
export async function* fileVersionsOf(clone: Clone, entries: readonly IndexEntry[]): AsyncGenerator<FileVersion> {
  for await (const change of fileChangesOf(clone, entries)) {
    const commit = await change.commit();
    if (commit !== null) yield { ...change, commit };
  }
}

/** The same for who may do without most of the commits. `recent`: of the same entries. */
export async function* fileChangesOf(
  clone: Clone,
  entries: readonly IndexEntry[],
  recent: RecentChanges | null = null,
): AsyncGenerator<FileChange> {
  for (let from = 0, look = 0; from < entries.length; look++) {
    const to = from + (looks[look] ?? looks[2]);
    const known = recent === null || to > recent.asked ? null : recent.differences;
    yield* readChanges(clone, entries.slice(from, to), known);
    from = to;
  }
}

/** What some recent commits about a resource changed. */
export interface RecentChanges {
  /** The directories of the targets that recorded it: one commit does not say which others there are. */
  readonly prefixes: ReadonlySet<string>;
  /** Of so many entries. */
  readonly asked: number;
  readonly differences: ReadonlyMap<string, Difference>;
}

/** Commits that are asked for the targets that wrote them. */
const recentCommits = 1000;

export async function recentChangesOf(clone: Clone, entries: readonly IndexEntry[]): Promise<RecentChanges> {
  const differences = await readDifferences(clone, entries.slice(0, recentCommits));
  const prefixes = new Set([...differences.values()].map(({ prefix }) => prefix));
  // All there is may be one commit where a shallow clone ends.
  return { prefixes: prefixes.size === 0 ? new Set([""]) : prefixes, asked: recentCommits, differences };
}

async function* readChanges(
  clone: Clone,
  entries: readonly IndexEntry[],
  known: RecentChanges["differences"] | null,
): AsyncGenerator<FileChange> {
  const commitOf = commitReader(
    clone,
    entries.map(({ id }) => id),
  );
  // Of the first few, the answer is: there is no waiting for one after the other.
  const [differences] = await Promise.all([
    known ?? readDifferences(clone, entries),
    entries.length <= looks[0] ? commitOf(0) : null,
  ]);
  const bare = entries.flatMap(({ at, id, key }, place): readonly BareChange[] => {
    const commit = (): Promise<RecordedCommit | null> => commitOf(place);
    const difference = differences.get(id);
    if (difference !== undefined) return [{ commit, at, difference, cutOff: false }];
    // A commit that a shallow clone cut off seems to add all there is: which file it changed is not known.
    const unknown = { prefix: key.prefix ?? "", path: "", before: "", after: "" };
    return clone.boundary.has(id) ? [{ commit, at, difference: unknown, cutOff: true }] : [];
  });
  for (const part of await partsOf(clone, bare)) yield* withContents(clone, part);
}

/** By its place among the ids. */
function commitReader(clone: Clone, ids: readonly string[]): (place: number) => Promise<RecordedCommit | null> {
  const groups = new Map<number, Promise<ReadonlyMap<string, RecordedCommit>>>();
  const read = async (from: number): Promise<ReadonlyMap<string, RecordedCommit>> => {
    const commits = await readCommits(clone, ids.slice(from, from + neighbours));
    return new Map(commits.map((commit) => [commit.id, commit]));
  };
  return async (place) => {
    const from = place - (place % neighbours);
    const group = groups.get(from) ?? read(from);
    groups.set(from, group);
    return (await group).get(ids[place] ?? "") ?? null;
  };
}

/** A change whose contents are not read yet. */
interface BareChange extends Pick<FileChange, "commit" | "at" | "cutOff"> {
  readonly difference: Difference;
}

async function partsOf(clone: Clone, changes: readonly BareChange[]): Promise<readonly (readonly BareChange[])[]> {
  if (changes.length <= looks[0]) return [changes];
  const sizes = await sizesOf(clone, blobsOf(changes));
  const bytesOf = ({ difference: { before, after } }: BareChange): number =>
    (sizes.get(before) ?? 0) + (sizes.get(after) ?? 0);
  return parted(changes, { bytesOf, limitBytes: heldBytes });
}

function blobsOf(changes: readonly BareChange[]): readonly string[] {
  const ids = changes.flatMap(({ difference: { before, after } }) => [after, before]);
  return [...new Set(ids)].filter((id) => id !== "");
}

/** Texts are made one by one, and soon forgotten: of thousands at once, copying them takes longer than making them. */
async function* withContents(clone: Clone, changes: readonly BareChange[]): AsyncGenerator<FileChange> {
  const objects = await readObjects(clone, blobsOf(changes));
  let last: FileContent | null = null;
  const content = (id: string): FileContent | null => {
    if (id === "") return null;
    const body = objects.get(id);
    if (last?.id !== id) last = { id, text: body?.toString() ?? null };
    return last;
  };
  for (const { difference, ...change } of changes) {
    const { before, after, ...place } = difference;
    yield { ...change, ...place, after: content(after), before: content(before) };
  }
}

interface Difference {
  readonly prefix: string;
  readonly path: string;
  /** Hex; empty: there is no file. */
  readonly before: string;
  readonly after: string;
}

async function readDifferences(clone: Clone, entries: readonly IndexEntry[]): Promise<ReadonlyMap<string, Difference>> {
  const whole = entries.filter(({ id }) => !clone.boundary.has(id));
  const notes = whole.filter(({ key }) => key.prefix !== null);
  // A snapshot changes thousands of files: only ours are compared.
  const paths = new Set(notes.map(({ key }) => `${key.prefix === "" ? "" : `${key.prefix}/`}${key.file}.yaml`));
  const found = await Promise.all([
    ...halves(whole.filter(({ key }) => key.prefix === null)).map((half) =>
      diffTrees(clone, { entries: half, paths: [] }),
    ),
    diffTrees(clone, { entries: notes, paths: [...paths] }),
  ]);
  return new Map(found.flatMap((differences) => [...differences]));
}

interface DiffOptions {
  readonly entries: readonly IndexEntry[];
  /** Empty: all. */
  readonly paths: readonly string[];
}

async function diffTrees(clone: Clone, { entries, paths }: DiffOptions): Promise<ReadonlyMap<string, Difference>> {
  const found = new Map<string, Difference>();
  if (entries.length === 0) return found;
  const files = new Map(entries.map(({ id, key }) => [id, key.file]));
  const args = ["diff-tree", "--stdin", "-r", "--root", "--no-renames", "--raw", "-z", "--no-abbrev"];
  const input = `${[...files.keys()].join("\n")}\n`;
  const output = await askGit(clone.git, [...args, "--", ...paths], { input });
  const parts = output.toString("utf8").split("\0");
  // Mostly it is one path, thousands of times.
  const places = new Map<string, ReturnType<typeof fileOfPath>>();
  let id = "";
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] ?? "";
    const raw = /^:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) /.exec(part);
    if (raw === null) {
      id = part;
      continue;
    }
    const path = parts[++at] ?? "";
    let place = places.get(path);
    if (place === undefined) places.set(path, (place = fileOfPath(path)));
    if (place === null || place.file !== files.get(id)) continue;
    found.set(id, { prefix: place.prefix, path, before: blobIn(raw[1], raw[3]), after: blobIn(raw[2], raw[4]) });
  }
  return found;
}

const regularFile = /^100/;

function blobIn(mode: string | undefined, id: string | undefined): string {
  return mode !== undefined && id !== undefined && regularFile.test(mode) ? id : "";
}
