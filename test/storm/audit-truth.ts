/**
 * Who wrote what, from the audit log: for what carries no marker. It is ambiguous by nature (K38): a no-op answers with the
 * version that somebody else wrote, a deletecollection shows what it listed. So each answer is a set of users.
 */

import type { AuditEvent } from "../controlplane/audit.ts";
import type { JsonObject } from "../controlplane/api-client.ts";
import type { Persisted } from "./persisted.ts";

interface Sweep {
  readonly user: string;
  readonly resource: string;
  readonly fromMs: number;
  readonly toMs: number;
}

interface Release {
  readonly uid: string;
  readonly name: string;
  readonly resource: string;
  readonly user: string;
  readonly atMs: number;
}

/** Between an answer and its event on the watch, and between the two clocks. */
const slackMs = 3_000;

export class AuditTruth {
  readonly #writers = new Map<string, Set<string>>();
  /** By uid: whoever was told that it is deleted. */
  readonly #deleters = new Map<string, Set<string>>();
  readonly #marks = new Map<string, Set<string>>();
  readonly #sweeps: Sweep[] = [];
  readonly #releases: Release[] = [];
  requests = 0;

  add(event: AuditEvent): void {
    const code = event.responseStatus?.code ?? 0;
    this.requests += 1;
    if (code < 200 || code > 299 || isDryRun(event)) return;
    const user = event.impersonatedUser?.username ?? event.user.username;
    const { objectRef } = event;
    if (objectRef === undefined) return;
    const fromMs = Date.parse(event.requestReceivedTimestamp);
    const toMs = Date.parse(event.stageTimestamp);
    if (event.verb === "deletecollection") {
      this.#sweeps.push({ user, resource: objectRef.resource, fromMs, toMs });
      return;
    }
    const { uid, resourceVersion, finalizing } = writtenOf(event.responseObject);
    if (event.verb === "delete") {
      put(this.#deleters, uid, user);
      put(this.#marks, `${uid} ${resourceVersion}`, user);
      return;
    }
    put(this.#writers, `${uid} ${resourceVersion}`, user);
    if (finalizing)
      this.#releases.push({ uid, name: objectRef.name ?? "", resource: objectRef.resource, user, atMs: toMs });
  }

  writersOf({ uid, resourceVersion }: Persisted): ReadonlySet<string> {
    return this.#writers.get(`${uid} ${resourceVersion}`) ?? new Set();
  }

  /** Everyone who may have made this deletion. */
  deletersOf(deletion: Persisted): ReadonlySet<string> {
    const { uid, resourceVersion, resource, seenAtMs, terminating } = deletion;
    const told = terminating ? this.#marks.get(`${uid} ${resourceVersion}`) : this.#deleters.get(uid);
    const swept = this.#sweeps
      .filter((sweep) => sweep.resource === resource && sweep.fromMs <= seenAtMs && sweep.toMs >= seenAtMs - slackMs)
      .map(({ user }) => user);
    return new Set([...(told ?? []), ...swept]);
  }

  /** K39: somebody emptied the finalizers of the incarnation before this one, at about this time. */
  released({ uid, resource, name, seenAtMs }: Persisted): boolean {
    return this.#releases.some(
      (release) =>
        release.uid !== uid &&
        release.resource === resource &&
        release.name === name &&
        Math.abs(release.atMs - seenAtMs) <= slackMs,
    );
  }
}

function put(map: Map<string, Set<string>>, key: string, user: string): void {
  const users = map.get(key) ?? new Set<string>();
  users.add(user);
  map.set(key, users);
}

function writtenOf(response: JsonObject | undefined): {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly finalizing: boolean;
} {
  const { metadata, details } = (response ?? {}) as {
    readonly metadata?: {
      readonly uid?: string;
      readonly resourceVersion?: string;
      readonly deletionTimestamp?: string;
      readonly finalizers?: readonly string[];
    };
    readonly details?: { readonly uid?: string };
  };
  return {
    uid: metadata?.uid ?? details?.uid ?? "",
    resourceVersion: metadata?.resourceVersion ?? "",
    finalizing: metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0,
  };
}

/** The options of a DELETE with a body stand there; the query is then not read. */
function isDryRun({ verb, requestURI, requestObject }: AuditEvent): boolean {
  const options =
    verb === "delete" ? (requestObject as { readonly dryRun?: readonly string[] } | undefined) : undefined;
  return options === undefined ? requestURI.includes("dryRun=All") : (options.dryRun ?? []).includes("All");
}
