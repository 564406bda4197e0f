/**
 * A file system of its own that fills up, becomes read-only and goes away, as a volume would. Only root may mount one. Owns its mounts.
 * What is in it stays in it while it is away.
 */

import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class SmallDisk implements Disposable {
  /** Where programs find it. */
  readonly path: string;
  readonly #store: string;

  /** Below `directory`, which is there. */
  constructor(directory: string, sizeMib: number) {
    this.#store = join(directory, "store");
    this.path = join(directory, "disk");
    for (const each of [this.#store, this.path]) mkdirSync(each);
    run("mount", "-t", "tmpfs", "-o", `size=${sizeMib}m`, "tmpfs", this.#store);
    this.restore();
  }

  /** To the last byte. */
  fill(): void {
    const file = openSync(join(this.#store, "filler"), "w");
    try {
      for (let length = 1 << 20; length > 0;) if (!canWrite(file, length)) length >>= 1;
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(join(this.#store, "filler"));
  }

  /** For whoever opens something from now on: a mount above the other, whose open files go on. */
  makeReadOnly(): void {
    run("mount", "--bind", this.path, this.path);
    run("mount", "-o", "remount,bind,ro", this.path);
  }

  makeWritable(): void {
    run("umount", "--lazy", this.path);
  }

  /** The mount point stays, an empty directory. */
  lose(): void {
    run("umount", "--lazy", this.path);
  }

  restore(): void {
    run("mount", "--bind", this.#store, this.path);
  }

  [Symbol.dispose](): void {
    while (spawnSync("umount", ["--lazy", this.path]).status === 0);
    run("umount", "--lazy", this.#store);
  }
}

/** "mount", where this process may. */
export function findMount(): string | null {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-mount-"));
  try {
    using _disk = new SmallDisk(directory, 1);
    return "mount";
  } catch {
    return null;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function canWrite(file: number, length: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(length)) === length;
  } catch {
    return false;
  }
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
