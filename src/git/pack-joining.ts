/**
 * Joins the packs of a target as they become many: a pack for each flush would soon slow every reader. It takes a thread of its own, beside
 * the flushes: no commit waits for it.
 *
 * Owns `<git directory>/kubescribe/<target>.joined`, a line `name level` for each pack that was made here, and temporary files of its own. At
 * most one runs for a target.
 * 1. The new pack is written first and the old ones are removed after it; readers find every object at all times.
 * 2. A delta's base is in its pack, before it: it was written there first, and joining keeps the order.
 * 3. Packs stay few: at most `packsAtOnce` of flushes, `joinedAtOnce` of each level above, and those that are too large to be copied once more.
 */

import type { FileSystem } from "../../actors/ports.ts";
import { FileVersions } from "./file-versions.ts";
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
  /** Of every level. Default: `packsAtOnce`, then `joinedAtOnce`. */
  readonly atOnce?: number;
}

/** So many packs of flushes become one. */
export const packsAtOnce = 50;
/** And so many of those one of the next level: each object is copied as often as there are levels, at the most. */
const joinedAtOnce = 10;
const levels = 6;
/** What would become larger stays as it is: `git gc` is better at that. Some 100 bytes of memory are taken for each object. */
const joinedLimitBytes = 512 << 20;
const joinedLimitObjects = 1_500_000;

/** Does nothing where there are few. Throws what the file system throws; then it is done again some other time. */
export async function joinPacks(options: JoinOptions): Promise<void> {
  const { fs, gitDirectory, owner } = options;
  const joining = `${owner}-joined`;
  const listPath = `${gitDirectory}/kubescribe/${owner}.joined`;
  const temporaries = temporaryPackNames(joining);
  await clearHalfNamed(options, temporaries, listPath);
  const shelves = new Map<number, readonly string[]>([[0, await listedPacks(options)]]);
  for (const [name, level] of await joinedPacks(options, listPath))
    shelves.set(level, [...(shelves.get(level) ?? []), name]);
  for (let level = 0; level < levels; level++) {
    const names = shelves.get(level) ?? [];
    if (names.length < (options.atOnce ?? (level === 0 ? packsAtOnce : joinedAtOnce))) continue;
    const joined: string[] = [];
    for (const group of await groupsOf(names, options))
      joined.push(await join(group, { ...options, joining, listPath, level: level + 1 }));
    shelves.set(level, []);
    shelves.set(level + 1, [...(shelves.get(level + 1) ?? []), ...joined]);
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

/** Neighbours that are not too large together; one that is too large for any other stays alone. */
async function groupsOf(names: readonly string[], { fs, gitDirectory }: JoinOptions): Promise<readonly PackSource[][]> {
  const groups: PackSource[][] = [];
  let bytes = 0;
  let objects = 0;
  for (const name of names) {
    const source = await openPackSource({ fs, directory: packDirectoryOf(gitDirectory) }, name);
    if (source === null) continue;
    bytes += source.sizeBytes;
    objects += source.index.count;
    const group = groups.at(-1);
    if (group !== undefined && bytes <= joinedLimitBytes && objects <= joinedLimitObjects) group.push(source);
    else {
      groups.push([source]);
      bytes = source.sizeBytes;
      objects = source.index.count;
    }
  }
  return groups;
}

async function join(sources: readonly PackSource[], options: Joining): Promise<string> {
  const { fs, gitDirectory, joining, listPath, level, sync } = options;
  const [first] = sources;
  if (first !== undefined && sources.length === 1) return first.name;
  const directory = packDirectoryOf(gitDirectory);
  const path = `${directory}/${temporaryPackNames(joining).pack}`;
  const copied = await copyPacks(sources, { fs, directory, path, sync, versions: new FileVersions() });
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
