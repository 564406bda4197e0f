/**
 * The first design, kept as a rollback and as a baseline (`--attribution fifo`): a store of usernames under identifier,
 * operation and sanitized content, read in FIFO order. It names wrong authors: what failed writes, retries and no-ops leave
 * behind is picked up by later changes with the same content.
 *
 * 1. At most `capacity` entries, none older than `ttlMs`; the oldest goes first.
 */
import { actorOf, unresolved } from "../machines/attribution.ts";
import type { Actor, Change, Operation, ResourceKey } from "../machines/messages.ts";
import { resourceKeyOf } from "../machines/messages.ts";

import { keyOf } from "./correlation-ledger.ts";
import type { AttributionStrategy, CorrelationMessage } from "./engine.ts";
import type { Clock } from "./ports.ts";

export interface FifoAttributionOptions {
  readonly clock: Clock;
  /** A digest of the sanitized content of a raw object. */
  readonly contentKey: (object: Uint8Array) => string;
  readonly capacity?: number;
  readonly ttlMs?: number;
}

interface Entry {
  readonly actor: Actor;
  readonly sinceMs: number;
}

export class FifoAttribution implements AttributionStrategy {
  readonly #options: Required<FifoAttributionOptions>;
  /** In arrival order, under a number of its own. */
  readonly #entries = new Map<number, Entry>();
  readonly #byKey = new Map<string, number[]>();
  #arrivals = 0;

  constructor(options: FifoAttributionOptions) {
    this.#options = { capacity: 1000, ttlMs: 60_000, ...options };
  }

  get size(): number {
    return this.#entries.size;
  }

  correlate({ correlation, object }: CorrelationMessage): void {
    this.#expire(this.#options.capacity - 1);
    const key = this.#keyOf(keyOf(correlation), correlation.operation, object);
    this.#arrivals += 1;
    this.#entries.set(this.#arrivals, {
      actor: actorOf(correlation),
      sinceMs: this.#options.clock.monotonicMs(),
    });
    const line = this.#byKey.get(key);
    if (line === undefined) this.#byKey.set(key, [this.#arrivals]);
    else line.push(this.#arrivals);
  }

  review(change: Change): Change {
    this.#expire(this.#options.capacity);
    const { type, namespace, name, operation, bytes } = change;
    const key = this.#keyOf(resourceKeyOf(type.key, namespace, name), operation, bytes);
    const actor = this.#takeFirst(key);
    const verdict = actor === null ? unresolved : ({ ...unresolved, tier: "fifo", author: actor } as const);
    return { ...change, verdict };
  }

  #takeFirst(key: string): Actor | null {
    const line = this.#byKey.get(key) ?? [];
    for (let arrival = line.shift(); arrival !== undefined; arrival = line.shift()) {
      const entry = this.#entries.get(arrival);
      this.#entries.delete(arrival);
      if (line.length === 0) this.#byKey.delete(key);
      if (entry !== undefined) return entry.actor;
    }
    this.#byKey.delete(key);
    return null;
  }

  #expire(atMost: number): void {
    const { clock, ttlMs, capacity } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const [arrival, { sinceMs }] of this.#entries) {
      if (this.#entries.size <= atMost && nowMs - sinceMs <= ttlMs) break;
      this.#entries.delete(arrival);
    }
    if (this.#byKey.size > 2 * capacity) this.#prune();
  }

  #prune(): void {
    for (const [key, line] of this.#byKey) {
      const alive = line.filter((arrival) => this.#entries.has(arrival));
      if (alive.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, alive);
    }
  }

  #keyOf(resource: ResourceKey, operation: Operation, object: Uint8Array | null): string {
    const content = operation === "DELETE" || object === null ? "" : this.#options.contentKey(object);
    return `${resource} ${operation} ${content}`;
  }
}
