/**
 * A complete list, page by page. Pages of one list show one version: a continue token that has expired (410) starts the list
 * again, and a list that does not fit into the server's history by pages is asked for in one piece.
 */

import type { ApiServer, Clock, HttpResponse } from "../../actors/ports.ts";
import type { Faulted, ListMatch } from "../../actors/watch-source.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { ResourceType, ResourceVersion, WatchEvent } from "../../machines/messages.ts";
import { faultOf } from "../../machines/watch-fault.ts";
import { completeListItem } from "../bytes/list-item.ts";
import { readObjectHead } from "../bytes/object-head.ts";
import { faultOfResponse } from "./answer-fault.ts";
import { networkDetail, readBody } from "./body.ts";
import { ListPage } from "./list-page.ts";
import { apiVersionOf, typePath } from "./type-path.ts";
import { toWatchEvent } from "./watch-event.ts";

/** Items of a page: client-go's number. */
export const pageItems = 500;
/** So often is a list begun anew because its pages expired, the last time in one piece. */
const maxListAttempts = 3;

export interface ListingContext {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly pageItems: number;
}

interface Page {
  readonly kind: "page";
  readonly version: ResourceVersion;
  /** Empty behind the last page. */
  readonly next: string;
}

export interface Listed {
  readonly kind: "listed";
  readonly version: ResourceVersion;
  readonly items: readonly WatchEvent[];
}

export async function listAll(
  context: ListingContext,
  type: ResourceType,
  request: ListMatch & { readonly alive: () => void },
  signal: AbortSignal,
): Promise<Listed | Faulted> {
  for (let attempt = 1; ; attempt += 1) {
    const limit = attempt < maxListAttempts ? context.pageItems : 0;
    const answer = await listOnce(context, type, { ...request, limit }, signal);
    if (answer.kind !== "expired") return answer;
    // The history moved on in the middle: what was read is of no use.
    if (attempt === maxListAttempts) return { kind: "faulted", fault: faultOf("gone", "the pages of a list expired") };
  }
}

/** One item, without a resourceVersion: a quorum read. */
export async function currentVersion(
  context: ListingContext,
  type: ResourceType,
  signal: AbortSignal,
): Promise<{ readonly kind: "counted"; readonly version: ResourceVersion } | Faulted> {
  const page = await readPage(context, type, { query: { limit: "1" }, take: null, alive: () => undefined }, signal);
  return page.kind === "page" ? { kind: "counted", version: page.version } : page;
}

async function listOnce(
  context: ListingContext,
  type: ResourceType,
  request: ListMatch & { readonly alive: () => void; readonly limit: number },
  signal: AbortSignal,
): Promise<Listed | Faulted | { readonly kind: "expired" }> {
  const items: WatchEvent[] = [];
  const take = (item: WatchEvent): void => void items.push(item);
  const limit = request.limit > 0 ? { limit: String(request.limit) } : {};
  let query: Record<string, string> = { ...matchQuery(request), ...limit };
  for (let pages = 0; ; pages += 1) {
    const page = await readPage(context, type, { query, take, alive: request.alive }, signal);
    if (page.kind === "faulted") return pages > 0 && page.fault.kind === "gone" ? { kind: "expired" } : page;
    if (page.next === "") return { kind: "listed", version: page.version, items };
    // A continue token carries its version; naming one beside it is refused.
    query = { ...limit, continue: page.next };
  }
}

function matchQuery(request: ListMatch): Record<string, string> {
  if (request.match === "latest") return {};
  const resourceVersionMatch = request.match === "exact" ? "Exact" : "NotOlderThan";
  return { resourceVersion: request.version, resourceVersionMatch };
}

async function readPage(
  context: ListingContext,
  type: ResourceType,
  request: {
    readonly query: Readonly<Record<string, string>>;
    readonly take: ((item: WatchEvent) => void) | null;
    readonly alive: () => void;
  },
  signal: AbortSignal,
): Promise<Page | Faulted> {
  const response = await ask(context.api, typePath(type, request.query), signal);
  if ("kind" in response) return response;
  if (response.status !== 200) {
    return { kind: "faulted", fault: await faultOfResponse(response, { watchList: false }) };
  }
  const gvk = { apiVersion: apiVersionOf(type), kind: type.kind };
  let atMs = context.clock.nowMs();
  const page = new ListPage((bytes, start, end) => {
    if (request.take === null) return;
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    const found = readObjectHead(bytes, start, end);
    const own = completeListItem(view, found, gvk);
    // The hashes are those of the completed object, as a watch event has it (K29, K36).
    const head = readObjectHead(own);
    request.take(toWatchEvent({ kind: "ADDED", type, head, source: own, bytes: own, atMs }));
  });
  try {
    const fault = await readBody(response.body, (chunk) => {
      atMs = context.clock.nowMs();
      page.push(chunk);
      request.alive();
      return "more";
    });
    return fault === null ? endOf(page.finish()) : { kind: "faulted", fault };
  } catch (error) {
    if (error instanceof KubescribeError) return { kind: "faulted", fault: faultOf("undecodable", error.message) };
    throw error;
  }
}

/** The request, or why there is no answer. */
export async function ask(api: ApiServer, path: string, signal: AbortSignal): Promise<HttpResponse | Faulted> {
  try {
    return await api.request({ method: "GET", path, headers: { accept: "application/json" } }, signal);
  } catch (error) {
    return { kind: "faulted", fault: faultOf("refused", networkDetail(error)) };
  }
}

function endOf(skeleton: unknown): Page | Faulted {
  const { metadata, items } = (skeleton ?? {}) as { metadata?: Record<string, unknown> | null; items?: unknown };
  const version = metadata?.["resourceVersion"];
  const next = metadata?.["continue"] ?? "";
  const readable = items === undefined || items === null || (Array.isArray(items) && items.length === 0);
  if (!readable || typeof version !== "string" || !/^[0-9]+$/.test(version) || typeof next !== "string") {
    return { kind: "faulted", fault: faultOf("undecodable", "a list without a decimal metadata.resourceVersion") };
  }
  return { kind: "page", version: version as ResourceVersion, next };
}
