/**
 * Whom the evidence names for one write: by brute force over every review that ever arrived, with nothing retired, evicted or hashed.
 * It compares texts and values where the matcher compares hashes, and knows of no state but the write's predecessor.
 */

import { isDeepStrictEqual } from "node:util";
import type { Operation, Tier } from "../../machines/messages.ts";
import type { JsonObject } from "../../src/simulator/json.ts";
import { numberAt, objectAt, parseJson, stringAt, withMembers, without } from "../../src/simulator/json.ts";
import { textOf } from "../../src/simulator/rendered.ts";
import type { StoredEvent } from "../../src/simulator/store.ts";
import { withoutVersion } from "../simulator/model-support.ts";
import { longestRequestMs } from "../../machines/pending.ts";
import type { Review } from "./played-cluster.ts";

/** A review, and when it arrived. */
export interface Seen extends Review {
  readonly user: string;
  readonly atMs: number;
}

export interface Reference {
  /** Null: nothing that a commit could show. */
  readonly operation: Operation | null;
  readonly tier: Tier;
  /** Everyone who may have written, in the order in which they asked. */
  readonly users: readonly string[];
  /** Everyone who asked for a write to this object in this version. */
  readonly asked: readonly string[];
}

export interface Sight {
  readonly nowMs: number;
  /** What has no bytes to prove it counts from here on. */
  readonly freshSinceMs: number;
}

export const freshnessMs = 10_000;

export function judge(event: StoredEvent, reviews: readonly Seen[], sight: Sight): Reference {
  const operation = operationOf(event);
  if (operation === null) return { operation, tier: "unresolved", users: [], asked: [] };
  const uid = uidOf(event.content.object);
  const asking = reviews.filter(({ attempt }) => {
    if (attempt.dryRun || uidOf(objectOf(attempt)) !== uid) return false;
    return event.previousRevision === 0 || versionOf(attempt) === String(event.previousRevision);
  });
  const { tier, fitting } = explanationsOf(
    event,
    asking.filter(({ attempt }) => attempt.operation === operation),
    sight,
  );
  const users = usersOf(fitting);
  const found = users.length > 1 ? "tie" : users.length === 1 ? tier : "unresolved";
  return { operation, tier: found, users, asked: usersOf(asking) };
}

/** `asking`: who asked for this operation on this very state. */
function explanationsOf(
  event: StoredEvent,
  asking: readonly Seen[],
  sight: Sight,
): { readonly tier: Tier; readonly fitting: readonly Seen[] } {
  const operation = operationOf(event);
  if (operation === "CREATE") return { tier: "exact", fitting: asking };
  if (operation === "DELETE") return { tier: "delete", fitting: unproven(asking, sight) };
  const text = withoutVersion(textOf(event.content, event.revision));
  const writers = asking.filter(({ attempt }) => attempt.subresource !== "scale");
  const equal = writers.filter(({ attempt, altered }) => !altered && withoutVersion(attempt.object ?? "") === text);
  if (equal.length > 0) return { tier: "exact", fitting: equal };
  const content = contentOf(text);
  const scales = ({ attempt }: Seen): boolean => attempt.subresource === "scale" && isScaledTo(event, attempt.object);
  const fits = (review: Seen): boolean =>
    review.attempt.subresource === "scale"
      ? scales(review)
      : isDeepStrictEqual(contentOf(review.attempt.object ?? "{}"), content);
  const fitting = unproven(asking.filter(fits), sight);
  const scaled = fitting.some((review) => scales(review) && review.atMs >= sight.freshSinceMs);
  return { tier: scaled ? "scale" : "content", fitting };
}

/** What the write means for a file (K11, K33). */
export function operationOf({ kind, content, previous }: StoredEvent): Operation | null {
  if (kind === "ADDED" || previous === null) return "CREATE";
  if (isTerminating(previous.object)) return null;
  if (kind === "DELETED" || isTerminating(content.object)) return "DELETE";
  return isDeepStrictEqual(intentOf(content.object), intentOf(previous.object)) ? null : "UPDATE";
}

export function uidOf(object: JsonObject): string {
  return stringAt(objectAt(object, "metadata"), "uid");
}

/**
 * Nothing but freshness speaks for these. Who asked before it may still have written, as long as a request can take: beside him nobody
 * is certain.
 */
function unproven(fitting: readonly Seen[], { nowMs, freshSinceMs }: Sight): readonly Seen[] {
  if (!fitting.some(({ atMs }) => atMs >= freshSinceMs)) return [];
  return fitting.filter(({ atMs }) => atMs >= freshSinceMs || nowMs - atMs <= longestRequestMs);
}

function usersOf(reviews: readonly Seen[]): readonly string[] {
  return [...new Set(reviews.map(({ user }) => user))];
}

/** The number changed to what was asked for (K40: absent is 0), and nothing else did. */
function isScaledTo({ content, previous }: StoredEvent, scale: string | null): boolean {
  if (previous === null) return false;
  const replicas = (object: JsonObject): number => numberAt(objectAt(object, "spec"), "replicas");
  const rest = (object: JsonObject): JsonObject =>
    withMembers(intentOf(object), { spec: without(objectAt(object, "spec"), "replicas") });
  if (replicas(content.object) === replicas(previous.object)) return false;
  if (!isDeepStrictEqual(rest(content.object), rest(previous.object))) return false;
  return replicas(parseJson(scale ?? "{}") as JsonObject) === replicas(content.object);
}

function objectOf({ object, oldObject }: Seen["attempt"]): JsonObject {
  return parseJson(oldObject ?? object ?? "{}") as JsonObject;
}

function versionOf({ oldObject }: Seen["attempt"]): string {
  return oldObject === null ? "" : stringAt(objectAt(parseJson(oldObject), "metadata"), "resourceVersion");
}

/** null, [] and {} are as good as absent (K36). */
function contentOf(text: string): unknown {
  const { metadata, ...object } = without(parseJson(text) as JsonObject, "status");
  // In managedFields {} says that a field is owned.
  const { managedFields, ...rest } = without(metadata as JsonObject, "generation", "resourceVersion");
  return { managedFields: managedFields ?? [], object: prune({ ...object, metadata: rest }) };
}

function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(prune);
  if (typeof value !== "object" || value === null) return value ?? undefined;
  const members = Object.entries(value).flatMap(([key, member]) => {
    const pruned = prune(member);
    return pruned === undefined ? [] : [[key, pruned] as const];
  });
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

function isTerminating(object: JsonObject): boolean {
  return "deletionTimestamp" in objectAt(object, "metadata");
}

function intentOf(object: JsonObject): JsonObject {
  const metadata = without(objectAt(object, "metadata"), "managedFields", "generation", "resourceVersion");
  return withMembers(without(object, "status"), { metadata });
}
