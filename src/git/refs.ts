/**
 * Refs as files (gitrepository-layout): read loose before packed, moved under `<ref>.lock` as git itself does it, so that our
 * process and somebody's `git push` never overwrite each other.
 */

import type { Clock, FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { exists, isMissing, makeDurableDirectory, parentOf, readTextIfAny } from "./files.ts";

export interface RefStoreOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly gitDirectory: string;
  readonly sync: boolean;
  /** Nobody else moves refs here: a lock that is found was left behind. Default false. */
  readonly exclusive?: boolean;
}

/** A lock is held for some ms; one as old as this was left behind by a process that died. */
const staleLockMs = 5_000;
const symbolicDepth = 5;

export class RefStore {
  readonly #options: RefStoreOptions;
  /** Directories whose names are durable; git removes those that it empties. */
  readonly #durable = new Set<string>();

  constructor(options: RefStoreOptions) {
    this.#options = options;
  }

  /** The id in hex, or empty where there is no such ref. */
  async read(name: string): Promise<string> {
    return (await this.#resolve(name)).id;
  }

  /**
   * Makes what `read` tells durable: an attempt that failed, or was killed, may have moved the ref and not synced that. Whoever builds on
   * it would have it undone beneath him by a loss of power.
   */
  async settle(name: string): Promise<void> {
    const { fs, gitDirectory, sync } = this.#options;
    const directory = parentOf(`${gitDirectory}/${(await this.#resolve(name)).name}`);
    if (!sync || !(await exists(fs, directory))) return;
    await this.#makeDurable(directory);
    await fs.syncDirectory(directory);
  }

  /** Moves the ref from `expected` (empty: it must not exist) to `id`; a ref that stands elsewhere is an error. */
  async move(name: string, move: { readonly expected: string; readonly id: string }): Promise<void> {
    const { fs, gitDirectory, sync } = this.#options;
    const target = (await this.#resolve(name)).name;
    const path = `${gitDirectory}/${target}`;
    const directory = parentOf(path);
    await this.#makeDurable(directory);
    const lock = `${path}.lock`;
    await this.#lock(lock, target, move.id);
    try {
      const found = (await this.#resolve(target)).id;
      if (found !== move.expected) throw movedError(target, move.expected, found);
      await fs.rename(lock, path);
    } catch (error) {
      await fs.remove(lock).catch(() => {});
      throw error;
    }
    if (sync) await fs.syncDirectory(directory);
  }

  async #makeDurable(directory: string): Promise<void> {
    const { fs, sync } = this.#options;
    if (this.#durable.has(directory) && (await exists(fs, directory))) return;
    await makeDurableDirectory(fs, directory, sync);
    this.#durable.add(directory);
  }

  async #lock(lock: string, name: string, id: string): Promise<void> {
    const { fs, sync } = this.#options;
    const file = await fs.open(lock, "create-new").catch(async (error: unknown) => {
      if (!(await this.#isStale(lock))) throw lockedError(name, lock, error);
      await fs.remove(lock);
      return fs.open(lock, "create-new");
    });
    try {
      await file.write(Buffer.from(`${id}\n`, "latin1"));
      if (sync) await file.sync();
    } catch (error) {
      await fs.remove(lock).catch(() => {});
      throw error;
    } finally {
      await file[Symbol.asyncDispose]();
    }
  }

  async #isStale(lock: string): Promise<boolean> {
    try {
      const { modifiedMs } = await this.#options.fs.stat(lock);
      if (this.#options.exclusive === true) return true;
      return this.#options.clock.nowMs() - modifiedMs > staleLockMs;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async #resolve(name: string): Promise<{ readonly name: string; readonly id: string }> {
    let current = name;
    for (let depth = 0; depth < symbolicDepth; depth++) {
      const text = await readTextIfAny(this.#options.fs, `${this.#options.gitDirectory}/${current}`);
      if (text === null) return { name: current, id: await this.#readPacked(current) };
      if (!text.startsWith("ref: ")) return { name: current, id: idIn(text, current) };
      current = text.slice(5).trim();
    }
    throw new KubescribeError("git-ref-invalid", `the ref ${name} points at refs in a circle`, { retry: "never" });
  }

  async #readPacked(name: string): Promise<string> {
    const text = (await readTextIfAny(this.#options.fs, `${this.#options.gitDirectory}/packed-refs`)) ?? "";
    const line = text.split("\n").find((candidate) => candidate.slice(41) === name && candidate[40] === " ");
    return line === undefined ? "" : idIn(line.slice(0, 40), name);
  }
}

function idIn(text: string, name: string): string {
  const id = text.trim();
  if (/^[0-9a-f]{40}$/.test(id)) return id;
  throw new KubescribeError(
    "git-ref-invalid",
    `the ref ${name} should hold 40 hex digits and holds ${JSON.stringify(id.slice(0, 60))}: ` +
      "run git fsck, and set it to a commit with git update-ref",
    { retry: "never" },
  );
}

function movedError(name: string, expected: string, found: string): KubescribeError {
  const at = (id: string): string => (id === "" ? "nothing" : id);
  return new KubescribeError(
    "git-ref-moved",
    `${name} was expected at ${at(expected)} and is at ${at(found)}: somebody moved it; the flush is built anew on that`,
    { retry: "backoff" },
  );
}

function lockedError(name: string, lock: string, cause: unknown): unknown {
  if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) return cause;
  return new KubescribeError(
    "git-ref-locked",
    `${name} is locked by another git process (${lock}); it is tried again, and the lock is taken over after ` +
      `${staleLockMs / 1000} s`,
    { retry: "backoff", cause },
  );
}
