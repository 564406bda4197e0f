/** Several packs as one: entries are copied as they are, but for the distances of deltas. */

import { crc32 } from "node:zlib";
import type { FileSystem } from "../../actors/ports.ts";
import { exists, readIfAny } from "./files.ts";
import { type PackIndexEntry, PackStream } from "./pack.ts";
import { movedDelta } from "./pack-entry.ts";
import { PackIndex } from "./pack-index.ts";

export interface PackSource {
  /** Without its ending. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly index: PackIndex;
  /** Entries before this offset are left out: whoever gets the copy has them, and deltas name them by id. Default: none. */
  readonly from?: number;
  /** Entries from this offset on are left out: nothing before it needs them. Default: none. */
  readonly until?: number;
}

export interface PackPlace {
  readonly fs: FileSystem;
  /** `objects/pack` of the repository. */
  readonly directory: string;
}

export interface CopyPacksOptions extends PackPlace {
  /** Where the new pack is written. */
  readonly path: string;
  readonly sync: boolean;
}

const copyBytes = 1 << 20;

/** Null where the pack is gone. */
export async function openPackSource({ fs, directory }: PackPlace, name: string): Promise<PackSource | null> {
  const bytes = await readIfAny(fs, `${directory}/${name}.idx`);
  if (bytes === null || !(await exists(fs, `${directory}/${name}.pack`))) return null;
  const { sizeBytes } = await fs.stat(`${directory}/${name}.pack`);
  return { name, sizeBytes, index: new PackIndex(bytes, sizeBytes) };
}

/** Every object once, from the first that has it. A delta's base stands in its pack, before it. */
export async function copyPacks(
  sources: readonly PackSource[],
  { fs, directory, path, sync }: CopyPacksOptions,
): Promise<{ readonly entries: readonly PackIndexEntry[]; readonly checksum: Buffer; readonly sizeBytes: number }> {
  const planned = new Set<string>();
  const plans = sources.map((source) => entriesOf(source, planned));
  /** Where an object stands in the new pack. */
  const placed = new Map<string, number>();
  const entries: PackIndexEntry[] = [];
  await using stream = await PackStream.create(fs, path, planned.size);
  for (const [at, source] of sources.entries()) {
    await using file = await fs.open(`${directory}/${source.name}.pack`, "read");
    const plan = plans[at] ?? [];
    /** Where an entry of this source stands now, by where it stood; an id where it is left out. */
    const moved = new Map<number, number | Buffer>();
    for (const { id, key, start, isCopy } of plan) if (isCopy) moved.set(start, placed.get(key) ?? id);
    for (const block of blocksOf(plan.filter(({ isCopy }) => !isCopy))) {
      const bytes = Buffer.alloc(block.end - block.start);
      if ((await file.read(bytes, block.start)) !== bytes.length) throw new RangeError(`${source.name} is cut short`);
      for (const { id, key, crc, start, end } of block.entries) {
        const { offset } = stream;
        const entry = bytes.subarray(start - block.start, end - block.start);
        const other = movedDelta(entry, { from: start, to: offset, baseTo: (base) => moved.get(base) });
        entries.push({ id, crc: other === null ? crc : crc32(other), offset });
        moved.set(start, offset);
        placed.set(key, offset);
        stream.push(other ?? entry);
      }
      await stream.drain();
    }
  }
  const checksum = await stream.finish(sync);
  return { entries, checksum, sizeBytes: stream.offset + checksum.length };
}

interface SourceEntry {
  readonly id: Buffer;
  readonly key: string;
  readonly crc: number;
  readonly start: number;
  readonly end: number;
  /** An earlier source has it too, or it is left out. */
  readonly isCopy: boolean;
}

/** By offset; adds those that are no copies to `planned`. */
function entriesOf({ index, from = 0, until = Infinity }: PackSource, planned: Set<string>): readonly SourceEntry[] {
  const wanted = Array.from({ length: index.count }, (_, at) => at).filter((at) => index.offsetAt(at) < until);
  const entries = wanted.map((at): SourceEntry => {
    const id = index.idAt(at);
    const key = id.toString("latin1", 0, 20);
    const start = index.offsetAt(at);
    const isCopy = start < from || planned.has(key);
    if (!isCopy) planned.add(key);
    return { id, key, crc: index.crcAt(at), start, end: index.entryEnd(start), isCopy };
  });
  return entries.toSorted((a, b) => a.start - b.start);
}

/** Runs of neighbours to read at once, about `copyBytes` each. */
function* blocksOf(
  entries: readonly SourceEntry[],
): Iterable<{ readonly start: number; readonly end: number; readonly entries: readonly SourceEntry[] }> {
  for (let first = 0; first < entries.length;) {
    const start = entries[first]?.start ?? 0;
    let end = start;
    let next = first;
    for (; next < entries.length; next++) {
      const entry = entries[next];
      if (entry === undefined || (next > first && entry.end - start > copyBytes)) break;
      end = entry.end;
    }
    yield { start, end, entries: entries.slice(first, next) };
    first = next;
  }
}
