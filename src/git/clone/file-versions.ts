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

/** The first ones are often enough; then many more each time, since every look costs some processes. */
const firstCommits = 32;
const growth = 16;
const mostCommits = 4096;
/** Of contents at once in memory. */
const heldBytes = 64 << 20;

/** `entries`: of one resource, the newest first; or of several, but one of each commit. */
export async function* fileVersionsOf(clone: Clone, entries: readonly IndexEntry[]): AsyncGenerator<FileVersion> {
  for await (const change of fileChangesOf(clone, entries)) {
    const commit = await change.commit();
    if (commit !== null) yield { ...change, commit };
  }
}

/** The same for who may do without most of the commits. */
export async function* fileChangesOf(clone: Clone, entries: readonly IndexEntry[]): AsyncGenerator<FileChange> {
  for (
    let from = 0, size = firstCommits;
    from < entries.length;
    from += size, size = Math.min(mostCommits, size * growth)
  ) {
    yield* readChanges(clone, entries.slice(from, from + size));
  }
}

/** Commits that are asked for the targets that wrote them: of these, some recent ones are enough. */
const prefixCommits = 1000;

/** The directories of the targets that recorded the resource lately: one commit does not say which others there are. */
export async function prefixesOf(clone: Clone, entries: readonly IndexEntry[]): Promise<ReadonlySet<string>> {
  const differences = await readDifferences(clone, entries.slice(0, prefixCommits));
  const prefixes = new Set([...differences.values()].map(({ prefix }) => prefix));
  // All there is may be one commit where a shallow clone ends.
  return prefixes.size === 0 ? new Set([""]) : prefixes;
}

async function* readChanges(clone: Clone, entries: readonly IndexEntry[]): AsyncGenerator<FileChange> {
  const commits = commitReader(
    clone,
    entries.map(({ id }) => id),
  );
  // Of the first few, the answer is: there is no waiting for one after the other.
  const [differences] = await Promise.all([
    readDifferences(clone, entries),
    entries.length <= firstCommits ? commits() : null,
  ]);
  const bare = entries.flatMap(({ at, id, key }): readonly BareChange[] => {
    const commit = async (): Promise<RecordedCommit | null> => (await commits()).get(id) ?? null;
    const difference = differences.get(id);
    if (difference !== undefined) return [{ commit, at, difference, cutOff: false }];
    // A commit that a shallow clone cut off seems to add all there is: which file it changed is not known.
    const unknown = { prefix: key.prefix ?? "", path: "", before: "", after: "" };
    return clone.boundary.has(id) ? [{ commit, at, difference: unknown, cutOff: true }] : [];
  });
  for (const part of await partsOf(clone, bare)) yield* withContents(clone, part);
}

function commitReader(clone: Clone, ids: readonly string[]): () => Promise<ReadonlyMap<string, RecordedCommit>> {
  let reading: Promise<ReadonlyMap<string, RecordedCommit>> | null = null;
  const read = async (): Promise<ReadonlyMap<string, RecordedCommit>> => {
    return new Map((await readCommits(clone, ids)).map((commit) => [commit.id, commit]));
  };
  return () => (reading ??= read());
}

/** A change whose contents are not read yet. */
interface BareChange extends Pick<FileChange, "commit" | "at" | "cutOff"> {
  readonly difference: Difference;
}

async function partsOf(clone: Clone, changes: readonly BareChange[]): Promise<readonly (readonly BareChange[])[]> {
  if (changes.length <= firstCommits) return [changes];
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
