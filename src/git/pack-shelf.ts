/**
 * The packs that one target has written.
 *
 * Owns `<git directory>/kubescribe/<target>.packs`, a line for each pack, and the target's temporary files.
 * 1. A pack is listed before it gets its name: what a crash leaves half-named is found and removed.
 * 2. The list is not synced: what a loss of power took from it is found again by what stands in the packs. A pack that has neither line nor
 *    index after one stays, as bytes that nobody reads: it might be somebody else's, who is about to name its index.
 * 3. A pack that is gone (joined, `git gc`) is nobody's loss: nothing here is needed to read the repository.
 */

import { inflateSync } from "node:zlib";
import type { FileSystem } from "../../actors/ports.ts";
import { exists, listIfAny, makeDurableDirectory, readTextIfAny, removeIfAny, replaceFile } from "./files.ts";
import { openPackSource, type PackPlace } from "./pack-copy.ts";
import { decodeEntryHeader } from "./pack-entry.ts";
import { isState } from "./state.ts";
import { type PackBuilder, temporaryPackNames, writePack, type WritePackOptions } from "./pack.ts";

export interface PackShelfOptions {
  readonly fs: FileSystem;
  readonly gitDirectory: string;
  readonly owner: string;
  readonly sync: boolean;
}

/** So many lines may tell of packs that are gone. */
const staleLines = 1000;

export class PackShelf {
  readonly #options: PackShelfOptions;
  readonly #writing: WritePackOptions;
  #lines = 0;

  private constructor(options: PackShelfOptions) {
    this.#options = options;
    const { fs, gitDirectory, owner, sync } = options;
    const announce = (name: string): Promise<void> => appendLine(fs, listPathOf(options), name);
    this.#writing = { fs, directory: packDirectoryOf(gitDirectory), owner, sync, announce };
  }

  /** Clears away what a crash or a full disk left. The target's lock says that nobody else is writing it. */
  static async open(options: PackShelfOptions): Promise<PackShelf> {
    const { fs, gitDirectory, owner } = options;
    await makeDurableDirectory(fs, `${gitDirectory}/kubescribe`, options.sync);
    await clearHalfNamed(options, temporaryPackNames(owner), listPathOf(options));
    const shelf = new PackShelf(options);
    await shelf.#forgetGone(await orphanedPacks(options));
    return shelf;
  }

