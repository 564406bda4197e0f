/**
 * Who may record: the holder of a Lease (coordination.k8s.io), by the rules of Kubernetes' own leader election. Clocks of other
 * machines are never compared: a Lease has expired when nothing in it has changed for as long as it says, by the own clock. Pure.
 */

/** What stands in the Lease. */
export interface LeaseRecord {
  /** Empty: it was released. */
  readonly holder: string;
  /** HOST:PORT where the holder takes reviews; after a release that of whoever held it. */
  readonly address: string;
  readonly durationMs: number;
  readonly transitions: number;
  /** Changes with each renewal. */
  readonly renewedAt: string;
  /** metadata.resourceVersion: a write against an older one is refused. */
  readonly version: string;
}

export interface LeaseView {
  readonly identity: string;
  /** As it was read last. */
  readonly record: LeaseRecord;
  /** Monotonic: when it was first seen as it is. */
  readonly seenMs: number;
}

export interface LeaseBounds {
  /** Others wait for so long after the last renewal. */
  readonly durationMs: number;
  /** A holder that could not renew for so long has lost it: well before others may take it. */
  readonly deadlineMs: number;
  readonly renewEveryMs: number;
}

export const defaultLeaseBounds: LeaseBounds = { durationMs: 15_000, deadlineMs: 10_000, renewEveryMs: 2_000 };

/** `renew` what is held already; `acquire` what is free, or has expired; `wait` for somebody else. */
export function leaseStep({ identity, record, seenMs }: LeaseView, nowMs: number): "renew" | "acquire" | "wait" {
  if (record.holder === identity) return "renew";
  if (record.holder === "") return "acquire";
  return nowMs - seenMs >= record.durationMs ? "acquire" : "wait";
}

/** Whether a holder still is one, without having heard of anybody: `renewedMs` is when its last renewal was sent, monotonic. */
export function isHeld(renewedMs: number, nowMs: number, { deadlineMs }: LeaseBounds): boolean {
  return nowMs - renewedMs < deadlineMs;
}

/** The same holder has renewed nothing, and nobody else has taken it. */
export function isSameRecord(a: LeaseRecord, b: LeaseRecord): boolean {
  return a.holder === b.holder && a.renewedAt === b.renewedAt && a.transitions === b.transitions;
}
