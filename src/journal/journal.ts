/**
 * Keeps correlations over a crash, in segments of lines. It owns the segment that is written to, and the appends that wait for it.
 *
 * J1 An append resolves when its line is with the operating system (synced, if asked for), and rejects when that fails.
 * J2 One write is under way at a time; what arrives together, or meanwhile, goes out together in the next one, `maxPendingBytes` at most.
 * J3 A line that was cut by a failed write never damages another: the next write begins with a line end.
 * J4 After a failure every later append tries again; nothing has to be restarted.
 * J5 A disk that hangs is waited for once: an append that is overdue rejects, and so do those that come while it is, at once. Their
 *    lines are written all the same when the disk goes on.
 * J6 How many correlations are missing is written down as soon as something can be written again; until then the mark is missing.
 */

import type { Clock, CorrelationJournal, FileHandle, FileSystem, Log, Meter, Timer } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Correlation } from "../../machines/messages.ts";
import { encodeRecord } from "./record.ts";
import type { Restored } from "./restore.ts";
import { restoreJournal, rivalsUntilMs } from "./restore.ts";
import type { Segment } from "./segments.ts";
import { Segments } from "./segments.ts";
import { WholeMark } from "./whole-mark.ts";

export interface JournalOptions {
  /** `{dataDir}/journal`; made when it is missing. One process at a time: who opens it holds the data directory's lock. */
  readonly directory: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
  /** fsync before an append resolves: for a machine that loses power, not only a process that is killed. */
  readonly sync: boolean;
  readonly ttlMs?: number;
  readonly segmentMaxBytes?: number;
  /** Of all segments: the oldest goes first, counted. */
  readonly maxTotalBytes?: number;
  /** Of appends that wait for a write; more are refused. */
  readonly maxPendingBytes?: number;
}

export type Recalled = Omit<Restored, "segments" | "whole">;

export interface KeptJournal extends CorrelationJournal, AsyncDisposable {
  /**
   * What the segments hold now: for an engine that begins anew in this process. A correlation whose append is not answered yet may be in
   * it or not. Throws `journal-open`.
   */
  recall(): Promise<Recalled>;
}

export interface OpenedJournal extends Recalled {
  readonly journal: KeptJournal;
}

const defaultTtlMs = 600_000;
const defaultSegmentMaxBytes = 8 * 1024 * 1024;
const defaultMaxTotalBytes = 256 * 1024 * 1024;
const defaultMaxPendingBytes = 4 * 1024 * 1024;
/** The API server waits for a review 1 to 3 s (K21). */
const patienceMs = 500;
/** A segment outlives the TTL by this part of it. */
const segmentsPerTtl = 5;

/** Throws a KubescribeError (`journal-open`) when the directory cannot be used. */
export async function openJournal(options: JournalOptions): Promise<OpenedJournal> {
  const { directory, files, meter, log } = options;
  const ttlMs = options.ttlMs ?? defaultTtlMs;
  const maxTotalBytes = options.maxTotalBytes ?? defaultMaxTotalBytes;
  const nowMs = options.clock.nowMs();
  const { segments: found, whole, ...restored } = await restoreJournal({ directory, files, ttlMs, nowMs, log, meter });
  const { damaged } = restored;
  if (damaged > 0) {
    meter.count("journal_damaged_lines", {}, damaged);
    log.warn("Damaged lines in the journal were skipped.", { damaged, directory });
  }
  // The directory may be new: as long as its own name is not durable, nothing in it is.
  if (options.sync) await syncName(directory, files);
  const segments = new Segments({ directory, files, meter, log, ttlMs, maxTotalBytes }, found);
  await segments.removeExpired(nowMs);
  meter.gauge("journal_bytes", () => segments.totalBytes);
  const mark = new WholeMark({ directory, files, meter, log, sync: options.sync }, whole);
  const journal = new Journal(options, { segments, mark, untold: !whole && found.length > 0 ? 1 : 0 });
  return { ...restored, journal };
}

async function syncName(directory: string, files: FileSystem): Promise<void> {
  try {
    await files.syncDirectory(directory.slice(0, directory.lastIndexOf("/")) || "/");
  } catch (cause) {
    const message = `The journal cannot be opened: expected that the directory above ${directory} can be synced. Choose another --data-dir.`;
    throw new KubescribeError("journal-open", message, { retry: "never", cause });
  }
}

