/** A request's path, taken apart: which objects it is about. */

import type { SimulatedCluster } from "./cluster.ts";
import type { SimulatedType } from "./resource-types.ts";

export interface Route {
  readonly type: SimulatedType;
  readonly namespace: string;
  /** Empty: the collection. */
  readonly name: string;
  readonly subresource: string;
}

/** Subresources by the type's flags. */
function serves(type: SimulatedType, subresource: string): boolean {
  switch (subresource) {
    case "":
      return true;
    case "status":
      return type.statusSubresource;
    case "scale":
      return type.scalable;
    case "finalize":
      return type.kind === "Namespace";
    default:
      return false;
  }
}

/** Null: no such resource. */
export function routeOf(cluster: SimulatedCluster, path: string): Route | null {
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  const core = parts[0] === "api";
  if (!core && parts[0] !== "apis") return null;
  const group = core ? "" : (parts[1] ?? "");
  const version = parts[core ? 1 : 2] ?? "";
  const rest = parts.slice(core ? 2 : 3);
  // `/namespaces/NAME`, `/namespaces/NAME/status` are about the Namespace itself.
  const inNamespace = rest[0] === "namespaces" && rest.length > 2 && rest[2] !== "status" && rest[2] !== "finalize";
  const namespace = inNamespace ? (rest[1] ?? "") : "";
  const [resource = "", name = "", subresource = "", ...tooMuch] = inNamespace ? rest.slice(2) : rest;
  const type = cluster.typeOf(group, version, resource);
  if (type === undefined || tooMuch.length > 0 || !serves(type, subresource)) return null;
  if (name !== "" && type.namespaced !== (namespace !== "")) return null;
  return { type, namespace, name, subresource };
}
