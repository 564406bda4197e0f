/**
 * What the runtime needs of the world. The composition root fills these with Node's clock, files, network and threads; a
 * simulation fills them with seeded ones. Nothing else may touch the world.
 */

import type { BlindTime } from "../machines/blind-time.ts";
import type { Change, Correlation, Cursor, ResourceType, TypeKey, WatchEvent } from "../machines/messages.ts";

export interface Clock {
  /** Wall clock, ms since 1970; may jump. */
  nowMs(): number;
  /** Never goes back; only differences mean anything. */
  monotonicMs(): number;
  /** Calls `task` once after `delayMs` (0: once what has arrived is taken in); disposing of the timer cancels it. */
  after(delayMs: number, task: () => void): Timer;
}

export interface Timer {
  [Symbol.dispose](): void;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** Paths are absolute. Errors carry Node's codes (`ENOENT`, `EEXIST`, `ENOSPC`, ...). */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<FileHandle>;
  readFile(path: string): Promise<Uint8Array>;
  /** Names of the entries of a directory, unsorted. */
  list(path: string): Promise<readonly string[]>;
  stat(path: string): Promise<{
    readonly sizeBytes: number;
    readonly directory: boolean;
    readonly modifiedMs: number;
  }>;
  /** With parents; existing ones are left as they are. */
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes renames and new names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

/** `create-private`: as `create`, and only the user of this process may read it. */
export type OpenMode = "read" | "append" | "create" | "create-new" | "create-private";

export interface FileHandle extends AsyncDisposable {
  /** Writes all of `bytes` at the end (append, create) in order. */
  write(bytes: Uint8Array): Promise<void>;
  /** Fills `into` from `position`; returns how many bytes there were. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** fdatasync. */
  sync(): Promise<void>;
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query, from the server's root: `/api/v1/configmaps?watch=1`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Chunks as they arrive; a chunk is valid only until the next one is asked for. Throws when the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The API server, credentials and TLS already applied. Throws only for network errors; any status is a response. */
export interface ApiServer {
  request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
}

/** Labels have few values. */
export type Labels = Readonly<Record<string, string>>;

/** Counts and times; names and meanings stand in docs/METRICS.md. */
export interface Meter {
  count(name: string, labels?: Labels, by?: number): void;
  /** Histograms; times are in seconds. */
  record(name: string, value: number, labels?: Labels): void;
  /** A value that is asked for when somebody looks; not a number: it is not shown. A later call for the same labels takes its place. */
  gauge(name: string, read: () => number, labels?: Labels): void;
}

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/**
 * Keeps correlations over a crash. `append` resolves once the bytes are with the operating system (or synced, by option), and
 * rejects when that fails or takes so long that a review must not wait for it.
 */
export interface CorrelationJournal {
  append(correlation: Correlation): Promise<void>;
}

/** What a target branch holds, read from its repository when it is opened. */
export interface TargetState {
  /** Commit at the branch's head; empty for an unborn branch. */
  readonly tip: string;
  /** From the state ref, completed by the trailers of the commits after the tip that it names. */
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  /** Types whose files another version, other keys or other rules wrote: at the next list they are compared. Default none. */
  readonly outOfFormat?: ReadonlySet<TypeKey>;
}

export type FlushEntry =
  | { readonly kind: "change"; readonly change: Change }
  /** Makes the files of a type equal to `items`, in one commit; several in one flush share the commit. */
  | {
      readonly kind: "snapshot";
      readonly type: ResourceType;
      readonly cursor: Cursor;
      readonly items: readonly WatchEvent[];
    }
  /** Removes, one commit each and unresolved, the files of a type that `present` does not name. */
  | {
      readonly kind: "resync";
      readonly type: ResourceType;
      readonly cursor: Cursor;
      readonly present: readonly { readonly namespace: string; readonly name: string }[];
    }
  /**
   * Writes the files of `items` as they are written now, in one commit: objects that are as the branch has them up to `cursor`. Where the
   * rules select something else of the type than when its files were written, those that are missing come and those that do not belong there go.
   */
  | {
      readonly kind: "format";
      readonly type: ResourceType;
      readonly cursor: Cursor;
      readonly items: readonly WatchEvent[];
    }
  /** One commit without files, unless the branch tells of this very time already or has no history yet. */
  | { readonly kind: "coverage"; readonly time: BlindTime };

export interface FlushRequest {
  /** In order. A change at or below the target's cursor of its type is skipped: the repository is the judge of I1. */
  readonly entries: readonly FlushEntry[];
  /** Where each type stands after this flush. */
  readonly cursors: ReadonlyMap<TypeKey, Cursor>;
  /** The result is to name the commits. Default false. */
  readonly wantsIds?: boolean;
}

export interface FlushResult {
  readonly tip: string;
  /** For each entry, in order, how many commits it made: 0 where nothing differed. */
  readonly commits: readonly number[];
  /** Files that hold an object as it came, because it could not be read. Default 0. */
  readonly faults?: number;
  /** Where they were asked for: for each entry the commit that it made last; empty where it made none, or shares one with others. */
  readonly ids?: readonly string[];
}

/** Builds commits off the main thread. One target's flushes run one after the other; a failed one may be repeated whole. */
export interface CommitPool extends AsyncDisposable {
  open(targetId: string): Promise<TargetState>;
  flush(targetId: string, request: FlushRequest): Promise<FlushResult>;
}

/** Ids in hex by full ref names; empty, or left out: there is no such ref. */
export type RefIds = Readonly<Record<string, string>>;

export interface RefUpdate {
  readonly ref: string;
  /** Where the remote is thought to stand; empty: it has no such ref. */
  readonly from: string;
  readonly to: string;
}

/** Code of the error that says: the pack is gone, it was joined with others; what it had is elsewhere. */
export const packMissing = "git-pack-missing";

/** What a branch, and the state refs of the targets that write to it, have ahead of the remote; or the first part of that. */
export interface Outgoing {
  readonly commits: number;
  /** Of the commits that come after these, so many at least: one push has a bound. */
  readonly waiting: number;
  /** The branch first: a server that moves one ref at a time must never show a state whose commits it does not have. */
  readonly updates: readonly RefUpdate[];
  /** Absolute path of a pack with all that the remote needs. It may be gone when it is read (`packMissing`): ask again. */
  readonly packPath: string;
}

/** The local repository of branches that have a remote. A branch is named by any target that writes to it. */
export interface Mirrors {
  /** There is a branch in the local repository already. */
  exists(targetId: string): Promise<boolean>;
  /** First contact: takes over what was fetched, where there is no branch yet. False: the history reaches back too little. */
  adopt(targetId: string, remote: RefIds): Promise<boolean>;
  /**
   * Null: the remote has everything. Throws `packMissing` where packs are joined in this moment. `whole`: packs as they are, and not only what of
   * them should be needed: the remote has said that something is missing.
   */
  outgoing(targetId: string, whole: boolean): Promise<Outgoing | null>;
  /** Notes where the remote stands: refs that were pushed, or fetched. */
  arrived(targetId: string, remote: RefIds): Promise<void>;
  /**
   * The remote's branch has moved, and that was fetched: what it lacks is committed anew on it. Throws `git-remote-rewritten` where the
   * remote's branch no longer holds what was pushed. Resolves to how many commits were made anew.
   */
  rebuild(targetId: string, remote: RefIds): Promise<number>;
}

/** A branch of a repository somewhere else, spoken to for the targets that write to it. */
export interface Remote {
  /** Brings the branch and the state refs into the mirror, no older commits than are asked for; null: as many as there are. */
  fetch(commits: number | null, signal: AbortSignal): Promise<RefIds>;
  /**
   * Resolves to where the remote stands afterwards, as it was read back, whatever the server said. Throws a KubescribeError with the
   * server's reason; `remote-stale` where the branch is not where it was thought to be, `packMissing` where the pack is gone.
   */
  push(outgoing: Outgoing, signal: AbortSignal): Promise<RefIds>;
}
