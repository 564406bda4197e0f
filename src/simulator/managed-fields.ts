/**
 * metadata.managedFields of plain updates: who last changed which field, with a time in whole seconds. Lists are taken as
 * atomic. A writer that changes no value leaves them alone, which is what makes a no-op a no-op.
 */

import type { Json, JsonObject } from "./json.ts";
import { arrayAt, equalJson, isObject, objectAt, stringAt, withMembers, without } from "./json.ts";

export interface FieldWriter {
  readonly manager: string;
  readonly subresource: string;
  readonly apiVersion: string;
  /** `2026-01-02T03:04:05Z` */
  readonly time: string;
  /** The Scale that the writer saw: its entry has no time, and 0 replicas, which it omits, are nobody's (K40). */
  readonly scale?: JsonObject;
}

/** What the API server itself assigns: never owned. */
const UNOWNED_METADATA = [
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
];

/** `next` with its managedFields set; `previous` is null for a creation. */
export function trackFields(previous: JsonObject | null, next: JsonObject, writer: FieldWriter): JsonObject {
  const before = previous === null ? {} : ownable(previous);
  const changed = changedFields(before, ownable(next));
  const removedSome = !equalJson(before, ownable(next));
  const entries = arrayAt(objectAt(previous ?? {}, "metadata"), "managedFields").filter(isObject);
  if (changed === null && !removedSome) return withManagedFields(next, entries);
  const isMine = (entry: JsonObject) =>
    stringAt(entry, "manager") === writer.manager && stringAt(entry, "subresource") === writer.subresource;
  const others = entries
    .filter((entry) => !isMine(entry))
    .flatMap((entry) => {
      const kept = restrict(subtract(objectAt(entry, "fieldsV1"), changed ?? {}), ownable(next));
      return kept === null ? [] : [withMembers(entry, { fieldsV1: kept })];
    });
  const mine = entries.find(isMine);
  const owned = restrict(union(objectAt(mine, "fieldsV1"), changed ?? {}), ownable(writer.scale ?? next));
  if (owned === null) return withManagedFields(next, others);
  const entry: JsonObject = {
    manager: writer.manager,
    operation: "Update",
    apiVersion: writer.apiVersion,
    ...(writer.scale === undefined
      ? { time: changed === null && mine !== undefined ? stringAt(mine, "time") : writer.time }
      : {}),
    fieldsType: "FieldsV1",
    fieldsV1: owned,
    ...(writer.subresource === "" ? {} : { subresource: writer.subresource }),
  };
  return withManagedFields(next, [...others, entry].toSorted(byTimeAndManager));
}

function withManagedFields(object: JsonObject, entries: readonly JsonObject[]): JsonObject {
  const metadata = withMembers(objectAt(object, "metadata"), {
    managedFields: entries.length === 0 ? undefined : entries,
  });
  return withMembers(object, { metadata });
}

function byTimeAndManager(a: JsonObject, b: JsonObject): number {
  const keyOf = (entry: JsonObject) =>
    `${stringAt(entry, "time")} ${stringAt(entry, "manager")} ${stringAt(entry, "subresource")}`;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

function ownable(object: JsonObject): JsonObject {
  const metadata = without(objectAt(object, "metadata"), ...UNOWNED_METADATA);
  return withMembers(without(object, "kind", "apiVersion"), {
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
  });
}

/** The set of fields that are new or differ; null where there is none. */
function changedFields(before: Json | undefined, after: Json): JsonObject | null {
  if (!isObject(after)) return equalJson(before, after) ? null : {};
  const fields: Record<string, Json> = before === undefined ? { ".": {} } : {};
  for (const [key, value] of Object.entries(after)) {
    const nested = changedFields(isObject(before) ? before[key] : undefined, value);
    if (nested !== null) fields[`f:${key}`] = nested;
  }
  return Object.keys(fields).length === 0 ? null : fields;
}

function union(a: JsonObject, b: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...a };
  for (const key of Object.keys(b)) merged[key] = union(objectAt(a, key), objectAt(b, key));
  return merged;
}

function subtract(set: JsonObject, taken: JsonObject): JsonObject {
  const rest: Record<string, Json> = {};
  for (const key of Object.keys(set)) {
    const leaf = Object.keys(objectAt(set, key)).length === 0;
    if (leaf && Object.hasOwn(taken, key)) continue;
    const nested = subtract(objectAt(set, key), objectAt(taken, key));
    if (leaf || Object.keys(nested).length > 0) rest[key] = nested;
  }
  return rest;
}

/** Only the fields that the object still has; null where nothing is left. */
function restrict(set: JsonObject, object: Json): JsonObject | null {
  const kept: Record<string, Json> = {};
  for (const key of Object.keys(set)) {
    const field = key.slice(2);
    if (key === ".") kept[key] = {};
    else if (isObject(object) && Object.hasOwn(object, field)) {
      const nested = objectAt(set, key);
      const rest = Object.keys(nested).length === 0 ? nested : restrict(nested, object[field] ?? null);
      if (rest !== null) kept[key] = rest;
    }
  }
  return Object.keys(kept).length === 0 ? null : kept;
}
