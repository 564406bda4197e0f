/**
 * One of the API servers before the store. Owns its watch cache: how far it has seen the store, and where its history begins.
 *
 * 1. It sees events in the order of revisions, perhaps late; all types at the same pace, which is simpler than the truth.
 * 2. The first attempt of a write is made from it, and so may be stale (K2); so are its watches and the lists that allow it.
 * 3. After a restart it begins anew: a watch from before that is answered with 410, though etcd has the history.
 */

import type { TypeKey } from "../../machines/messages.ts";
import type { ObjectName, RevisionStore, StoredEvent, Version } from "./store.ts";

export interface CacheListener {
  /** There may be events. Called in the writer's stack: must not throw. */
  readonly seen: () => void;
  /** The API server went down. */
  readonly stopped: () => void;
}

export class SimulatedApiServer {
  readonly #store: RevisionStore;
  readonly #listeners = new Map<CacheListener, TypeKey>();
  /** Types whose storage is not there yet: a CRD that was created a moment ago (K43). */
  readonly #initializing = new Set<TypeKey>();
  /** Null: it follows the store at once. */
  #heldAt: number | null = null;
  #beginning = 0;

  constructor(store: RevisionStore) {
    this.#store = store;
  }

  /** The revision that the watch cache has seen. One that is behind a compaction lists anew: etcd cannot tell it what it missed. */
  get revision(): number {
    return Math.min(Math.max(this.#heldAt ?? Infinity, this.#store.compacted), this.#store.revision);
  }

  /** From here on the watch cache sees nothing, until it is let go on. */
  hold(): void {
    this.#heldAt ??= this.#store.revision;
  }

  /** Sees what is there by now, or up to a revision and no further. */
  catchUp(revision = Infinity): void {
    this.#heldAt = revision >= this.#store.revision ? null : Math.max(this.#heldAt ?? 0, revision);
    this.#notify();
  }

  /** Cuts every watch; the watch cache begins with the present state. */
  restart(): void {
    for (const listener of this.#listeners.keys()) listener.stopped();
    this.#heldAt = null;
    this.#beginning = this.#store.revision;
  }

  /** Ends every watch of a type that is no longer served. */
  close(typeKey: TypeKey): void {
    for (const [listener, key] of this.#listeners) if (key === typeKey) listener.stopped();
  }

  /** Begins or ends the time in which a type is answered with 429. */
  setInitializing(typeKey: TypeKey, initializing: boolean): void {
    if (initializing) this.#initializing.add(typeKey);
    else this.#initializing.delete(typeKey);
  }

  isInitializing(typeKey: TypeKey): boolean {
    return this.#initializing.has(typeKey);
  }

  /** Null where the watch cache has nothing of that name; then etcd is asked. */
  cached(at: ObjectName): Version | null {
    return this.#store.getAt(at, this.revision);
  }

  /** What a watch from there is to be told; null where it is too old. */
  eventsAfter(typeKey: TypeKey, revision: number): readonly StoredEvent[] | null {
    if (revision < this.oldest) return null;
    const seen = this.revision;
    return this.#store.eventsAfter(typeKey, revision)?.filter((event) => event.revision <= seen) ?? null;
  }

  /** Watches can begin here or later. */
  get oldest(): number {
    return Math.max(this.#beginning, this.#store.compacted);
  }

  subscribe(typeKey: TypeKey, listener: CacheListener): Disposable {
    this.#listeners.set(listener, typeKey);
    const stored = this.#store.subscribe(typeKey, () => {
      if (this.#heldAt === null) listener.seen();
    });
    return {
      [Symbol.dispose]: () => {
        stored[Symbol.dispose]();
        this.#listeners.delete(listener);
      },
    };
  }

  #notify(): void {
    for (const listener of this.#listeners.keys()) listener.seen();
  }
}