  async write(builder: PackBuilder): Promise<void> {
    await writePack(builder, this.#writing);
    this.#lines += 1;
    if (this.#lines % staleLines === 0) await this.#forgetGone();
  }

  async #forgetGone(orphans: readonly string[] = []): Promise<void> {
    const { fs } = this.#options;
    const names = [...orphans, ...(await listedPacks(this.#options))];
    this.#lines = names.length;
    await replaceFile(fs, listPathOf(this.#options), { text: names.map((name) => `${name}\n`).join(""), sync: false });
  }
}

/**
 * One more pack, that is joined with those of the flushes: only while none of them is written. `maker` tells its temporary files from
 * theirs.
 */
export async function shelve(
  builder: PackBuilder,
  options: PackShelfOptions & { readonly maker: string },
): Promise<void> {
  const { fs, gitDirectory, sync, maker } = options;
  await makeDurableDirectory(fs, `${gitDirectory}/kubescribe`, sync);
  const owner = `${options.owner}-${maker}`;
  await clearHalfNamed(options, temporaryPackNames(owner), listPathOf(options));
  const announce = (name: string): Promise<void> => appendLine(fs, listPathOf(options), name);
  await writePack(builder, { fs, directory: packDirectoryOf(gitDirectory), owner, sync, announce });
}

/** Of those that a target has written, oldest first, what is still there. */
export async function listedPacks(
  options: Pick<PackShelfOptions, "fs" | "gitDirectory" | "owner">,
): Promise<readonly string[]> {
  const { fs, gitDirectory } = options;
  const there = new Set(await listIfAny(fs, packDirectoryOf(gitDirectory)));
  const text = (await readTextIfAny(fs, listPathOf(options))) ?? "";
  // Of an earlier version there may be a number behind the name.
  const names = Array.from(text.matchAll(/^(pack-[0-9a-f]{40})(?: \d+)?$/gm), ([, name = ""]) => name);
  return [...new Set(names)].filter((name) => there.has(`${name}.idx`));
}

/** So many are looked into at once. */
const orphanLimit = 1000;

/**
 * Packs that a flush wrote, and that nobody has on his list. Of two targets in one repository both may find them, and join them: an object
 * in two packs is no harm.
 */
async function orphanedPacks({ fs, gitDirectory }: PackShelfOptions): Promise<readonly string[]> {
  const listed = await shelvedPacks(fs, gitDirectory);
  const directory = packDirectoryOf(gitDirectory);
  const there = await listIfAny(fs, directory);
  const unlisted = there.filter((name) => name.endsWith(".idx") && !listed.has(name.slice(0, -4)));
  const orphans: string[] = [];
  for (const name of unlisted.slice(0, orphanLimit)) {
    const pack = name.slice(0, -4);
    if (!there.includes(`${pack}.keep`) && (await endsInState({ fs, directory }, pack))) orphans.push(pack);
  }
  return orphans;
}

/** Those that anybody has on his list, there or not. */
export async function shelvedPacks(fs: FileSystem, gitDirectory: string): Promise<ReadonlySet<string>> {
  const lists = (await listIfAny(fs, `${gitDirectory}/kubescribe`)).filter((name) => /\.(?:packs|joined)$/.test(name));
  const listed = new Set<string>();
  for (const name of lists) {
    const text = (await readTextIfAny(fs, `${gitDirectory}/kubescribe/${name}`)) ?? "";
    for (const [pack] of text.matchAll(/^pack-[0-9a-f]{40}/gm)) listed.add(pack);
  }
  return listed;
}

/** What a flush writes ends in its state. */
async function endsInState(place: PackPlace, name: string): Promise<boolean> {
  const source = await openPackSource(place, name);
  const last = source?.index.lastOffset() ?? -1;
  if (source === null || last < 0) return false;
  await using file = await place.fs.open(`${place.directory}/${name}.pack`, "read");
  const entry = Buffer.alloc(Math.min(source.index.entryEnd(last) - last, stateLimitBytes));
  const { type, bodyAt } = decodeEntryHeader(entry.subarray(0, await file.read(entry, last)), last);
  if (type !== "blob") return false;
  try {
    return isState(inflateSync(entry.subarray(bodyAt), { maxOutputLength: stateLimitBytes }));
  } catch {
    // Something large, and so none of ours.
    return false;
  }
}

/** Many times what the cursors of a thousand types take. */
const stateLimitBytes = 1 << 20;

/**
 * Packs that are listed and have no index yet, temporary files, and indexes whose pack a loss of power took: they are of use to nobody, and
 * would count as packs. Whoever writes one gives the pack its name first, so that a listing that shows an index alone is only old.
 */
export async function clearHalfNamed(
  { fs, gitDirectory }: Pick<PackShelfOptions, "fs" | "gitDirectory">,
  temporaries: { readonly pack: string; readonly index: string },
  listPath: string,
): Promise<void> {
  const directory = packDirectoryOf(gitDirectory);
  const there = new Set(await listIfAny(fs, directory));
  for (const name of Object.values(temporaries)) if (there.has(name)) await fs.remove(`${directory}/${name}`);
  const text = (await readTextIfAny(fs, listPath)) ?? "";
  for (const [name] of text.matchAll(/^pack-[0-9a-f]{40}/gm))
    if (there.has(`${name}.pack`) && !there.has(`${name}.idx`)) await fs.remove(`${directory}/${name}.pack`);
  for (const [name = ""] of Array.from(there, (each) => /^pack-[0-9a-f]{40}(?=\.idx$)/.exec(each) ?? [])) {
    if (name === "" || there.has(`${name}.pack`) || (await exists(fs, `${directory}/${name}.pack`))) continue;
    await removeIfAny(fs, `${directory}/${name}.idx`);
  }
}

export function packDirectoryOf(gitDirectory: string): string {
  return `${gitDirectory}/objects/pack`;
}

export async function appendLine(fs: FileSystem, path: string, line: string): Promise<void> {
  await using file = await fs.open(path, "append");
  await file.write(Buffer.from(`${line}\n`, "latin1"));
}

function listPathOf({ gitDirectory, owner }: Pick<PackShelfOptions, "gitDirectory" | "owner">): string {
  return `${gitDirectory}/kubescribe/${owner}.packs`;
}
