/** What happened around one change that the checker complains of: events, answers of the API servers, reviews. For a person to read. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { AuditEvent } from "../controlplane/audit.ts";
import type { Persisted } from "./persisted.ts";

export interface EvidenceSources {
  readonly persisted: ReadonlyMap<string, readonly Persisted[]>;
  readonly audit: readonly AuditEvent[];
  readonly dataDir: string;
}

const aroundMs = 1_000;
const shownLines = 40;

export function evidenceOf(change: Persisted, { persisted, audit, dataDir }: EvidenceSources): string {
  const near = (atMs: number): boolean => Math.abs(atMs - change.seenAtMs) <= aroundMs;
  const events = (persisted.get(change.typeKey) ?? [])
    .filter(({ name, namespace, seenAtMs }) => name === change.name && namespace === change.namespace && near(seenAtMs))
    .map((event) => {
      const state = `${event.kind}${event.terminating ? " terminating" : ""} is ${event.operation ?? "no change"}`;
      return `${time(event.seenAtMs)} event ${event.uid} @${event.resourceVersion} ${state} ${event.writers.join(",")}`;
    });
  const answers = audit
    .filter((event) => isAbout(change, event) && near(Date.parse(event.stageTimestamp)))
    .map((event) => `${time(Date.parse(event.stageTimestamp))} audit ${answerOf(event)}`);
  const reviews = journalLines(dataDir)
    .filter((line) => line.includes(change.uid))
    .map((line) => JSON.parse(line.slice(9)) as Readonly<Record<string, unknown>>)
    .filter(({ atMs }) => near(Number(atMs)))
    .map(({ atMs, arrival, operation, subresource, user, base }) => {
      return `${time(Number(atMs))} review ${String(arrival)} ${String(operation)} ${String(subresource)} ${String(user)} on ${String(base)}`;
    });
  return [...events, ...answers, ...reviews]
    .sort()
    .slice(0, shownLines)
    .map((line) => `    ${line}`)
    .join("\n");
}

function isAbout(change: Persisted, { objectRef, verb }: AuditEvent): boolean {
  if (objectRef?.resource !== change.resource) return false;
  return verb === "deletecollection" || objectRef.name === change.name || objectRef.uid === change.uid;
}

function answerOf({
  user,
  verb,
  requestURI,
  responseStatus,
  responseObject,
  requestReceivedTimestamp,
}: AuditEvent): string {
  const { metadata, details } = (responseObject ?? {}) as {
    readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string; readonly finalizers?: unknown };
    readonly details?: { readonly uid?: string };
  };
  const shown = `${metadata?.uid ?? details?.uid ?? ""} @${metadata?.resourceVersion ?? ""}`;
  const received = time(Date.parse(requestReceivedTimestamp));
  return `${user.username} ${verb} ${requestURI} since ${received}: ${responseStatus?.code} ${shown} ${JSON.stringify(metadata?.finalizers ?? [])}`;
}

function journalLines(dataDir: string): readonly string[] {
  const directory = join(dataDir, "journal");
  return readdirSync(directory)
    .filter((name) => name.endsWith(".log"))
    .flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n"));
}

function time(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 23);
}
