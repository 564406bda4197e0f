/**
 * Joins the packs of a target as they become many: a pack for each flush would soon slow every reader. It takes a thread of its own, beside
 * the flushes: no commit waits for it.
 *
 * Owns `<git directory>/kubescribe/<target>.joined`, a line `name level` for each pack that was made here, and temporary files of its own. At
 * most one runs for a target.
 * 1. The new pack is written first and the old ones are removed after it; readers find every object at all times.
 * 2. A delta's base is in its pack, before it: it was written there first, and joining keeps the order.
 * 3. Packs stay few: at most `packsPerLevel` of each level, and those that are too large to be copied once more.
 */

import type { FileSystem } from "../../actors/ports.ts";
import { listIfAny, readTextIfAny, removeIfAny, replaceFile } from "./files.ts";
import { publishPack, temporaryPackNames } from "./pack.ts";
import { copyPacks, openPackSource, type PackSource } from "./pack-copy.ts";
import { appendLine, clearHalfNamed, listedPacks, packDirectoryOf } from "./pack-shelf.ts";

export interface JoinOptions {
  readonly fs: FileSystem;
  readonly gitDirectory: string;
  /** Of the packs: as PackShelf has it. */
  readonly owner: string;
  readonly sync: boolean;
  /** Default `packsPerLevel`. */
  readonly atOnce?: number;
}

/** So many packs of one level become one of the next: each object is copied as often as there are levels, at the most. */
export const packsPerLevel = 50;
const levels = 3;
/** What would become larger stays as it is: `git gc` is better at that. Indexes are held in memory, some 100 bytes an object. */
const joinedLimitBytes = 512 << 20;
const joinedLimitObjects = 1_000_000;

/** Does nothing where there are few. Throws what the file system throws; then it is done again some other time. */
export async function joinPacks(options: JoinOptions): Promise<void> {
  const { fs, gitDirectory, owner, atOnce = packsPerLevel } = options;
  const joining = `${owner}-joined`;
  const listPath = `${gitDirectory}/kubescribe/${owner}.joined`;
  const temporaries = temporaryPackNames(joining);
  await clearHalfNamed(options, temporaries, listPath);
  const shelves = new Map<number, readonly string[]>([[0, await listedPacks(options)]]);
  for (const [name, level] of await joinedPacks(options, listPath))
    shelves.set(level, [...(shelves.get(level) ?? []), name]);
  for (let level = 0; level < levels; level++) {
    const names = shelves.get(level) ?? [];
    if (names.length < atOnce) continue;
    const joined = await join(names, { ...options, joining, listPath, level: level + 1 });
    // Those that are too large for it are not looked at again.
    const text = joined === null ? names : [joined];
    shelves.set(level, []);
    shelves.set(level + 1, [...(shelves.get(level + 1) ?? []), ...text]);
  }
  const lines = [...shelves].flatMap(([level, names]) =>
    level === 0 ? [] : names.map((name) => `${name} ${level}\n`),
  );
  await replaceFile(fs, listPath, { text: lines.join(""), sync: false });
}

interface Joining extends JoinOptions {
  readonly joining: string;
  readonly listPath: string;
  readonly level: number;
}

/** Null: together they would be too large. */
async function join(names: readonly string[], options: Joining): Promise<string | null> {
  const { fs, gitDirectory, joining, listPath, level, sync } = options;
  const directory = packDirectoryOf(gitDirectory);
  const sources: PackSource[] = [];
  for (const name of names) {
    const source = await openPackSource({ fs, directory }, name);
    if (source !== null) sources.push(source);
  }
  const sum = (of: (source: PackSource) => number): number => sources.reduce((total, each) => total + of(each), 0);
  if (sum(({ sizeBytes }) => sizeBytes) > joinedLimitBytes) return null;
  if (sum(({ index }) => index.count) > joinedLimitObjects) return null;
  const path = `${directory}/${temporaryPackNames(joining).pack}`;
  const copied = await copyPacks(sources, { fs, directory, path, sync });
  const announce = (name: string): Promise<void> => appendLine(fs, listPath, `${name} ${level}`);
  const joined = await publishPack(copied, { fs, directory, owner: joining, sync, announce });
  for (const { name } of sources) if (name !== joined) await removePack(fs, directory, name);
  return joined;
}

async function joinedPacks(
  { fs, gitDirectory }: JoinOptions,
  listPath: string,
): Promise<readonly (readonly [name: string, level: number])[]> {
  const there = new Set(await listIfAny(fs, packDirectoryOf(gitDirectory)));
  const text = (await readTextIfAny(fs, listPath)) ?? "";
  const levelsOf = new Map<string, number>();
  for (const [, name = "", level] of text.matchAll(/^(pack-[0-9a-f]{40}) (\d+)$/gm)) levelsOf.set(name, Number(level));
  return [...levelsOf].filter(([name]) => there.has(`${name}.idx`));
}

/** The index first, as git does it: without one, nobody looks for the pack. */
async function removePack(fs: FileSystem, directory: string, name: string): Promise<void> {
  for (const ending of [".idx", ".rev", ".pack"]) await removeIfAny(fs, `${directory}/${name}${ending}`);
}
