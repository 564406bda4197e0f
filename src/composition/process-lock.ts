/**
 * One process at a time: for a data directory, and for a target in a repository.
 *
 * Owns the lock file, JSON that says who holds it. 1. A holder of the same boot of the same host is judged by its process: gone,
 * or started at another time, is stale (kill -9). 2. Of any other host only the file's age tells; so holders touch it.
 */

import type { Clock, FileSystem, Timer } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";

export interface ProcessIdentity {
  readonly host: string;
  /** Changes when the host restarts; empty where it is not known. */
  readonly bootId: string;
  readonly pid: number;
  /** Of this process, in whatever unit; tells a pid that is used again. */
  readonly startTime: string;
}

export interface ProcessTable {
  readonly self: ProcessIdentity;
  /** Start time of a process of this host; null where it does not run. */
  startTimeOf(pid: number): Promise<string | null>;
}

export interface ProcessLockOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: ProcessTable;
  /** The file; its directory is made. */
  readonly path: string;
  /** What is locked, for the message: `the data directory /var/lib/kubescribe`. */
  readonly what: string;
}

const heartbeatMs = 10_000;
/** A lock of another host that was not touched for so long is stale. */
const staleMs = 60_000;
const attempts = 3;

export async function acquireProcessLock(options: ProcessLockOptions): Promise<AsyncDisposable> {
  const { fs, path } = options;
  await fs.makeDirectory(path.slice(0, path.lastIndexOf("/")));
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await create(options)) return new HeldLock(options);
    const holder = await readHolder(options);
    if (holder !== null && !(await isStale(options, holder))) throw heldError(options, holder);
    if (holder !== null) await putAside(options, holder);
  }
  throw heldError(options, null);
}

/** Of two processes that find the same stale lock, one renames it away; the other may get hold of the new one: back with it. */
async function putAside({ fs, path, processes }: ProcessLockOptions, stale: Holder): Promise<void> {
  const aside = `${path}.stale.${processes.self.pid}`;
  try {
    await fs.rename(path, aside);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw error;
  }
  const found = decode(await fs.readFile(aside));
  if (isSame(found, stale.identity)) await fs.remove(aside);
  else await fs.rename(aside, path);
}

function isSame(a: ProcessIdentity | null, b: ProcessIdentity | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function create(options: ProcessLockOptions): Promise<boolean> {
  const { fs, path, processes } = options;
  let made = false;
  try {
    await using file = await fs.open(path, "create-new");
    made = true;
    await file.write(encode(processes.self));
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "an error";
    if (code === "EEXIST") return false;
    // One that says nobody's name would keep the next start waiting.
    if (made) await fs.remove(path).catch(() => undefined);
    throw new KubescribeError(
      "lock-unwritable",
      `${options.what} cannot be locked: expected to write ${path}, found ${code}. Make room, or set who may write there.`,
      { retry: "never", cause: error },
    );
  }
}

interface Holder {
  /** Null: cut short, by a crash between making and writing it. */
  readonly identity: ProcessIdentity | null;
  readonly ageMs: number;
}

async function readHolder({ fs, path, clock }: ProcessLockOptions): Promise<Holder | null> {
  try {
    const { modifiedMs } = await fs.stat(path);
    return { identity: decode(await fs.readFile(path)), ageMs: clock.nowMs() - modifiedMs };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

async function isStale({ processes }: ProcessLockOptions, { identity, ageMs }: Holder): Promise<boolean> {
  const { self } = processes;
  // A clock that went back makes it come from the future.
  if (identity === null) return Math.abs(ageMs) > 1000;
  if (identity.host !== self.host) return ageMs > staleMs;
  if (identity.bootId !== self.bootId) return identity.bootId !== "" && self.bootId !== "" ? true : ageMs > staleMs;
  const startTime = await processes.startTimeOf(identity.pid);
  return startTime === null || startTime !== identity.startTime;
}

function heldError({ what, path }: ProcessLockOptions, holder: Holder | null): KubescribeError {
  const identity = holder?.identity ?? null;
  const by = identity === null ? "another process" : `process ${identity.pid} on ${JSON.stringify(identity.host)}`;
  return new KubescribeError(
    "locked",
    `${what} is in use by ${by} (${path}): stop that one, or give this one a place of its own; a lock left behind by ` +
      `another host is free after ${staleMs / 1000} s`,
    { retry: "never" },
  );
}

class HeldLock implements AsyncDisposable {
  readonly #options: ProcessLockOptions;
  #timer: Timer;
  #beat: Promise<void> = Promise.resolve();

  constructor(options: ProcessLockOptions) {
    this.#options = options;
    this.#timer = this.#arm();
  }

  /** Writing the same again moves the file's time. A beat that fails costs nothing but a chance. */
  #arm(): Timer {
    const { fs, clock, path, processes } = this.#options;
    return clock.after(heartbeatMs, () => {
      this.#timer = this.#arm();
      const beat = async (): Promise<void> => {
        if (!isSame(decode(await fs.readFile(path)), processes.self)) return;
        const temporary = `${path}.beat.${processes.self.pid}`;
        {
          await using file = await fs.open(temporary, "create");
          await file.write(encode(processes.self));
        }
        await fs.rename(temporary, path);
      };
      this.#beat = this.#beat.then(beat).catch(() => {});
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]();
    await this.#beat;
    const { fs, path, processes } = this.#options;
    const holder = await readHolder(this.#options).catch(() => null);
    if (holder !== null && isSame(holder.identity, processes.self)) await fs.remove(path).catch(() => {});
  }
}

function encode(identity: ProcessIdentity): Uint8Array {
  return Buffer.from(`${JSON.stringify(identity)}\n`, "utf8");
}

function decode(bytes: Uint8Array): ProcessIdentity | null {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<
      Record<keyof ProcessIdentity, unknown>
    > | null;
    const { host, bootId, pid, startTime } = value ?? {};
    if (typeof host !== "string" || typeof bootId !== "string" || typeof startTime !== "string") return null;
    return typeof pid === "number" ? { host, bootId, pid, startTime } : null;
  } catch {
    return null;
  }
}
