/** What a request says the object must be. */

import type { WriteRequest } from "./cluster.ts";
import type { JsonObject } from "./json.ts";
import { objectAt, stringAt } from "./json.ts";
import type { ApiAnswer } from "./status.ts";
import { conflict } from "./status.ts";
import type { Version } from "./store.ts";

/** Empty: anything will do. */
export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Of DeleteOptions. */
export function preconditionsOf(options: JsonObject): Preconditions {
  const given = objectAt(options, "preconditions");
  return { uid: stringAt(given, "uid"), resourceVersion: stringAt(given, "resourceVersion") };
}

/** The refusal, or null. */
export function brokenPrecondition(
  { type, name }: WriteRequest,
  { uid, resourceVersion }: Preconditions,
  current: Version | null,
): ApiAnswer | null {
  const other = uid !== "" && uid !== stringAt(objectAt(current?.object, "metadata"), "uid");
  const moved = resourceVersion !== "" && resourceVersion !== String(current?.revision ?? 0);
  return other || moved ? conflict(type, name) : null;
}
