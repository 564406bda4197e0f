/**
 * The copy of a target's cursors under the data directory: it keeps quiet types within the API server's history when no
 * commit moves the state ref. It counts only together with the very branch tip that it names; losing it costs time, no change.
 */

import { isCursor } from "../machines/cursor.ts";
import type { Cursor, TypeKey } from "../machines/messages.ts";
import type { Clock, FileSystem, Log, Timer } from "./ports.ts";

export interface CursorCopy {
  readonly cluster: string;
  readonly target: string;
  readonly tip: string;
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
}

export interface CursorCopyPlace {
  readonly files: FileSystem;
  readonly dataDir: string;
  readonly cluster: string;
  readonly target: string;
}

export interface CopierOptions extends CursorCopyPlace {
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs: number;
}

/** Copies `current()` every `everyMs` and at `stop`, if it differs from what was opened or copied last. Never throws: it only saves time. */
export class CursorCopier {
  readonly #options: CopierOptions;
  readonly #current: () => CursorCopy;
  #copied: string;
  #timer: Timer | null = null;
  #writing: Promise<void> | null = null;
  #stopped = false;

  constructor(options: CopierOptions, current: () => CursorCopy) {
    this.#options = options;
    this.#current = current;
    this.#copied = encode(current());
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.[Symbol.dispose]();
    await this.#writing;
    await this.#copy();
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(this.#options.everyMs, () => {
      this.#writing = this.#copy().then(() => this.#arm());
    });
  }

  async #copy(): Promise<void> {
    const text = encode(this.#current());
    if (text === this.#copied) return;
    try {
      await writeAside(this.#options, text);
      this.#copied = text;
    } catch (error) {
      const { log, target } = this.#options;
      log.warn("cursors were not copied; it is tried again", { target, code: codeOf(error) });
    }
  }
}

/** Null when there is none, or none that can be used; the latter is warned of. */
export async function readCursorCopy(place: CursorCopyPlace, log: Log): Promise<CursorCopy | null> {
  const { path } = pathsOf(place);
  let bytes: Uint8Array;
  try {
    bytes = await place.files.readFile(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") log.warn("cursor copy ignored: it cannot be read", { path, code: codeOf(error) });
    return null;
  }
  const copy = decode(bytes);
  if (copy === null) {
    log.warn("cursor copy ignored: it is torn or not ours; the next one replaces it", { path });
    return null;
  }
  if (copy.cluster !== place.cluster || copy.target !== place.target) {
    log.warn("cursor copy ignored: it belongs to another cluster or target", { path, target: place.target });
    return null;
  }
  return copy;
}

/** Durable when it resolves: written aside, synced, renamed. */
async function writeAside(place: CursorCopyPlace, text: string): Promise<void> {
  const { directory, path } = pathsOf(place);
  const aside = `${path}.new`;
  await place.files.makeDirectory(directory);
  {
    await using file = await place.files.open(aside, "create");
    await file.write(new TextEncoder().encode(text));
    await file.sync();
  }
  await place.files.rename(aside, path);
  await place.files.syncDirectory(directory);
}

function encode(copy: CursorCopy): string {
  const sorted = [...copy.cursors].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const cursors = Object.fromEntries(sorted);
  return `${JSON.stringify({ cluster: copy.cluster, target: copy.target, tip: copy.tip, cursors })}\n`;
}

function pathsOf(place: CursorCopyPlace): { readonly directory: string; readonly path: string } {
  const directory = `${place.dataDir}/cursors`;
  return { directory, path: `${directory}/${encodeURIComponent(place.target)}.json` };
}

function decode(bytes: Uint8Array): CursorCopy | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // Torn or foreign text: the caller says so.
    return null;
  }
  if (!isRecord(value) || !isRecord(value["cursors"])) return null;
  const { cluster, target, tip } = value;
  if (typeof cluster !== "string" || typeof target !== "string" || typeof tip !== "string") return null;
  const cursors = new Map<TypeKey, Cursor>();
  for (const [key, cursor] of Object.entries(value["cursors"])) {
    if (!isCursor(cursor)) return null;
    cursors.set(key as TypeKey, cursor);
  }
  return { cluster, target, tip, cursors };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function codeOf(error: unknown): string {
  return isRecord(error) && typeof error["code"] === "string" ? error["code"] : "unknown";
}
