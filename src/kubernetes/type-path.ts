/** The URL of a type over all namespaces. */

import type { ResourceType } from "../../machines/messages.ts";

export function typePath(type: ResourceType, query: Readonly<Record<string, string>>): string {
  const group = type.group === "" ? "/api" : `/apis/${encodeURIComponent(type.group)}`;
  const parameters = new URLSearchParams(query).toString();
  const path = `${group}/${encodeURIComponent(type.version)}/${encodeURIComponent(type.resource)}`;
  return parameters === "" ? path : `${path}?${parameters}`;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === "" ? type.version : `${type.group}/${type.version}`;
}
