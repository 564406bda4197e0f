/**
 * The words that everything else is said in: what a review says (Correlation), what the watch says (WatchEvent), and what
 * comes of the two (Change, with a Verdict). Plain readonly data; the branded ids are made in decoders only.
 */

import type { BlindTime } from "./blind-time.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** metadata.uid of one incarnation of a resource. */
export type Uid = Branded<"Uid">;
/** metadata.resourceVersion: an unbounded decimal integer (K15). Compare with `compareResourceVersions` only. */
export type ResourceVersion = Branded<"ResourceVersion">;
/** A collision-resistant digest of raw bytes, base64. */
export type ObjectHash = Branded<"ObjectHash">;
/** `group/resource` of a type, `core/configmaps` for the core group: what cursors and watches are keyed by. */
export type TypeKey = Branded<"TypeKey">;
/** `TypeKey/namespace/name`, the namespace empty for a cluster-scoped resource: what actors are keyed by. */
export type ResourceKey = Branded<"ResourceKey">;

/** One watched resource type, in the one version that is watched. Shared by reference: one object per type. */
export interface ResourceType {
  readonly key: TypeKey;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural, as in the URL: `deployments`. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Has a `/scale` subresource. */
  readonly scalable: boolean;
}

export type Operation = "CREATE" | "UPDATE" | "DELETE";

/** Who attempts what: one admission review, boiled down. Says nothing about whether the write happened. */
export interface Correlation {
  /** Rises by one with each review of this data directory: the FIFO order. */
  readonly arrival: number;
  /** Wall clock, ms since 1970, when the review arrived. */
  readonly atMs: number;
  readonly typeKey: TypeKey;
  readonly namespace: string;
  readonly name: string;
  readonly uid: Uid;
  readonly operation: Operation;
  /** Empty, or `status`, `scale`, `finalize`, ... */
  readonly subresource: string;
  readonly user: string;
  /** The `extra` values of userInfo that an author mapping asks for (first value of each key). */
  readonly claims: Readonly<Record<string, string>>;
  readonly fieldManager: string;
  /** resourceVersion of `oldObject`; empty for CREATE. */
  readonly base: ResourceVersion | "";
  /** Hash of `object` with the value of metadata.resourceVersion cut out (K36); empty where there is none. */
  readonly objectHash: ObjectHash | "";
  /** `object` and `oldObject` are the same bytes: if this writes at all, it changes nothing (K1, K37). */
  readonly unchanged: boolean;
  /** For `/scale` only: the replicas asked for, 0 when absent (K40). */
  readonly replicas: number | null;
  /** Came from the journal of an earlier process: not across a blind time (DESIGN section 4). */
  readonly restored: boolean;
}

/** One event of an unfiltered watch, or one item of a list. */
export interface WatchEvent {
  readonly kind: "ADDED" | "MODIFIED" | "DELETED";
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
  readonly uid: Uid;
  readonly resourceVersion: ResourceVersion;
  /** metadata.deletionTimestamp is set. */
  readonly terminating: boolean;
  /** As in Correlation. */
  readonly objectHash: ObjectHash;
  /**
   * Hash of `object` without resourceVersion, generation, managedFields, status and spec.replicas; `emptySpec` is added where a
   * spec is there and nothing of it is left.
   */
  readonly restHash: ObjectHash;
  /** spec.replicas where it is an integer; otherwise null, and then `restHash` keeps whatever stands there. */
  readonly replicas: number | null;
  /** The raw object, JSON in UTF-8. Owned by the receiver: not a view of a buffer that is used again. */
  readonly bytes: Uint8Array;
  /** Wall clock, ms since 1970, when the event was read. */
  readonly atMs: number;
}

/** DESIGN section 4; `fifo` and `dual` are the baselines' only verdicts, beside `unresolved`. */
export type Tier =
  | "exact"
  | "scale"
  | "delete"
  | "tie"
  | "content"
  | "recovered"
  | "collapsed"
  | "unresolved"
  | "fifo"
  | "dual";

/** Somebody who made, or may have made, a change. */
export interface Actor {
  readonly user: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly fieldManager: string;
  readonly subresource: string;
  /** Wall clock of the review: the commit's author date. */
  readonly atMs: number;
}

