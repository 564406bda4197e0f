/**
 * Keys as files of the data directory, which its user alone may read. Owns the order of what is asked of it; the lock of the directory is
 * the caller's.
 */

import { join } from "node:path";

import type { FileSystem } from "../../actors/ports.ts";
import type { KeyTexts } from "./key-texts.ts";
import { replacePrivateFile } from "./private-file.ts";
import { readKeyFile } from "./read-keys.ts";

export type KeyFiles = Pick<FileSystem, "readFile" | "open" | "rename" | "syncDirectory">;

export class KeyDirectory implements KeyTexts {
  readonly #files: KeyFiles;
  readonly #directory: string;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(files: KeyFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  take(name: string, make: () => Promise<string>): Promise<string> {
    const taken = this.#turn.then(async () => {
      const found = await this.read(name);
      if (found !== null) return found;
      const made = await make();
      await this.write(name, made);
      return made;
    });
    this.#turn = taken.catch(() => undefined);
    return taken;
  }

  /** Null: there is none. Throws `configuration-invalid` for one that is damaged, or cannot be read. */
  read(name: string): Promise<string | null> {
    return readKeyFile(this.#files, join(this.#directory, name), name);
  }

  /** Returns once it is durable. */
  async write(name: string, text: string): Promise<void> {
    await replacePrivateFile(this.#files, join(this.#directory, name), text);
  }
}
