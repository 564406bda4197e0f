/**
 * Every pending correlation of the process, in arrival order, with the bounds that hold for all of them together. Owns the
 * objects kept for the `content` verdict.
 *
 * 1. A correlation is in the ledger as long as it is pending in some actor, and no longer.
 * 2. At most `pendingTotal` entries, none older than `ttlMs`: the oldest goes first; a bound marks its base, the TTL does not.
 * 3. At most `contentBytes` of kept objects: the oldest object goes first, its correlation stays.
 */
import type { Correlation, ResourceKey } from "../machines/messages.ts";
import { resourceKeyOf } from "../machines/messages.ts";

export interface LedgerBounds {
  readonly pendingTotal: number;
  readonly ttlMs: number;
  /** Bytes of objects kept for `content`. */
  readonly contentBytes: number;
}

interface Entry {
  readonly correlation: Correlation;
  readonly sinceMs: number;
  object: Uint8Array | null;
}

export interface Overdue {
  readonly correlation: Correlation;
  readonly why: "evicted" | "expired";
}

export class CorrelationLedger {
  readonly #bounds: LedgerBounds;
  /** In arrival order: a Map keeps the order of insertion. */
  readonly #entries = new Map<number, Entry>();
  readonly #withObject = new Set<number>();
  #objectBytes = 0;
  #lostObjects = 0;

  constructor(bounds: LedgerBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#entries.size;
  }

  get objectBytes(): number {
    return this.#objectBytes;
  }

  /** Objects that the bound on bytes took away before their correlation was answered. */
  get lostObjects(): number {
    return this.#lostObjects;
  }

  add(correlation: Correlation, sinceMs: number, object: Uint8Array | null): void {
    const kept = isContentCandidate(correlation) && object !== null ? compact(object) : null;
    this.#entries.set(correlation.arrival, { correlation, sinceMs, object: kept });
    if (kept === null) return;
    this.#withObject.add(correlation.arrival);
    this.#objectBytes += kept.buffer.byteLength;
    for (const oldest of this.#withObject) {
      if (this.#objectBytes <= this.#bounds.contentBytes) break;
      this.#forgetObject(oldest);
      this.#lostObjects += 1;
    }
  }

  remove(correlation: Correlation): void {
    this.#forgetObject(correlation.arrival);
    this.#entries.delete(correlation.arrival);
  }

  /** Oldest first. */
  pending(): readonly { readonly correlation: Correlation; readonly sinceMs: number }[] {
    return [...this.#entries.values()];
  }

  objectOf(correlation: Correlation): Uint8Array | null {
    return this.#entries.get(correlation.arrival)?.object ?? null;
  }

  /** Who has to go now, oldest first; the caller takes them out of their actors, which removes them here. */
  overdue(nowMs: number): readonly Overdue[] {
    const overdue: Overdue[] = [];
    let excess = this.#entries.size - this.#bounds.pendingTotal;
    for (const { correlation, sinceMs } of this.#entries.values()) {
      if (nowMs - sinceMs > this.#bounds.ttlMs) overdue.push({ correlation, why: "expired" });
      else if (excess > 0) overdue.push({ correlation, why: "evicted" });
      else break;
      excess -= 1;
    }
    return overdue;
  }

  #forgetObject(arrival: number): void {
    const entry = this.#entries.get(arrival);
    if (entry === undefined || entry.object === null) return;
    this.#objectBytes -= entry.object.buffer.byteLength;
    entry.object = null;
    this.#withObject.delete(arrival);
  }
}

export function keyOf({ typeKey, namespace, name }: Correlation): ResourceKey {
  return resourceKeyOf(typeKey, namespace, name);
}

/** Only an update can need its content: a creation is proven by its uid, the rest has no object of the resource. */
function isContentCandidate({ operation, subresource }: Correlation): boolean {
  return operation === "UPDATE" && subresource !== "scale";
}

/** A view that pins a much larger buffer is copied; `slice` of a Buffer would be a view again. */
function compact(object: Uint8Array): Uint8Array {
  return object.byteLength * 3 < object.buffer.byteLength ? new Uint8Array(object) : object;
}
