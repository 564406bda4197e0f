/**
 * LIST: pages of a fixed revision; resourceVersionMatch Exact (from etcd) and NotOlderThan (from the watch cache, as it is or as
 * soon as it is there); 410 and 504.
 */

import type { SimulatedApiServer } from "./api-server.ts";
import type { SimulatedCluster } from "./cluster.ts";
import { objectAt, stringAt, toJson } from "./json.ts";
import { matchesLabels } from "./label-selector.ts";
import { textOf } from "./rendered.ts";
import type { SimulatedType } from "./resource-types.ts";
import { apiVersionOf } from "./resource-types.ts";
import type { ApiAnswer } from "./status.ts";
import { failure } from "./status.ts";
import type { Version } from "./store.ts";

interface Position {
  readonly revision: number;
  readonly after: string;
}

export function list(
  cluster: SimulatedCluster,
  {
    type,
    namespace,
    query,
    ...asked
  }: {
    readonly type: SimulatedType;
    readonly namespace: string;
    readonly query: URLSearchParams;
    readonly server?: number;
  },
): ApiAnswer {
  const { store } = cluster;
  const token = query.get("continue");
  const position = token === null || token === "" ? null : positionOf(token);
  if (token !== null && token !== "" && position === null) return failure("BadRequest", "continue key is not valid");
  const wanted = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  const refusal = refuseOptions({ wanted, match, token: token ?? "" });
  if (refusal !== null) return refusal;
  if (Number(wanted) > store.revision) return tooLarge(Number(wanted), store.revision);
  const server = cluster.server(asked);
  const revision = position?.revision ?? revisionOf({ wanted, match, server, latest: store.revision });
  const versions = store.list(type.key, { namespace, revision });
  if (versions === null) return expired(revision, store.compacted);
  const after = position?.after ?? "";
  const selector = query.get("labelSelector") ?? "";
  const rest = versions.filter(
    (version) =>
      pathOf(version) > after && matchesLabels(objectAt(objectAt(version.object, "metadata"), "labels"), selector),
  );
  const limit = Number(query.get("limit") ?? "0") || rest.length;
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const remaining = rest.length - page.length;
  const more =
    remaining > 0 && last !== undefined
      ? { continue: tokenOf({ revision, after: pathOf(last) }), remainingItemCount: remaining }
      : {};
  const metadata = toJson(
    { resourceVersion: String(revision), ...more },
    { resourceVersion: null, continue: null, remainingItemCount: null },
  );
  const items = page.map((version) => itemText(type, version)).join(",");
  const head =
    type.layout === null
      ? `{"apiVersion":"${apiVersionOf(type)}","items":[${items}],"kind":"${type.kind}List","metadata":${metadata}}`
      : `{"kind":"${type.kind}List","apiVersion":"${apiVersionOf(type)}","metadata":${metadata},"items":[${items}]}`;
  return { status: 200, body: `${head}\n` };
}

interface Asked {
  readonly wanted: string;
  readonly match: string;
}

function refuseOptions({ wanted, match, token }: Asked & { readonly token: string }): ApiAnswer | null {
  if (!Number.isSafeInteger(Number(wanted))) return failure("BadRequest", "invalid resource version");
  if (match === "" || (token === "" && wanted !== "" && !(match === "Exact" && wanted === "0"))) return null;
  return failure("Invalid", `resourceVersionMatch is forbidden unless resourceVersion is provided`);
}

/** A version that is given is the least that is wanted; 0 is whatever there is. */
function revisionOf({
  wanted,
  match,
  server,
  latest,
}: Asked & { readonly server: SimulatedApiServer; readonly latest: number }): number {
  if (match === "Exact") return Number(wanted);
  if (wanted === "") return latest;
  if (Number(wanted) > server.revision) server.catchUp(Number(wanted));
  return server.revision;
}

export function expired(revision: number, compacted: number): ApiAnswer {
  return failure("Expired", `too old resource version: ${revision} (${compacted})`);
}

export function tooLarge(wanted: number, current: number): ApiAnswer {
  return failure("Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`);
}

/** Items of built-in types lack apiVersion and kind (K29). */
function itemText(type: SimulatedType, version: Version): string {
  const text = textOf(version, version.revision);
  const typeMeta = `"kind":"${type.kind}","apiVersion":"${apiVersionOf(type)}",`;
  return type.layout !== null && text.startsWith(typeMeta, 1) ? `{${text.slice(1 + typeMeta.length)}` : text;
}

function pathOf(version: Version): string {
  const metadata = objectAt(version.object, "metadata");
  return `${stringAt(metadata, "namespace")}/${stringAt(metadata, "name")}`;
}

function tokenOf(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

function positionOf(token: string): Position | null {
  try {
    const { revision, after } = JSON.parse(Buffer.from(token, "base64url").toString()) as Partial<Position>;
    return typeof revision === "number" && typeof after === "string" ? { revision, after } : null;
  } catch {
    return null;
  }
}
