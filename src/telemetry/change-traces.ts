/**
 * One trace for each change that became a commit: its review, its event, its actor, then a flush for each target, and a push.
 *
 * Owns when reviews were answered, which traces were begun, and what waits for a push; each of them is bounded.
 * 1. The ids of a trace are digests of the change: whoever has the commit has the trace, and targets need not know of each other.
 * 2. Which changes are followed is decided by those ids alone, the same way everywhere.
 * 3. A trace is made when its commit is durable, all at once: until then it costs nothing, and what makes no commit has none.
 */

import { hash } from "node:crypto";
import type { ArrivedPush, CommittedChange, CommittedFlush } from "../../actors/committed-changes.ts";
import type { Change, Correlation } from "../../machines/messages.ts";
import type { ChangeFollower } from "./change-follower.ts";
import { resourceOf } from "./change-log.ts";

/** Times are wall clock, ms since 1970, and may have fractions. */
export interface ChangeSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly parentId: string | null;
  readonly name: "change" | "review" | "event" | "actor" | "flush" | "push";
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ChangeTracesOptions {
  /** Of the changes, from 0 to 1. */
  readonly ratio: number;
  readonly take: (spans: readonly ChangeSpan[]) => void;
}

interface Waiting {
  readonly traceId: string;
  readonly targetId: string;
  readonly committedAtMs: number;
}

/** Each of what is owned here. */
const capacity = 10_000;

export class ChangeTraces implements ChangeFollower {
  readonly #options: ChangeTracesOptions;
  readonly #tookMs = new Map<string, number>();
  readonly #begun = new Set<string>();
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(options: ChangeTracesOptions) {
    this.#options = options;
  }

  answered(correlation: Correlation, tookMs: number): void {
    this.#tookMs.set(reviewKeyOf(correlation.uid, correlation), tookMs);
    dropOldest(this.#tookMs);
  }

  committed(flush: CommittedFlush): void {
    const spans: ChangeSpan[] = [];
    for (const committed of flush.changes) {
      const traceId = traceIdOf(committed.change);
      if (!isFollowed(traceId, this.#options.ratio)) continue;
      if (!this.#begun.has(traceId)) {
        this.#begun.add(traceId);
        dropOldest(this.#begun);
        spans.push(...this.#beginning(traceId, committed, flush.endedAtMs));
      }
      const { targetId, startedAtMs: startMs, endedAtMs: endMs } = flush;
      const attributes = { "kubescribe.target": targetId, "kubescribe.commit": committed.commit };
      spans.push(spanOf({ traceId, name: "flush", targetId, startMs, endMs, attributes }));
      this.#awaitPush({ traceId, targetId, committedAtMs: endMs });
    }
    if (spans.length > 0) this.#options.take(spans);
  }

  pushed(targetId: string, { startedAtMs: startMs, endedAtMs: endMs, whole }: ArrivedPush): void {
    // Of a part it is not known whose commits are in it: they are when all is there.
    if (!whole) return;
    const waiting = this.#waiting.get(targetId) ?? [];
    const arrived = waiting.filter(({ committedAtMs }) => committedAtMs <= startMs);
    const left = waiting.filter(({ committedAtMs }) => committedAtMs > startMs);
    this.#waiting.set(targetId, left);
    const attributes = { "kubescribe.target": targetId };
    const spans = arrived.map(({ traceId }) => spanOf({ traceId, name: "push", targetId, startMs, endMs, attributes }));
    if (spans.length > 0) this.#options.take(spans);
  }

  /** What is the same for every target. */
  #beginning(traceId: string, { change, queuedAtMs }: CommittedChange, endMs: number): readonly ChangeSpan[] {
    const { verdict, observedAtMs, uid } = change;
    const { author } = verdict;
    const shared = { traceId, targetId: "", attributes: {} };
    const root = { ...shared, name: "change", startMs: author?.atMs ?? observedAtMs, endMs } as const;
    const actor = { ...shared, name: "actor", startMs: observedAtMs, endMs: queuedAtMs } as const;
    const spans = [spanOf({ ...root, attributes: attributesOf(change) }), spanOf(actor)];
    if (author === null) return spans;
    const tookMs = this.#tookMs.get(reviewKeyOf(uid, author)) ?? 0;
    const answeredAtMs = author.atMs + tookMs;
    spans.push(spanOf({ ...shared, name: "review", startMs: author.atMs, endMs: answeredAtMs }));
    // The write, and its way through the API server and its watch.
    spans.push(spanOf({ ...shared, name: "event", startMs: answeredAtMs, endMs: observedAtMs }));
    return spans;
  }

  #awaitPush(waiting: Waiting): void {
    const line = this.#waiting.get(waiting.targetId) ?? [];
    this.#waiting.set(waiting.targetId, line);
    line.push(waiting);
    // Twice as many at the most, so that not each of them moves the others.
    if (line.length > 2 * capacity) line.splice(0, capacity);
  }
}

/** The first 32 hex digits of SHA-256 over `EPOCH/UID/RESOURCEVERSION`, as the commit's trailers have them (docs/METRICS.md). */
export function traceIdOf({ epoch, uid, resourceVersion }: Pick<Change, "epoch" | "uid" | "resourceVersion">): string {
  return hash("sha256", `${epoch}/${uid}/${resourceVersion}`, "hex").slice(0, 32);
}

/** By the last 52 bits, of the 56 that W3C's trace context promises to be random. */
function isFollowed(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52;
}

type SpanDraft = Pick<ChangeSpan, "traceId" | "name" | "startMs" | "endMs" | "attributes"> & {
  /** Empty: the same for every target. */
  readonly targetId: string;
};

function spanOf({ traceId, name, targetId, startMs, endMs, attributes }: SpanDraft): ChangeSpan {
  const idOf = (what: string): string => hash("sha256", `${traceId}/${what}`, "hex").slice(0, 16);
  const parentId = name === "change" ? null : idOf("change/");
  // The wall clock may have jumped.
  const end = Math.max(startMs, endMs);
  return { traceId, spanId: idOf(`${name}/${targetId}`), parentId, name, startMs, endMs: end, attributes };
}

function attributesOf(change: Change): ChangeSpan["attributes"] {
  return {
    "kubescribe.resource": resourceOf(change),
    "kubescribe.uid": change.uid,
    "kubescribe.resource_version": change.resourceVersion,
    "kubescribe.operation": change.operation,
    "kubescribe.attribution": change.verdict.tier,
  };
}

function reviewKeyOf(uid: string, { atMs, user }: { readonly atMs: number; readonly user: string }): string {
  return `${uid} ${atMs} ${user}`;
}

function dropOldest(kept: Map<string, number> | Set<string>): void {
  if (kept.size <= capacity) return;
  const [oldest] = kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
}