interface Batch {
  text: string;
  sizeBytes: number;
  count: number;
  readonly firstArrival: number;
  newestMs: number;
  readonly written: PromiseWithResolvers<void>;
  /** Null: there was none left. */
  patience: Timer | null;
  /** Its reviews were answered as if it were written. */
  overdue: boolean;
}

interface OpenSegment {
  readonly segment: Segment;
  readonly openedMs: number;
  /** Null after a failure. */
  handle: FileHandle | null;
}

class Journal implements KeptJournal {
  readonly #options: JournalOptions;
  readonly #segments: Segments;
  readonly #mark: WholeMark;
  readonly #ttlMs: number;
  readonly #segmentMaxBytes: number;
  readonly #maxPendingBytes: number;
  #waiting: Batch | null = null;
  #open: OpenSegment | null = null;
  /** Missing, and not written down yet. */
  #lost: number;
  /** When the last of them was lost, as far as it is known. */
  #lostMs: number;
  /** A batch has been waiting for too long. */
  #overdue = false;
  #tidy = false;
  #closed = false;
  #timer: Timer | null = null;
  /** The one loop that touches files, while it runs; `#work` settles when it ends. */
  #running = false;
  #work: Promise<void> | null = null;

  constructor(
    options: JournalOptions,
    {
      segments,
      mark,
      untold,
    }: { readonly segments: Segments; readonly mark: WholeMark; /** Lost earlier. */ readonly untold: number },
  ) {
    this.#options = options;
    this.#segments = segments;
    this.#mark = mark;
    this.#lost = untold;
    this.#lostMs = options.clock.nowMs();
    this.#ttlMs = options.ttlMs ?? defaultTtlMs;
    this.#maxPendingBytes = options.maxPendingBytes ?? defaultMaxPendingBytes;
    // Room must be made segment by segment, never by the one that is written to.
    const quarter = Math.floor((options.maxTotalBytes ?? defaultMaxTotalBytes) / 4);
    this.#segmentMaxBytes = Math.min(options.segmentMaxBytes ?? defaultSegmentMaxBytes, quarter);
    this.#armTimer();
  }

  append(correlation: Correlation): Promise<void> {
    if (this.#closed) return Promise.reject(refused("journal-closed", "The journal is closed."));
    const line = encodeRecord({ kind: "correlation", correlation });
    const sizeBytes = Buffer.byteLength(line);
    let batch = this.#waiting;
    if (batch !== null && batch.sizeBytes + sizeBytes > this.#maxPendingBytes) {
      const message = `The disk is too slow for the journal: more than ${this.#maxPendingBytes} bytes wait.`;
      const told = Promise.race([this.#lose(1), batch.written.promise]);
      return told.then(() => Promise.reject(refused("journal-overloaded", message)));
    }
    const { arrival, atMs } = correlation;
    batch ??= this.#waiting = this.#newBatch(arrival);
    batch.text += line;
    batch.sizeBytes += sizeBytes;
    batch.count += 1;
    batch.newestMs = Math.max(batch.newestMs, atMs);
    this.#wake();
    return batch.written.promise;
  }

  async recall(): Promise<Recalled> {
    const { directory, files, meter, log, clock } = this.#options;
    const place = { directory, files, meter, log, ttlMs: this.#ttlMs, nowMs: clock.nowMs() };
    // Lines that are being written meanwhile seem cut, and are of reviews that are not answered yet.
    const { segments: _segments, whole: _whole, ...recalled } = await restoreJournal(place);
    return recalled;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#work;
    await this.#drop();
  }

  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    // What is appended in the same breath goes out in the same write.
    this.#work = Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#tidy) {
        this.#tidy = false;
        await this.#segments.removeExpired(this.#options.clock.nowMs());
      }
      const batch = this.#waiting;
      if (batch === null) {
        this.#running = false;
        return;
      }
      this.#waiting = null;
      try {
        await this.#write(batch);
        this.#settle(batch);
        batch.written.resolve();
      } catch (error) {
        this.#tidy = true;
        await this.#drop();
        await this.#measure();
        await this.#lose(batch.count);
        this.#settle(batch);
        batch.written.reject(error);
      }
    }
  }

  #newBatch(firstArrival: number): Batch {
    const written = Promise.withResolvers<void>();
    const batch: Batch = {
      text: "",
      sizeBytes: 0,
      count: 0,
      firstArrival,
      newestMs: 0,
      written,
      patience: null,
      overdue: false,
    };
    const giveUp = (): void => {
      this.#overdue = batch.overdue = true;
      void this.#mark.settle(false);
      written.reject(refused("journal-overdue", `A write of the journal takes more than ${patienceMs} ms.`));
    };
    if (this.#overdue) giveUp();
    else batch.patience = this.#options.clock.after(patienceMs, giveUp);
    return batch;
  }

  #settle({ patience }: Batch): void {
    patience?.[Symbol.dispose]();
    this.#overdue = false;
  }

