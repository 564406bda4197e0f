/**
 * The packs that one target has written, and the joining of small ones: a pack for each flush would soon slow every reader.
 *
 * Owns `<git directory>/kubescribe/<target>.packs`, a line `name level` for each pack, and the target's temporary files.
 * 1. A pack is listed before it gets its name: what a crash leaves half-named is found and removed.
 * 2. Joining writes the new pack first and removes the old ones after it; readers find every object at all times.
 * 3. A delta's base is in its pack, before it: it was written there first, and joining keeps the order.
 * 4. A pack that is gone (`git gc`) is nobody's loss: nothing here is needed to read the repository.
 */

import type { FileSystem } from "../../actors/ports.ts";
import { isMissing, listIfAny, makeDurableDirectory, readTextIfAny, replaceFile } from "./files.ts";
import { type PackBuilder, publishPack, temporaryPackNames, writePack, type WritePackOptions } from "./pack.ts";
import { copyPacks, openPackSource, type PackSource } from "./pack-copy.ts";

export interface PackShelfOptions {
  readonly fs: FileSystem;
  readonly gitDirectory: string;
  readonly owner: string;
  readonly sync: boolean;
}

/** So many packs of one level become one of the next: each object is copied twice at the most. */
const packsPerLevel = 50;
const levels = 2;
/** What would become larger stays as it is: `git gc` is better at that. */
const joinedLimitBytes = 512 << 20;

export class PackShelf {
  readonly #options: PackShelfOptions;
  readonly #writing: WritePackOptions;
  readonly #levels: Map<string, number>;

  private constructor(options: PackShelfOptions, packLevels: Map<string, number>) {
    this.#options = options;
    this.#levels = packLevels;
    const { fs, gitDirectory, owner, sync } = options;
    const announce = (name: string): Promise<void> => this.#append(name, 0);
    this.#writing = { fs, directory: `${gitDirectory}/objects/pack`, owner, sync, announce };
  }

  /** Clears away what a crash or a full disk left. The target's lock says that nobody else is writing it. */
  static async open(options: PackShelfOptions): Promise<PackShelf> {
    const { fs, gitDirectory, owner } = options;
    const directory = `${gitDirectory}/objects/pack`;
    const names = new Set(await listIfAny(fs, directory));
    const temporaries = temporaryPackNames(owner);
    for (const name of [temporaries.pack, temporaries.index])
      if (names.has(name)) await fs.remove(`${directory}/${name}`);
    await makeDurableDirectory(fs, `${gitDirectory}/kubescribe`, options.sync);
    const text = (await readTextIfAny(fs, listPath(options))) ?? "";
    const packLevels = new Map<string, number>();
    for (const [, name = "", level] of text.matchAll(/^(pack-[0-9a-f]{40}) (\d+)$/gm)) {
      if (names.has(`${name}.idx`)) packLevels.set(name, Number(level));
      else if (names.has(`${name}.pack`)) await fs.remove(`${directory}/${name}.pack`);
    }
    return new PackShelf(options, packLevels);
  }

  async write(builder: PackBuilder): Promise<void> {
    this.#levels.set(await writePack(builder, this.#writing), 0);
  }

  /** Joins what has become too many. Nothing depends on it: a failure is tried again after the next flush. */
  async tidy(): Promise<void> {
    for (let level = 0; level < levels; level++) {
      const names = [...this.#levels].filter(([, of]) => of === level).map(([name]) => name);
      if (names.length < packsPerLevel) continue;
      try {
        await this.#join(names, level + 1);
      } catch {
        const { fs, directory } = this.#writing;
        for (const name of Object.values(temporaryPackNames(this.#options.owner))) {
          await fs.remove(`${directory}/${name}`).catch(() => {});
        }
        return;
      }
    }
  }

  async #join(names: readonly string[], level: number): Promise<void> {
    const { fs, directory } = this.#writing;
    const sources = await this.#sourcesOf(names);
    if (sources.reduce((sum, source) => sum + source.sizeBytes, 0) > joinedLimitBytes) {
      for (const name of names) this.#levels.set(name, levels);
      return;
    }
    const path = `${directory}/${temporaryPackNames(this.#options.owner).pack}`;
    const copied = await copyPacks(sources, { fs, directory, path, sync: this.#options.sync });
    const announce = (name: string): Promise<void> => this.#append(name, level);
    const joined = await publishPack(copied, { ...this.#writing, announce });
    for (const name of names) if (name !== joined) await this.#removePack(name);
    this.#levels.set(joined, level);
    const text = [...this.#levels].map(([name, of]) => `${name} ${of}\n`).join("");
    await replaceFile(fs, listPath(this.#options), { text, sync: false });
  }

  async #sourcesOf(names: readonly string[]): Promise<readonly PackSource[]> {
    const sources: PackSource[] = [];
    for (const name of names) {
      const source = await openPackSource(this.#writing, name);
      if (source === null) this.#levels.delete(name);
      else sources.push(source);
    }
    return sources;
  }

  /** The index first, as git does it: without one, nobody looks for the pack. */
  async #removePack(name: string): Promise<void> {
    const { fs, directory } = this.#writing;
    for (const ending of [".idx", ".rev", ".pack"]) {
      await fs.remove(`${directory}/${name}${ending}`).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    }
    this.#levels.delete(name);
  }

  async #append(name: string, level: number): Promise<void> {
    await using file = await this.#options.fs.open(listPath(this.#options), "append");
    await file.write(Buffer.from(`${name} ${level}\n`, "latin1"));
  }
}

function listPath(options: PackShelfOptions): string {
  return `${options.gitDirectory}/kubescribe/${options.owner}.packs`;
}
