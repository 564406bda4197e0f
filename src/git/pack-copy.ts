/** Several packs as one: entries are copied as they are, but for the distances of deltas, and for files where their versions are known. */

import { crc32 } from "node:zlib";
import type { FileSystem } from "../../actors/ports.ts";
import { CopyPlan, type PlannedEntry } from "./copy-plan.ts";
import { type FileVersions, resourceOfCommit } from "./file-versions.ts";
import { readIfAny, sizeIfAny } from "./files.ts";
import type { IndexRows } from "./pack-index-rows.ts";
import { PackStream } from "./pack.ts";
import { decodeEntryHeader, movedDelta } from "./pack-entry.ts";
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
  /** Null: files stay whole. */
  readonly versions: FileVersions | null;
}

const copyBytes = 1 << 20;

/** Null where the pack is gone. */
export async function openPackSource({ fs, directory }: PackPlace, name: string): Promise<PackSource | null> {
  const bytes = await readIfAny(fs, `${directory}/${name}.idx`);
  const sizeBytes = bytes === null ? null : await sizeIfAny(fs, `${directory}/${name}.pack`);
  if (bytes === null || sizeBytes === null) return null;
  return { name, sizeBytes, index: new PackIndex(bytes, sizeBytes) };
}

export interface CopiedPacks {
  readonly rows: IndexRows;
  readonly checksum: Buffer;
  readonly sizeBytes: number;
}

/** Every object once, from the first that has it. A delta's base stands in its pack, before it. */
export async function copyPacks(sources: readonly PackSource[], options: CopyPacksOptions): Promise<CopiedPacks> {
  const { fs, directory, path, sync, versions } = options;
  const plan = new CopyPlan(sources);
  await using stream = await PackStream.create(fs, path, plan.count);
  for (const [at, source] of sources.entries()) {
    await using file = await fs.open(`${directory}/${source.name}.pack`, "read");
    const order = source.index.order();
    const place = ({ number, start, bytes }: Held, resource: string): void => {
      const { offset } = stream;
      const baseTo = (base: number): number | Buffer | undefined => plan.placeOf(at, order, base);
      const copy = movedDelta(bytes, { from: start, to: offset, baseTo }) ?? bytes;
      const entry = versions === null || resource === "" ? copy : versions.next(resource, copy, offset);
      plan.place(number, offset, entry === bytes ? plan.sourceCrcOf(number) : crc32(entry));
      stream.push(entry);
    };
    const hand = new Hand();
    const settle = (): void => {
      const { held, file: changed, resource } = hand.take();
      for (const each of held) place(each, each === changed ? resource : "");
    };
    for (const block of blocksOf(plan.entriesOf(at, order))) {
      const bytes = Buffer.alloc(block.end - block.start);
      if ((await file.read(bytes, block.start)) !== bytes.length) throw new RangeError(`${source.name} is cut short`);
      for (const entry of block.entries) {
        const held = { ...entry, bytes: bytes.subarray(entry.start - block.start, entry.end - block.start) };
        if (versions === null) place(held, "");
        else if (hand.add(held)) settle();
      }
      await stream.drain();
    }
    settle();
  }
  const checksum = await stream.finish(sync);
  return { rows: plan, checksum, sizeBytes: stream.offset + checksum.length };
}

interface Held extends PlannedEntry {
  readonly bytes: Buffer;
}

/** The entries of a commit, in the order in which a flush writes them: its files, its trees, and the commit, which says whose file it is. */
class Hand {
  /** Where the files of this pack stand, for those that are deltas of them. */
  readonly #files = new Set<number>();
  #held: Held[] = [];
  #file: Held | null = null;
  #bytes = 0;

  /** True: it is a commit, or there is too much in hand. */
  add(entry: Held): boolean {
    const { type, base } = decodeEntryHeader(entry.bytes, entry.start);
    if (type === "blob" || (base.kind === "offset" && this.#files.has(base.offset))) {
      this.#files.add(entry.start);
      this.#file = entry;
    }
    this.#held.push(entry);
    this.#bytes += entry.bytes.length;
    return type === "commit" || this.#bytes > copyBytes;
  }

  take(): { readonly held: readonly Held[]; readonly file: Held | null; readonly resource: string } {
    const held = this.#held;
    const last = held.at(-1);
    const file = this.#file;
    this.#held = [];
    this.#file = null;
    this.#bytes = 0;
    return { held, file, resource: last === undefined || file === null ? "" : resourceOfCommit(last.bytes) };
  }
}

interface Block {
  readonly start: number;
  readonly end: number;
  readonly entries: readonly PlannedEntry[];
}

/** Runs of neighbours to read at once, about `copyBytes` each. */
function* blocksOf(entries: Iterable<PlannedEntry>): Iterable<Block> {
  let run: PlannedEntry[] = [];
  let start = 0;
  let end = 0;
  for (const entry of entries) {
    if (run.length > 0 && entry.end - start > copyBytes) {
      yield { start, end, entries: run };
      run = [];
    }
    if (run.length === 0) ({ start } = entry);
    ({ end } = entry);
    run.push(entry);
  }
  if (run.length > 0) yield { start, end, entries: run };
}
