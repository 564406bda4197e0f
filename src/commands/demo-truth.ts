/**
 * What the history must say, worked out from the simulated API server's own log and never from what the product saw: which
 * writes change a manifest, and who made them.
 */

import type { Json, JsonObject } from "../simulator/json.ts";
import { equalJson, objectAt, stringAt, without } from "../simulator/json.ts";
import type { StoredEvent } from "../simulator/store.ts";

export interface ExpectedChange {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly resource: string;
  /** Null: nobody reviewed the write, so that nobody can be named. */
  readonly author: string | null;
}

const UNTRACKED_METADATA = ["resourceVersion", "generation", "managedFields", "uid", "creationTimestamp"];

/** Persisted writes in order, those that change only status, bookkeeping or an object that is already terminating left out. */
export function expectedChanges(events: readonly StoredEvent[]): readonly ExpectedChange[] {
  return events.filter(isChange).map((event) => ({
    uid: stringAt(objectAt(event.content.object, "metadata"), "uid"),
    resourceVersion: String(event.revision),
    resource: `${event.typeKey} ${event.namespace}/${event.name}`,
    author: event.authorship.reviewed ? event.authorship.user : null,
  }));
}

function isChange(event: StoredEvent): boolean {
  if (event.previous === null) return true;
  if (isTerminating(event.previous.object)) return false;
  if (event.kind === "DELETED" || isTerminating(event.content.object)) return true;
  return !equalJson(manifestOf(event.previous.object), manifestOf(event.content.object));
}

function isTerminating(object: JsonObject): boolean {
  return "deletionTimestamp" in objectAt(object, "metadata");
}

function manifestOf(object: JsonObject): Json {
  return { ...without(object, "status"), metadata: without(objectAt(object, "metadata"), ...UNTRACKED_METADATA) };
}
