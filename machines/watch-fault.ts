/** Why a request of a watch did not do what it should: data, decided at the API server's edge, judged by the machine. */

/**
 * - `gone`: 410 by status or in the stream: the version fell out of the API server's history (K26).
 * - `ahead`: 504 "Too large resource version": the server counts lower, or has not caught up yet (K48).
 * - `unsupported`: WatchList is not to be had here (K25, K44).
 * - `throttled`, `unavailable`: 429 (K43 too) and 5xx. `refused`: no connection. `broken`: cut in the middle.
 * - `silent`: nothing came for too long. `short`: the stream ended at once, with nothing said.
 * - `missing`: 404, the type is not served. `denied`: 401, 403. `rejected`: any other status.
 * - `undecodable`: bytes that nobody could read: something was missed. `crashed`: an unexpected throw on our side.
 * - `fenced`: a relist older than what was already said.
 */
export type FaultKind =
  | "gone"
  | "ahead"
  | "unsupported"
  | "throttled"
  | "unavailable"
  | "refused"
  | "broken"
  | "silent"
  | "short"
  | "missing"
  | "denied"
  | "rejected"
  | "undecodable"
  | "crashed"
  | "fenced";

export interface WatchFault {
  readonly kind: FaultKind;
  /** What Retry-After asks for; 0: nothing. */
  readonly retryAfterMs: number;
  /** For the log: a status and its message. Never bytes of an object. */
  readonly detail: string;
}

export function faultOf(kind: FaultKind, detail = "", retryAfterMs = 0): WatchFault {
  return { kind, retryAfterMs, detail };
}
