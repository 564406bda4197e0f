/** The options of LIST and WATCH, and what is refused of them, as apimachinery's ValidateListOptions does it. */

import type { ApiAnswer } from "./status.ts";
import { failure } from "./status.ts";

export function isWatch(query: URLSearchParams): boolean {
  return ["true", "1"].includes(query.get("watch") ?? "");
}

/** Null: nothing is wrong. */
export function refuseListOptions(query: URLSearchParams): ApiAnswer | null {
  const version = query.get("resourceVersion") ?? "";
  const wrong = isWatch(query) ? wrongWatch(query) : wrongList(query, version);
  if (wrong !== null) return failure("Invalid", `ListOptions.meta.k8s.io "" is invalid: ${wrong}`);
  if (/^\d*$/.test(version)) return null;
  const detail = `resourceVersion: Invalid value: "${version}"`;
  // Of a watch it is found too late to be called the client's fault.
  return isWatch(query)
    ? failure("InternalError", detail)
    : failure("BadRequest", `invalid resource version: ${detail}`);
}

function wrongList(query: URLSearchParams, version: string): string | null {
  const match = query.get("resourceVersionMatch") ?? "";
  if (query.has("sendInitialEvents")) return "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list";
  if (match === "") return null;
  if (version === "")
    return "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
  if (query.get("continue"))
    return "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided";
  if (match !== "Exact" && match !== "NotOlderThan") return `resourceVersionMatch: Unsupported value: "${match}"`;
  return match === "Exact" && version === "0"
    ? `resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`
    : null;
}

function wrongWatch(query: URLSearchParams): string | null {
  const match = query.get("resourceVersionMatch") ?? "";
  if (query.has("sendInitialEvents")) {
    return match === "NotOlderThan"
      ? null
      : "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
  }
  return match === ""
    ? null
    : "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
}
