/**
 * What is due for the webhook's credentials, and when. Pure: the keeper (src/webhook/credential-keeper.ts) does it.
 *
 * P1 A phase lasts until the webhook's configuration has said for `waitMs` what the phase wants: so long may a replica take to read the
 *    credentials, and an API server the configuration.
 * P2 The wait is measured by whoever keeps the credentials, from when he first saw it so. A successor begins it anew, and a clock that
 *    jumps does not shorten it.
 * P3 Expired credentials are nobody's any more: they are made anew at once, without phases.
 */

import type { WebhookCredentials } from "./webhook-credentials.ts";

export interface CertificateSituation {
  /** As they are kept; null: none that can be used, and none is known. */
  readonly credentials: WebhookCredentials | null;
  /** Somebody wants a renewal now. */
  readonly asked: boolean;
  /** How long the webhook's configuration is known to say what these credentials want; null: it does not, or nobody can tell. */
  readonly configuredForMs: number | null;
  /** Wall clock, ms since 1970. */
  readonly nowMs: number;
}

export interface CertificateTimes {
  /** Of a certificate. It is renewed when two thirds of it are over. */
  readonly lifetimeMs: number;
  /** See P1. */
  readonly waitMs: number;
}

export type CertificateStep =
  /** A generation out of nothing. */
  | { readonly kind: "create" }
  /** A next generation beside the current one. */
  | { readonly kind: "widen" }
  /** On to the next phase. */
  | { readonly kind: "advance" }
  /** Nothing. `forMs` null: until the configuration says something else. */
  | { readonly kind: "wait"; readonly forMs: number | null };

export function certificatePlan(situation: CertificateSituation, times: CertificateTimes): CertificateStep {
  const { credentials, asked, configuredForMs, nowMs } = situation;
  if (credentials === null || nowMs >= credentials.current.notAfterMs) return { kind: "create" };
  if (credentials.phase === "steady") {
    const dueMs = credentials.current.notAfterMs - times.lifetimeMs / 3;
    return asked || nowMs >= dueMs ? { kind: "widen" } : { kind: "wait", forMs: dueMs - nowMs };
  }
  if (configuredForMs === null) return { kind: "wait", forMs: null };
  const restMs = times.waitMs - configuredForMs;
  return restMs <= 0 ? { kind: "advance" } : { kind: "wait", forMs: restMs };
}
