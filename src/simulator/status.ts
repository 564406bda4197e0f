/** Answers that are no objects: the API server's Status, by reason. */

import type { SimulatedType } from "./resource-types.ts";
import { toJson } from "./json.ts";

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

type Reason =
  | "BadRequest"
  | "Unauthorized"
  | "Forbidden"
  | "NotFound"
  | "MethodNotAllowed"
  | "AlreadyExists"
  | "Conflict"
  | "Expired"
  | "UnsupportedMediaType"
  | "Invalid"
  | "TooManyRequests"
  | "Timeout"
  | "InternalError";

const CODES: Readonly<Record<Reason, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  Timeout: 504,
};

export function failure(reason: Reason, message: string): ApiAnswer {
  const code = CODES[reason];
  const layout = {
    kind: null,
    apiVersion: null,
    metadata: null,
    status: null,
    message: null,
    reason: null,
    code: null,
  };
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
  return { status: code, body: toJson(body, layout) };
}

export function success(
  type: SimulatedType,
  { name, uid }: { readonly name: string; readonly uid: string },
): ApiAnswer {
  const details = { name, ...(type.group === "" ? {} : { group: type.group }), kind: type.resource, uid };
  const layout = {
    kind: null,
    apiVersion: null,
    metadata: null,
    status: null,
    details: { name: null, group: null, kind: null, uid: null },
  };
  return {
    status: 200,
    body: toJson({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details }, layout),
  };
}

/** `deployments.apps "web"`, as the API server's messages name a resource. */
export function named(type: SimulatedType, name: string): string {
  return `${type.resource}${type.group === "" ? "" : `.${type.group}`} "${name}"`;
}

export function notFound(type: SimulatedType, name: string): ApiAnswer {
  return failure("NotFound", `${named(type, name)} not found`);
}

/** A CRD was created a moment ago: try again (K43). */
export function initializing(): ApiAnswer {
  return failure("TooManyRequests", "storage is (re)initializing");
}

export function conflict(type: SimulatedType, name: string): ApiAnswer {
  return failure(
    "Conflict",
    `Operation cannot be fulfilled on ${named(type, name)}: the object has been modified; please apply your changes to the latest version and try again`,
  );
}
