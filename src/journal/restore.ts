/** Reads what an earlier process left in the journal: every line that is whole, whatever is around it. */

import type { FileSystem, Log, Meter } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Correlation } from "../../machines/messages.ts";
import { longestRequestMs } from "../../machines/pending.ts";
import { decodeRecord } from "./record.ts";
import type { Segment } from "./segments.ts";
import { codeOf, firstArrivalOf } from "./segments.ts";
import { wholeMarkName } from "./whole-mark.ts";

export interface RestoreOptions {
  readonly directory: string;
  readonly files: FileSystem;
  readonly meter: Meter;
  readonly log: Log;
  readonly ttlMs: number;
  readonly nowMs: number;
}

export interface Restored {
  /** `restored` is true; in arrival order; not older than the TTL. */
  readonly correlations: readonly Correlation[];
  /** 0 for a new directory. */
  readonly highestArrival: number;
  /**
   * Arrivals from here on are of one process, the last that wrote anything: each begins a segment of its own. An earlier part of
   * what it wrote may be left out.
   */
  readonly lastLifeArrival: number;
  /**
   * At least so many correlations are missing: a full disk, a bound, a segment that cannot be read. What seems settled among the
   * restored ones may not be.
   */
  readonly lost: number;
  /** Wall clock: who was reviewed until then may have competed with one of the missing. `-Infinity`: nobody is missing. */
  readonly doubtedThroughMs: number;
  /** Lines skipped because they were cut or altered. The last line of a killed process is of a review that was not answered. */
  readonly damaged: number;
  readonly segments: readonly Segment[];
  /** The mark stands: nothing is missing that the segments do not tell of. */
  readonly whole: boolean;
}

/** Throws a KubescribeError (`journal-open`) when the directory cannot be used at all. */
export async function restoreJournal(options: RestoreOptions): Promise<Restored> {
  const found = await listDirectory(options);
  const whole = found.includes(wholeMarkName);
  const names = found.filter((name) => firstArrivalOf(name) !== null).sort();
  const reader = new SegmentReader(options);
  const segments: Segment[] = [];
  for (const name of names) segments.push(await reader.read(name));
  const { damaged } = reader;
  const correlations = reader.correlations.sort((a, b) => a.arrival - b.arrival);
  const lastLifeArrival = firstArrivalOf(names.at(-1) ?? "") ?? 0;
  // Without the mark nobody knows when it was; a directory that is new has none.
  const untold = !whole && names.length > 0;
  const lost = reader.lost + (untold ? 1 : 0);
  const doubtedThroughMs = rivalsUntilMs(untold ? options.nowMs : reader.lostMs, options.ttlMs);
  const { highestArrival } = reader;
  return { correlations, highestArrival, lastLifeArrival, lost, doubtedThroughMs, damaged, segments, whole };
}

/** Who comes while a lost review's request may still be under way competes with it, as one that expires takes its competitors along. */
export function rivalsUntilMs(lostMs: number, ttlMs: number): number {
  return lostMs + Math.min(longestRequestMs, ttlMs);
}

async function listDirectory(options: RestoreOptions): Promise<readonly string[]> {
  const { files, directory } = options;
  try {
    await files.makeDirectory(directory);
    return await files.list(directory);
  } catch (cause) {
    throw new KubescribeError(
      "journal-open",
      `The journal cannot be opened: expected a directory to read and write at ${directory}, found ${codeOf(cause)}. ` +
        "Choose another --data-dir, or set who may write there.",
      { retry: "never", cause },
    );
  }
}

class SegmentReader {
  readonly correlations: Correlation[] = [];
  highestArrival = 0;
  lost = 0;
  lostMs = Number.NEGATIVE_INFINITY;
  damaged = 0;
  readonly #options: RestoreOptions;

  constructor(options: RestoreOptions) {
    this.#options = options;
  }

  async read(name: string): Promise<Segment> {
    const { files, directory, meter, log } = this.#options;
    const segment: Segment = { path: `${directory}/${name}`, sizeBytes: 0, count: 0, newestMs: 0 };
    // Its own number is taken even when nothing in it can be read.
    this.highestArrival = Math.max(this.highestArrival, firstArrivalOf(name) ?? 0);
    try {
      const bytes = await files.readFile(segment.path);
      segment.sizeBytes = bytes.length;
      this.#readLines(bytes, segment);
    } catch (error) {
      this.lost += 1;
      this.lostMs = this.#options.nowMs;
      // Its age is not known: it goes a TTL from now.
      segment.newestMs = this.#options.nowMs;
      meter.count("journal_errors", { kind: "read" });
      log.error("A segment of the journal cannot be read; authors of changes before the restart may be missing.", {
        path: segment.path,
        error: codeOf(error),
      });
    }
    return segment;
  }

  #readLines(bytes: Uint8Array, segment: Segment): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    while (start < buffer.length) {
      const newline = buffer.indexOf(0x0a, start);
      const end = newline < 0 ? buffer.length : newline;
      if (end > start) this.#readLine(buffer.toString("utf8", start, end), segment);
      start = end + 1;
    }
  }

  #readLine(line: string, segment: Segment): void {
    const { nowMs, ttlMs } = this.#options;
    const record = decodeRecord(line);
    if (record === null) {
      this.damaged += 1;
      return;
    }
    const atMs = record.kind === "lost" ? rivalsUntilMs(record.atMs, ttlMs) : record.correlation.atMs;
    segment.newestMs = Math.max(segment.newestMs, atMs);
    const alive = atMs + ttlMs >= nowMs;
    if (record.kind === "lost") {
      if (alive) this.lost += record.count;
      if (alive) this.lostMs = Math.max(this.lostMs, record.atMs);
      return;
    }
    segment.count += 1;
    this.highestArrival = Math.max(this.highestArrival, record.correlation.arrival);
    if (alive) this.correlations.push(record.correlation);
  }
}
