/** A write as it comes by HTTP, taken apart. */

import type { Patch, WriteRequest } from "./cluster.ts";
import type { Json, JsonObject } from "./json.ts";
import { isObject, parseJson, toJson } from "./json.ts";
import type { User } from "./review.ts";
import type { Route } from "./route.ts";
import type { ApiAnswer } from "./status.ts";
import { failure } from "./status.ts";

export interface HttpWrite {
  readonly user: User;
  readonly route: Route;
  readonly method: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly userAgent: string;
  /** The body. */
  readonly text: string;
}

/** A strategic merge patch is taken for a merge patch. */
const PATCH_KINDS: Readonly<Record<string, Patch["kind"]>> = {
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "merge",
  "application/json-patch+json": "json",
  "application/apply-patch+yaml": "apply",
};

/** The write, or why it is none. */
export function writeRequestOf({ user, route, text, method, query, ...headers }: HttpWrite): WriteRequest | ApiAnswer {
  const body = bodyOf(text);
  if (body === null) return failure("BadRequest", "the body is no JSON object");
  const verb = verbOf(method, route);
  if (verb === null)
    return failure("MethodNotAllowed", "the server does not allow this method on the requested resource");
  const contentType = headers.contentType.split(";")[0] ?? "";
  const patch = verb === "patch" ? patchOf(contentType, { body, force: query.get("force") === "true" }) : null;
  if (verb === "patch" && patch === null) {
    return failure("UnsupportedMediaType", `the simulator knows only ${Object.keys(PATCH_KINDS).join(", ")}`);
  }
  const object = isObject(body) ? body : {};
  const agent = headers.userAgent.split("/")[0] ?? "";
  const removes = verb === "delete" || verb === "deletecollection";
  return {
    ...route,
    user,
    verb,
    ...(patch === null ? {} : { patch }),
    body: removes && text === "" ? deleteOptionsIn(query) : object,
    fieldManager: query.get("fieldManager") ?? "",
    userAgent: agent || "unknown",
    // A DELETE with a body does not read its options from the query.
    dryRun: removes && text !== "" ? toJson(object["dryRun"] ?? null) === `["All"]` : query.get("dryRun") === "All",
    labelSelector: query.get("labelSelector") ?? "",
  };
}

function patchOf(contentType: string, { body, force }: { readonly body: Json; readonly force: boolean }): Patch | null {
  const kind = PATCH_KINDS[contentType];
  switch (kind) {
    case undefined:
      return null;
    case "json":
      return Array.isArray(body) ? { kind, operations: body as readonly Json[] } : null;
    case "apply":
      return { kind, force };
    default:
      return { kind };
  }
}

function deleteOptionsIn(query: URLSearchParams): JsonObject {
  const propagationPolicy = query.get("propagationPolicy");
  const grace = query.get("gracePeriodSeconds");
  return {
    ...(propagationPolicy === null ? {} : { propagationPolicy }),
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
  };
}

function verbOf(method: string, route: Route): WriteRequest["verb"] | null {
  if (method === "POST") return route.name === "" ? "create" : null;
  if (method === "DELETE") return route.name === "" ? "deletecollection" : route.subresource === "" ? "delete" : null;
  if (route.name === "") return null;
  return method === "PUT" ? "update" : method === "PATCH" ? "patch" : null;
}

/** JSON is YAML, and the YAML of an apply must be JSON here. */
function bodyOf(text: string): Json {
  if (text === "") return {};
  try {
    const body = parseJson(text);
    return isObject(body) || Array.isArray(body) ? body : null;
  } catch {
    return null;
  }
}
