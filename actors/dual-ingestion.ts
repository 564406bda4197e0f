/**
 * The arrangement before the first design, kept as a rollback and as a baseline (`--ingestion dual`): the webhook enqueues a
 * change for every review, the watch enqueues what it sees, and a window of recent changes is meant to tell which of them are
 * the same. It commits writes that failed, commits twice, and races with etcd.
 *
 * 1. At most `capacity` reviews wait for their event, none longer than `ttlMs`. What never got one, and events that had no
 *    review, are reported.
 */
import { actorOf, unresolved } from "../machines/attribution.ts";
import type {
  BranchMessage,
  Change,
  Operation,
  ResourceKey,
  ResourceType,
  ResourceVersion,
  TypeKey,
} from "../machines/messages.ts";
import { resourceKeyOf } from "../machines/messages.ts";

import { keyOf } from "./correlation-ledger.ts";
import type { AttributionStrategy, CorrelationMessage } from "./engine.ts";
import type { Clock, Log, Meter } from "./ports.ts";

export interface DualIngestionOptions {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
  readonly contentKey: (object: Uint8Array) => string;
  /** Whether a raw object has a deletionTimestamp: its file went with the deletion (K33). */
  readonly isTerminating: (object: Uint8Array) => boolean;
  readonly typeOf: (typeKey: TypeKey) => ResourceType | undefined;
  readonly outlet: (message: BranchMessage) => void;
  readonly capacity?: number;
  readonly ttlMs?: number;
}

interface Enqueued {
  readonly key: string;
  readonly resource: ResourceKey;
  readonly sinceMs: number;
}

const nothing = new Uint8Array();

export class DualIngestion implements AttributionStrategy {
  readonly #options: Required<DualIngestionOptions>;
  /** In the order in which the webhook enqueued them. */
  readonly #enqueued = new Set<Enqueued>();
  readonly #byKey = new Map<string, Enqueued[]>();

  constructor(options: DualIngestionOptions) {
    this.#options = { capacity: 1000, ttlMs: 60_000, ...options };
  }

  correlate({ correlation, object }: CorrelationMessage): void {
    this.#expire();
    const { typeOf, isTerminating, outlet, clock } = this.#options;
    const type = typeOf(correlation.typeKey);
    const { operation, subresource, namespace, name, uid, atMs } = correlation;
    if (type === undefined) return;
    // A Scale is not the object: the older arrangement had nothing to enqueue for it.
    if (subresource === "scale") return;
    if (operation !== "DELETE" && (object === null || isTerminating(object))) return;
    const resource = keyOf(correlation);
    this.#remember({
      key: this.#keyOf(resource, operation, object),
      resource,
      sinceMs: clock.monotonicMs(),
    });
    const change: Change = {
      type,
      namespace,
      name,
      uid,
      resourceVersion: (correlation.base === "" ? "0" : correlation.base) as ResourceVersion,
      epoch: 0,
      operation,
      verdict: { ...unresolved, tier: "dual", author: actorOf(correlation) },
      bytes: object ?? nothing,
      observedAtMs: atMs,
    };
    outlet({ kind: "changed", change });
  }

  review(change: Change): Change | null {
    this.#expire();
    const { type, namespace, name, operation, bytes } = change;
    const key = this.#keyOf(resourceKeyOf(type.key, namespace, name), operation, bytes);
    const first = this.#byKey.get(key)?.[0];
    if (first === undefined) {
      this.#options.meter.count("dual_watch_only");
      return { ...change, verdict: unresolved };
    }
    this.#forget(first);
    return null;
  }

  #remember(entry: Enqueued): void {
    this.#enqueued.add(entry);
    const line = this.#byKey.get(entry.key);
    if (line === undefined) this.#byKey.set(entry.key, [entry]);
    else line.push(entry);
  }

  #forget(entry: Enqueued): void {
    this.#enqueued.delete(entry);
    const line = (this.#byKey.get(entry.key) ?? []).filter((each) => each !== entry);
    if (line.length === 0) this.#byKey.delete(entry.key);
    else this.#byKey.set(entry.key, line);
  }

  #expire(): void {
    const { clock, ttlMs, capacity, meter, log } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const entry of this.#enqueued) {
      if (this.#enqueued.size <= capacity && nowMs - entry.sinceMs <= ttlMs) return;
      this.#forget(entry);
      meter.count("dual_webhook_only");
      log.warn("the webhook saw a change that the watch never did; it was committed all the same", {
        resource: entry.resource,
      });
    }
  }

  #keyOf(resource: ResourceKey, operation: Operation, object: Uint8Array | null): string {
    const content = operation === "DELETE" || object === null ? "" : this.#options.contentKey(object);
    return `${resource} ${operation} ${content}`;
  }
}