export interface Verdict {
  readonly tier: Tier;
  /** Null: nobody is named (`collapsed`, `unresolved`); the commit gets the sentinel author. */
  readonly author: Actor | null;
  /** For `tie` and `collapsed`: everyone who may have written, the author first; otherwise empty. */
  readonly candidates: readonly Actor[];
  /** User on whose request a cascade removed this (K34); empty where it is not known. */
  readonly causedBy: string;
  /** The actor failed again and again on this event, which is committed as it stands. */
  readonly faulted: boolean;
}

/** One persisted change of one resource. (epoch, uid, resourceVersion) is unique (I1). */
export interface Change {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
  readonly uid: Uid;
  readonly resourceVersion: ResourceVersion;
  /** Counts restores of the cluster from backups, from 0. */
  readonly epoch: number;
  readonly operation: Operation;
  readonly verdict: Verdict;
  /** The raw object; of a DELETE the last state. */
  readonly bytes: Uint8Array;
  /** When the event was read, wall clock in ms: the author date where no review gives one. */
  readonly observedAtMs: number;
  /** Of a difference after a gap: up to where the resource was known. The verdict is about what came behind it. */
  readonly since?: Cursor;
}

/** The order of resourceVersions of one type: as unbounded decimal integers (K15). Negative, 0 or positive. */
export function compareResourceVersions(a: ResourceVersion | "", b: ResourceVersion | ""): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Ends a `restHash`: an empty spec is not an absent one. */
export const emptySpec = "+";

export function typeKeyOf(group: string, resource: string): TypeKey {
  return `${group === "" ? "core" : group}/${resource}` as TypeKey;
}

export function resourceKeyOf(typeKey: TypeKey, namespace: string, name: string): ResourceKey {
  return `${typeKey}/${namespace}/${name}` as ResourceKey;
}

/** What one type's watch says, in its order. */
export type WatchMessage =
  | {
      /** A complete list. Initial events of a WatchList and pages of a LIST end up in one of these, never a part of one. */
      readonly kind: "listed";
      readonly type: ResourceType;
      readonly resourceVersion: ResourceVersion;
      readonly epoch: number;
      /**
       * True: the state at the very version from which the stream goes on, and nothing before it was missed by whoever had
       * read up to there (a LIST with resourceVersionMatch=Exact at the cursor, K47). False: first contact, or a gap.
       */
      readonly unbroken: boolean;
      /** As ADDED events, in any order. */
      readonly items: readonly WatchEvent[];
    }
  | { readonly kind: "observed"; readonly event: WatchEvent; readonly epoch: number }
  | {
      readonly kind: "bookmarked";
      readonly type: ResourceType;
      readonly resourceVersion: ResourceVersion;
      readonly epoch: number;
    };

/** How far a target has come in one type. */
export interface Cursor {
  readonly epoch: number;
  readonly resourceVersion: ResourceVersion;
  /** Of several that may have been deleted at the very version, these; absent: all that changed up to and at it (cursor.ts). */
  readonly uids?: readonly Uid[];
}

/** What reaches a branch, in watch order for each type. */
export type BranchMessage =
  | { readonly kind: "changed"; readonly change: Change }
  /** Seen, and nothing to commit: only the cursor moves. */
  | { readonly kind: "progressed"; readonly typeKey: TypeKey; readonly cursor: Cursor }
  /**
   * A complete list. A branch that has no cursor for the type commits it as a snapshot; one whose cursor is older commits
   * `changes` (the differences that the actors know of) and what else of `items` is newer than its cursor, then removes files of
   * the type that are not in `items`; one whose cursor is not older ignores it.
   */
  | {
      readonly kind: "relisted";
      readonly type: ResourceType;
      readonly cursor: Cursor;
      readonly items: readonly WatchEvent[];
      readonly changes: readonly Change[];
    }
  /** Evidence (K37) changed the order of a tie's candidates; without effect once the change is committed. */
  | {
      readonly kind: "amended";
      readonly typeKey: TypeKey;
      readonly uid: Uid;
      readonly resourceVersion: ResourceVersion;
      readonly verdict: Verdict;
    }
  /** Of no type, and for every branch: authors were not seen for a time. */
  | { readonly kind: "covered"; readonly time: BlindTime };

/** Negative, 0 or positive: `a` is at an older, the same, a newer version than `b`. */
export function compareCursors(a: Cursor, b: Cursor): number {
  return a.epoch - b.epoch || compareResourceVersions(a.resourceVersion, b.resourceVersion);
}
