/**
 * The files of the journal: `{first arrival, 16 digits}.log`, so that their names sort as their lines arrived. It owns the list of
 * them, and deletes.
 *
 * G1 The newest segment is never deleted: it knows the highest arrival number.
 * G2 Together they hold at most `maxTotalBytes`; the oldest goes first, and how many correlations went with it is told.
 */

import type { FileSystem, Log, Meter } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";

export interface Segment {
  readonly path: string;
  /** At least what is on disk. */
  sizeBytes: number;
  /** Correlations in it. */
  count: number;
  /** Wall clock of its newest correlation. */
  newestMs: number;
}

export interface SegmentsOptions {
  readonly directory: string;
  readonly files: FileSystem;
  readonly meter: Meter;
  readonly log: Log;
  /** Correlations older than this are of no use. */
  readonly ttlMs: number;
  readonly maxTotalBytes: number;
}

const segmentName = /^(\d{16})\.log$/;

/** The arrival number in a segment's name, or null for another file. */
export function firstArrivalOf(name: string): number | null {
  const digits = segmentName.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

export class Segments {
  readonly #options: SegmentsOptions;
  /** Oldest first. */
  readonly #segments: Segment[];

  constructor(options: SegmentsOptions, segments: readonly Segment[]) {
    this.#options = options;
    this.#segments = [...segments];
  }

  get totalBytes(): number {
    let total = 0;
    for (const segment of this.#segments) total += segment.sizeBytes;
    return total;
  }

  /** The file is not made yet. */
  add(firstArrival: number, nowMs: number): Segment {
    const path = `${this.#options.directory}/${String(firstArrival).padStart(16, "0")}.log`;
    const segment: Segment = { path, sizeBytes: 0, count: 0, newestMs: nowMs };
    this.#segments.push(segment);
    return segment;
  }

  async removeExpired(nowMs: number): Promise<void> {
    for (const segment of this.#segments.slice(0, -1)) {
      if (segment.newestMs + this.#options.ttlMs < nowMs) await this.#remove(segment);
    }
  }

  /** `losing` is told before correlations go to make room. Throws a KubescribeError when there is none to be had. */
  async makeRoom(sizeBytes: number, nowMs: number, losing: (count: number) => Promise<void>): Promise<void> {
    while (this.totalBytes + sizeBytes > this.#options.maxTotalBytes) {
      const oldest = this.#segments[0];
      const evicted = oldest !== undefined && oldest.newestMs + this.#options.ttlMs >= nowMs ? oldest.count : 0;
      if (evicted > 0 && this.#segments.length > 1) await losing(evicted);
      if (oldest === undefined || this.#segments.length === 1 || !(await this.#remove(oldest))) {
        throw new KubescribeError(
          "journal-full",
          `The journal has no room for ${sizeBytes} bytes more: expected at most ${this.#options.maxTotalBytes} bytes in ` +
            `${this.#options.directory}. Correlations are not kept over a crash until old segments can be deleted.`,
          { retry: "backoff" },
        );
      }
      if (evicted > 0) this.#options.meter.count("journal_evicted", {}, evicted);
    }
  }

  async #remove(segment: Segment): Promise<boolean> {
    const { files, meter, log } = this.#options;
    try {
      await files.remove(segment.path);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") {
        meter.count("journal_errors", { kind: "remove" });
        log.warn("A segment of the journal cannot be deleted.", { path: segment.path, error: codeOf(error) });
        return false;
      }
    }
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    return true;
  }
}

/** Node's code of a failure, such as ENOSPC. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}
