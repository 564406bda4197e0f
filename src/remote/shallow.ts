/** gitrepository-layout: the file `shallow` names commits whose parents are not here on purpose. */

import type { FileSystem } from "../../actors/ports.ts";
import type { ShallowChange } from "./upload-pack.ts";

export async function readShallow(fs: FileSystem, gitDirectory: string): Promise<readonly string[]> {
  try {
    const text = Buffer.from(await fs.readFile(`${gitDirectory}/shallow`)).toString("latin1");
    return text.split("\n").filter((line) => /^[0-9a-f]{40}$/.test(line));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

export interface ShallowPlace {
  readonly fs: FileSystem;
  readonly gitDirectory: string;
  readonly sync: boolean;
  /** Nobody else is at work there: a lock that stands is of a process that ended. */
  readonly alone: boolean;
}

/** By way of `shallow.lock`, as git does it: one that is there already is somebody's, and fails this. */
export async function addShallow(
  { fs, gitDirectory, sync, alone }: ShallowPlace,
  change: ShallowChange,
): Promise<void> {
  if (change.shallow.length === 0 && change.unshallow.length === 0) return;
  const lock = `${gitDirectory}/shallow.lock`;
  const file = await fs.open(lock, alone ? "create" : "create-new");
  try {
    const ids = new Set([...(await readShallow(fs, gitDirectory)), ...change.shallow]);
    for (const id of change.unshallow) ids.delete(id);
    await file.write(Buffer.from([...ids].map((id) => `${id}\n`).join(""), "latin1"));
    if (sync) await file.sync();
    await fs.rename(lock, `${gitDirectory}/shallow`);
  } catch (error) {
    await fs.remove(lock).catch(() => {});
    throw error;
  } finally {
    await file[Symbol.asyncDispose]();
  }
  if (sync) await fs.syncDirectory(gitDirectory);
}
