/** Small steps over the file system port that several files of this folder take. */

import type { FileSystem } from "../../actors/ports.ts";

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/** Null where there is no such file, or where it is a directory. */
export async function readIfAny(fs: FileSystem, path: string): Promise<Uint8Array | null> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    if (isMissing(error) || (error instanceof Error && "code" in error && error.code === "EISDIR")) return null;
    throw error;
  }
}

export async function readTextIfAny(fs: FileSystem, path: string): Promise<string | null> {
  const bytes = await readIfAny(fs, path);
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

export async function listIfAny(fs: FileSystem, path: string): Promise<readonly string[]> {
  try {
    return await fs.list(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export async function exists(fs: FileSystem, path: string): Promise<boolean> {
  return (await sizeIfAny(fs, path)) !== null;
}

export async function sizeIfAny(fs: FileSystem, path: string): Promise<number | null> {
  try {
    return (await fs.stat(path)).sizeBytes;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export async function removeIfAny(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.remove(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/**
 * A new directory is durable only once its parent is synced, and so on upwards. One that is there may be as new: who made it may have
 * failed, or been killed, before that. Those above it were synced before it was made.
 */
export async function makeDurableDirectory(fs: FileSystem, path: string, sync: boolean): Promise<void> {
  const parent = parentOf(path);
  const found = await exists(fs, path);
  if (!found) {
    await makeDurableDirectory(fs, parent, sync);
    await fs.makeDirectory(path);
  }
  if (!sync) return;
  try {
    await fs.syncDirectory(parent);
  } catch (error) {
    // Somebody else made it for us, in a directory that is not ours to read.
    if (!(found && isDenied(error))) throw error;
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM");
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Replaces a small file whole, by way of `<path>.tmp`. */
export async function replaceFile(
  fs: FileSystem,
  path: string,
  content: { readonly text: string; readonly sync: boolean },
): Promise<void> {
  const temporary = `${path}.tmp`;
  {
    await using file = await fs.open(temporary, "create");
    await file.write(Buffer.from(content.text, "utf8"));
    if (content.sync) await file.sync();
  }
  await fs.rename(temporary, path);
  if (content.sync) await fs.syncDirectory(parentOf(path));
}
