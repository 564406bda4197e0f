/** What an answer that is no success means: a status line, or a Status object in a stream. */

import type { HttpResponse } from "../../actors/ports.ts";
import { faultOf } from "../../machines/watch-fault.ts";
import type { FaultKind, WatchFault } from "../../machines/watch-fault.ts";
import { readText } from "./body.ts";

/** Bytes of an error's body that are looked at. */
const maxStatusBytes = 64 * 1024;
const maxDetailLength = 200;

interface Status {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly details?: {
    readonly retryAfterSeconds?: unknown;
    readonly causes?: readonly { readonly reason?: unknown }[];
  } | null;
}

/** `options.watchList`: the request asked for initial events, which a server may not know (K25, K44). */
export interface AnswerContext {
  readonly watchList: boolean;
}

export async function faultOfResponse(response: HttpResponse, context: AnswerContext): Promise<WatchFault> {
  const status = parseStatus(await readText(response.body, maxStatusBytes));
  const header = Number(response.headers["retry-after"] ?? "0");
  const retryAfterMs = Number.isFinite(header) && header > 0 ? header * 1000 : retryAfterOf(status);
  return faultOf(kindOf(response.status, status, context), detailOf(response.status, status), retryAfterMs);
}

/** An ERROR frame behind a status 200 (K26, K44). */
export function faultOfFrame(text: string, context: AnswerContext): WatchFault {
  const status = parseStatus(text);
  const code = typeof status.code === "number" ? status.code : 500;
  const unsupported = context.watchList && code === 500;
  const kind = unsupported ? "unsupported" : kindOf(code, status, context);
  return faultOf(kind, detailOf(code, status), retryAfterOf(status));
}

function kindOf(code: number, status: Status, context: AnswerContext): FaultKind {
  if (isAhead(status)) return "ahead";
  if (code === 410 || status.reason === "Expired" || status.reason === "Gone") return "gone";
  if (code === 429) return "throttled";
  if (code >= 500) return "unavailable";
  if (code === 404) return "missing";
  if (code === 401 || code === 403) return "denied";
  return context.watchList && (code === 400 || code === 422) ? "unsupported" : "rejected";
}

/** Older servers name no cause. */
function isAhead({ details, message }: Status): boolean {
  const causes = Array.isArray(details?.causes) ? details.causes : [];
  if (causes.some((cause: { readonly reason?: unknown }) => cause.reason === "ResourceVersionTooLarge")) return true;
  return typeof message === "string" && message.includes("Too large resource version");
}

function retryAfterOf({ details }: Status): number {
  const seconds = details?.retryAfterSeconds;
  return typeof seconds === "number" && seconds > 0 ? seconds * 1000 : 0;
}

function detailOf(code: number, { message }: Status): string {
  return typeof message === "string" ? `${code}: ${message.slice(0, maxDetailLength)}` : String(code);
}

/** Proxies answer with HTML: then there is only the code. */
function parseStatus(text: string): Status {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
