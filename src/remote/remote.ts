/** The room's interface: a Git repository behind https or ssh. What is read from it is untrusted; what is sent to it is read back. */

import type { KubescribeError } from "../../machines/error.ts";

export interface Remote {
  /** The URL without its user, for logs and conditions. */
  readonly shownUrl: string;

  /** Reads refs with a connection of its own. Throws errors of `RemoteReason`. */
  refs(names: RefNames, signal: AbortSignal): Promise<RemoteRefs>;

  /**
   * Moves refs, and reads them back with a new connection: the result says what was read, whatever the remote reported; a push that
   * was cut ends in a result, too. Throws `remote-unknown` where something was sent and nothing could be read back, any other error
   * of `RemoteReason` where nothing was sent, and the signal's reason at any time. The same push again is safe at all times: what
   * stands at `to` is done.
   */
  push(push: Push, signal: AbortSignal): Promise<PushResult>;

  /**
   * Brings what is needed of some refs into a git directory, and moves no ref there. Throws errors of `RemoteReason` (`remote-quota`: more than the limit), and
   * what the file system throws; then the directory is what it was.
   */
  fetch(fetch: Fetch, signal: AbortSignal): Promise<FetchResult>;
}

/** Full names such as `refs/heads/main`; one that ends in a slash stands for all below it. */
export type RefNames = readonly string[];

export interface RemoteRefs {
  /** Ids in hex of those that were asked for and are there; at most 10,000. */
  readonly refs: ReadonlyMap<string, string>;
  /** How many refs the remote has in all; 0: it is empty. */
  readonly count: number;
  /** The branch that HEAD names, or null where that is not said. */
  readonly headRef: string | null;
}

export interface RefUpdate {
  /** Full name. */
  readonly ref: string;
  /** 40 hex digits, or empty: the ref must not exist. */
  readonly from: string;
  /** 40 hex digits. */
  readonly to: string;
}

export interface Push {
  /** In the order in which they move where the remote cannot move them at once: a ref that names another's object comes after it. */
  readonly updates: readonly RefUpdate[];
  /** The objects that the remote lacks; null: none. No object of it needs one outside it as a delta's base. */
  readonly pack: PushedPack | null;
}

export interface PushedPack {
  readonly sizeBytes: number;
  /** The whole packfile, anew at each call: a remote that is not atomic gets it once for each ref. */
  chunks(): AsyncIterable<Uint8Array>;
}

export type PushResult =
  /** Each ref was read where it should be. */
  | { readonly kind: "pushed" }
  | {
      readonly kind: "rejected";
      /** By code and message why: see `RemoteReason`. `remote-stale` is decided by what was read, not by what was said. */
      readonly error: KubescribeError;
      /**
       * Where each ref of the push stands now; empty where there is none. Some may have moved; and a later one without an earlier, where
       * the remote said that it is atomic and is not.
       */
      readonly found: ReadonlyMap<string, string>;
    };

export interface Fetch {
  readonly gitDirectory: string;
  /** Those that the remote does not have are left out. */
  readonly refs: RefNames;
  /** So many commits of each, and `shallow` says where they end; null: all that are not here. */
  readonly depth: number | null;
  /** Commits in hex that are here with all that they need, down to `shallow`; newest first, the first 256 count. */
  readonly haves: readonly string[];
  /**
   * Whether an object is here. The server does not send again what it knows to be here: a commit at which what is here ends, when more is
   * asked for below it, or one below the `haves`. Default: nothing is.
   */
  readonly holds?: (id: string) => Promise<boolean>;
  /** Tells temporary files of several targets apart; one fetch of an owner at a time. */
  readonly owner: string;
  /** fsync before each rename. */
  readonly sync: boolean;
  /** Nobody else is at work in the git directory: locks that stand there are taken over. Default false. */
  readonly alone?: boolean;
  /** Default 512 MiB; indexing takes four times as much memory. */
  readonly packLimitBytes?: number;
}

export interface FetchResult extends RemoteRefs {
  /** Null: nothing was needed. */
  readonly pack: { readonly name: string; readonly sizeBytes: number } | null;
}
