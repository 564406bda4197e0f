/**
 * How far a type was read. Versions rise with each write, but an expired lease deletes several objects of a type in one etcd
 * revision (Events, where a rule names them; K15 promises an order, not that versions differ). Nothing else shares a version.
 * So a deletion leaves its version open, until something above it, a bookmark or a list was read: whoever stops there reads it again.
 */

import {
  compareCursors,
  type Cursor,
  type Operation,
  type ResourceVersion,
  type Uid,
  type WatchEvent,
} from "./messages.ts";

/** Where a change, a list or a bookmark brings its type. */
export function cursorOf(from: {
  readonly epoch: number;
  readonly resourceVersion: ResourceVersion;
  readonly uid?: Uid;
  readonly operation?: Operation;
}): Cursor {
  const { epoch, resourceVersion, uid, operation } = from;
  return operation === "DELETE" && uid !== undefined
    ? { epoch, resourceVersion, uids: [uid] }
    : { epoch, resourceVersion };
}

/** The same for an event: it means a deletion where the change that comes of it is one (K33). */
export function cursorAt({ resourceVersion, uid, kind, terminating }: WatchEvent, epoch: number): Cursor {
  const deletes = kind === "DELETED" || terminating;
  return deletes ? { epoch, resourceVersion, uids: [uid] } : { epoch, resourceVersion };
}

/** Whoever has come to `cursor` has all that `at` stands for. */
export function covers(cursor: Cursor | null, at: Cursor): boolean {
  if (cursor === null) return false;
  const order = compareCursors(cursor, at);
  const { uids } = cursor;
  if (order !== 0 || uids === undefined) return order >= 0;
  return at.uids !== undefined && at.uids.every((uid) => uids.includes(uid));
}

/** As far as both reach together. */
export function joined(a: Cursor | null, b: Cursor): Cursor {
  const order = a === null ? -1 : compareCursors(a, b);
  if (a === null || order < 0) return b;
  if (order > 0 || a.uids === undefined) return a;
  return b.uids === undefined ? b : { ...b, uids: [...new Set([...a.uids, ...b.uids])] };
}

/** Where to begin for what changed at `version` to come again. Any number is a version: etcd counts over all types. */
export function versionBefore(version: ResourceVersion): ResourceVersion {
  // 0 would ask for any version.
  return decimal.test(version) && BigInt(version) > 1n ? (String(BigInt(version) - 1n) as ResourceVersion) : version;
}

/** Whether something that was read back is a cursor. */
export function isCursor(value: unknown): value is Cursor {
  if (typeof value !== "object" || value === null) return false;
  const { epoch, resourceVersion, uids } = value as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(epoch) || typeof resourceVersion !== "string" || !decimal.test(resourceVersion))
    return false;
  return uids === undefined || (Array.isArray(uids) && uids.every((uid) => typeof uid === "string"));
}

const decimal = /^\d+$/;