  async #write(batch: Batch): Promise<void> {
    const { clock, sync } = this.#options;
    const nowMs = clock.nowMs();
    await this.#segments.makeRoom(batch.sizeBytes, nowMs, (count) => this.#lose(count));
    const lost = this.#lost;
    const lostLine = lost === 0 ? "" : encodeRecord({ kind: "lost", count: lost, atMs: this.#lostMs });
    const { handle, segment, fresh } = await this.#handleFor(batch, nowMs);
    const bytes = Buffer.from(`${fresh ? "\n" : ""}${lostLine}${batch.text}`);
    // Before the write: a part of it may get to the disk.
    segment.sizeBytes += bytes.length;
    await handle.write(bytes);
    if (sync) await handle.sync();
    segment.count += batch.count;
    segment.newestMs = Math.max(segment.newestMs, batch.newestMs);
    // The line is kept as long as it bears on anybody.
    if (lost > 0) segment.newestMs = Math.max(segment.newestMs, rivalsUntilMs(this.#lostMs, this.#ttlMs));
    this.#lost -= lost;
    await this.#mark.settle(this.#lost === 0 && this.#waiting?.overdue !== true);
  }

  /** Before whoever was reviewed is answered: after that it counts for the next process. */
  #lose(count: number): Promise<void> {
    this.#lost += count;
    this.#lostMs = this.#options.clock.nowMs();
    return this.#mark.settle(false);
  }

  /** `fresh`: the handle is new, and what its file ends with is not known. */
  async #handleFor(
    batch: Batch,
    nowMs: number,
  ): Promise<{ readonly handle: FileHandle; readonly segment: Segment; readonly fresh: boolean }> {
    const { clock, files, directory, sync } = this.#options;
    let open = this.#open;
    const full = open !== null && open.segment.sizeBytes + batch.sizeBytes > this.#segmentMaxBytes;
    const old = open !== null && clock.monotonicMs() - open.openedMs > this.#ttlMs / segmentsPerTtl;
    if (open === null || ((full || old) && open.segment.sizeBytes > 0)) {
      await this.#drop();
      open = { segment: this.#segments.add(batch.firstArrival, nowMs), openedMs: clock.monotonicMs(), handle: null };
      this.#open = open;
      await this.#segments.removeExpired(nowMs);
    }
    const { segment } = open;
    if (open.handle !== null) return { handle: open.handle, segment, fresh: false };
    open.handle = await files.open(segment.path, "append");
    if (sync) await files.syncDirectory(directory);
    return { handle: open.handle, segment, fresh: true };
  }

  async #drop(): Promise<void> {
    const handle = this.#open?.handle ?? null;
    if (this.#open === null || handle === null) return;
    this.#open.handle = null;
    try {
      await handle[Symbol.asyncDispose]();
    } catch {
      // The failure that matters was reported by the write.
    }
  }

  /** How much of a failed write is on disk. */
  async #measure(): Promise<void> {
    const segment = this.#open?.segment;
    if (segment === undefined) return;
    try {
      segment.sizeBytes = (await this.#options.files.stat(segment.path)).sizeBytes;
    } catch {
      // What was meant to be written is the most that there can be.
    }
  }

  #armTimer(): void {
    this.#timer = this.#options.clock.after(this.#ttlMs / segmentsPerTtl, () => {
      this.#tidy = true;
      this.#wake();
      this.#armTimer();
    });
  }
}

function refused(code: string, message: string): KubescribeError {
  return new KubescribeError(code, `${message} The correlation is in memory only.`, { retry: "backoff" });
}
