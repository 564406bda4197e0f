/**
 * Keeps the index of a history between two questions, below the user's cache directory: nothing is ever written to a clone.
 *
 * 1. What was kept is believed only where its tip is the tip, or an ancestor of it, in a clone that is cut off at the same place, and where
 * its checksum holds; otherwise all is read anew. 2. A file is replaced whole. 3. A cache that cannot be read or written costs time only.
 */

import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { FileSystem } from "../../../actors/ports.ts";
import { listIfAny, readIfAny } from "../files.ts";
import type { Clone } from "./clone.ts";
import { emptyIndex, extended, type HistoryIndex, idBytes } from "./history-index.ts";
import { readHistory } from "./read-history.ts";

export interface IndexCache {
  readonly files: FileSystem;
  /** Absolute; null: nothing is kept. */
  readonly directory: string | null;
  /** Beside what others write at the same time. */
  readonly unique: string;
}

/** Raised with whatever changes what an index holds. */
const formatVersion = 1;
const keptHistories = 20;
/** Some ten million commits. Larger ones are read anew each time. */
const keptBytes = 256 << 20;

/** The index of the clone's history. Rejects as `askGit` does. */
export async function loadIndex(clone: Clone, cache: IndexCache): Promise<HistoryIndex> {
  if (clone.tip === "") return emptyIndex;
  const kept = await readKept(clone, cache);
  if (kept !== null && kept.tip === clone.tip) return kept.index;
  const usable = kept !== null && (await isAncestor(clone, kept.tip));
  const index = usable
    ? extended(kept.index, await readHistory(clone, kept.tip))
    : extended(emptyIndex, await readHistory(clone, ""));
  await keep(clone, index, cache);
  return index;
}

async function isAncestor({ git, tip }: Clone, id: string): Promise<boolean> {
  // Fails as well where the commit is gone.
  return (await git(["merge-base", "--is-ancestor", id, tip])).code === 0;
}

interface Header {
  readonly format: number;
  readonly tip: string;
  readonly boundary: string;
  readonly keysBytes: number;
  readonly entries: number;
  readonly crc: number;
}

/** One file for each history that is asked: another branch is another one. */
function pathOf(clone: Clone, directory: string): string {
  return `${directory}/${hash("sha256", `${clone.gitDirectory}\0${clone.ref}`, "hex").slice(0, 32)}.index`;
}

function boundaryOf({ boundary }: Clone): string {
  return boundary.size === 0 ? "" : hash("sha256", [...boundary].sort().join("\n"), "hex");
}

async function readKept(
  clone: Clone,
  { files, directory }: IndexCache,
): Promise<{ readonly tip: string; readonly index: HistoryIndex } | null> {
  if (directory === null) return null;
  try {
    const bytes = await readIfAny(files, pathOf(clone, directory));
    return bytes === null ? null : decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), boundaryOf(clone));
  } catch {
    // Damaged, or not ours to read: as good as none.
    return null;
  }
}

function decode(bytes: Buffer, boundary: string): { readonly tip: string; readonly index: HistoryIndex } | null {
  const headerEnd = bytes.indexOf(0x0a);
  const header = JSON.parse(bytes.toString("utf8", 0, headerEnd)) as Header;
  if (header.format !== formatVersion || header.boundary !== boundary) return null;
  const body = bytes.subarray(headerEnd + 1);
  const { keysBytes, entries, tip } = header;
  if (body.length !== keysBytes + entries * (idBytes + 4) || crc32(body, crc32(tip)) !== header.crc) return null;
  const keys = JSON.parse(body.toString("utf8", 0, keysBytes)) as readonly string[];
  const idsEnd = keysBytes + entries * idBytes;
  // Copied: a view of numbers must begin at a multiple of four.
  const keyAt = new Uint32Array(new Uint8Array(body.subarray(idsEnd)).buffer);
  return { tip, index: { keys, ids: body.subarray(keysBytes, idsEnd), keyAt } };
}

function encode(clone: Clone, { keys, ids, keyAt }: HistoryIndex): Buffer {
  const keysText = Buffer.from(JSON.stringify(keys), "utf8");
  const body = Buffer.concat([keysText, ids, new Uint8Array(keyAt.buffer, keyAt.byteOffset, keyAt.byteLength)]);
  const header: Header = {
    format: formatVersion,
    tip: clone.tip,
    boundary: boundaryOf(clone),
    keysBytes: keysText.length,
    entries: keyAt.length,
    crc: crc32(body, crc32(clone.tip)),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`, "utf8"), body]);
}

async function keep(clone: Clone, index: HistoryIndex, { files, directory, unique }: IndexCache): Promise<void> {
  if (directory === null) return;
  const bytes = encode(clone, index);
  if (bytes.length > keptBytes) return;
  const path = pathOf(clone, directory);
  const temporary = `${path}.${unique}.tmp`;
  try {
    await files.makeDirectory(directory);
    {
      await using file = await files.open(temporary, "create");
      await file.write(bytes);
    }
    await files.rename(temporary, path);
    await dropOldest(files, directory);
  } catch {
    // A full disk, or a directory that is not ours: the next question takes as long as this one.
    await files.remove(temporary).catch(() => undefined);
  }
}

async function dropOldest(files: FileSystem, directory: string): Promise<void> {
  const names = await listIfAny(files, directory);
  if (names.length <= keptHistories) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, modifiedMs: (await files.stat(`${directory}/${name}`)).modifiedMs })),
  );
  const old = dated.toSorted((a, b) => b.modifiedMs - a.modifiedMs).slice(keptHistories);
  for (const { name } of old) await files.remove(`${directory}/${name}`);
}
