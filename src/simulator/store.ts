/**
 * etcd and the watch cache in one: owns every object's history and the log of events.
 *
 * 1. Revisions rise by one with each write, over all types. A lease that expires is one write that removes several objects.
 * 2. `swap` writes only if the object's current revision is the one that was expected (K6).
 * 3. The log of a type is in the order of revisions; what is older than the compaction is gone from log and history (410).
 * 4. Who wrote an event is kept beside it, as the truth for whoever checks; it never reaches the wire.
 */

import type { ResourceKey, TypeKey } from "../../machines/messages.ts";
import { resourceKeyOf } from "../../machines/messages.ts";
import type { Rendered } from "./rendered.ts";

export interface ObjectName {
  readonly typeKey: TypeKey;
  readonly namespace: string;
  readonly name: string;
}

export interface Version extends Rendered {
  readonly revision: number;
}

/** The truth about a write, which a real cluster tells nobody. */
export interface Authorship {
  readonly user: string;
  readonly subresource: string;
  /** False: the webhook was not asked, or did not answer. */
  readonly reviewed: boolean;
}

export interface StoredEvent extends ObjectName {
  readonly revision: number;
  readonly kind: "ADDED" | "MODIFIED" | "DELETED";
  /** Of a deletion: the last state (K12), to be shown with `revision`. */
  readonly content: Rendered;
  /** 0 for a creation. */
  readonly previousRevision: number;
  readonly previous: Rendered | null;
  readonly authorship: Authorship;
}

export interface Swap {
  readonly at: ObjectName;
  /** 0: it must not exist. */
  readonly expected: number;
  /** Null: remove. */
  readonly next: Rendered | null;
  readonly authorship: Authorship;
}

export class RevisionStore {
  /** Events kept over all types; the older half is compacted when there are more. */
  readonly #historyCapacityEvents: number;
  readonly #histories = new Map<TypeKey, Map<ResourceKey, StoredEvent[]>>();
  readonly #logs = new Map<TypeKey, StoredEvent[]>();
  readonly #listeners = new Map<TypeKey, Set<() => void>>();
  #revision: number;
  #compacted = 0;
  #events = 0;

  constructor({ firstRevision, historyCapacityEvents }: { firstRevision: number; historyCapacityEvents: number }) {
    this.#revision = firstRevision;
    this.#historyCapacityEvents = historyCapacityEvents;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Revisions up to this one can no longer be listed or watched from. */
  get compacted(): number {
    return this.#compacted;
  }

  get(at: ObjectName): Version | null {
    return versionOf(this.#historyOf(at)?.at(-1));
  }

  /** The version that was current at a revision; null where there was none. */
  getAt(at: ObjectName, revision: number): Version | null {
    return versionOf(this.#historyOf(at)?.findLast((event) => event.revision <= revision));
  }

  /** False: somebody else was faster. */
  swap({ at, expected, next, authorship }: Swap): StoredEvent | null {
    const current = this.get(at);
    if ((current?.revision ?? 0) !== expected) return null;
    const content = next ?? current;
    if (content === null) return null;
    this.#revision += 1;
    const event: StoredEvent = {
      ...at,
      revision: this.#revision,
      kind: next === null ? "DELETED" : current === null ? "ADDED" : "MODIFIED",
      content: { object: content.object, head: content.head, tail: content.tail },
      previousRevision: current?.revision ?? 0,
      previous: current,
      authorship,
    };
    this.#log(event);
    this.#tell([at.typeKey]);
    return event;
  }

  /** A lease ends: what is still there of its keys goes in one revision, unreviewed (K3). */
  expire(keys: readonly ObjectName[], authorship: Authorship): void {
    const present = keys.flatMap((at) => {
      const current = this.get(at);
      return current === null ? [] : [{ at, current }];
    });
    if (present.length === 0) return;
    this.#revision += 1;
    const { revision } = this;
    for (const { at, current } of present) {
      const { object, head, tail } = current;
      const content = { object, head, tail };
      const previousRevision = current.revision;
      this.#log({ ...at, revision, kind: "DELETED", content, previousRevision, previous: current, authorship });
    }
    this.#tell(new Set(present.map(({ at }) => at.typeKey)));
  }

  /** The state at a revision, sorted by namespace and name as etcd's keys are; null when that is compacted. */
  list(
    typeKey: TypeKey,
    options: { readonly namespace: string; readonly revision: number },
  ): readonly Version[] | null {
    if (options.revision < this.#compacted) return null;
    const found: { readonly path: string; readonly version: Version }[] = [];
    for (const history of this.#histories.get(typeKey)?.values() ?? []) {
      const event = history.findLast(({ revision }) => revision <= options.revision);
      const version = versionOf(event);
      if (event === undefined || version === null) continue;
      if (options.namespace !== "" && event.namespace !== options.namespace) continue;
      found.push({ path: `${event.namespace}/${event.name}`, version });
    }
    return found.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map(({ version }) => version);
  }

  /** Events of a type after a revision, in order; null when they are compacted. Empty for a revision of the future (K48). */
  eventsAfter(typeKey: TypeKey, revision: number): readonly StoredEvent[] | null {
    if (revision < this.#compacted) return null;
    const log = this.#logs.get(typeKey) ?? [];
    let low = 0;
    let high = log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((log[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return log.slice(low);
  }

  /** Every event that is still in the log, in order. */
  allEvents(): readonly StoredEvent[] {
    return [...this.#logs.values()].flat().toSorted((a, b) => a.revision - b.revision);
  }

  /** `listener` is called after each write of the type, in the writer's stack: it must not throw. */
  subscribe(typeKey: TypeKey, listener: () => void): Disposable {
    const listeners = this.#listeners.get(typeKey) ?? new Set();
    this.#listeners.set(typeKey, listeners.add(listener));
    return {
      [Symbol.dispose]() {
        listeners.delete(listener);
      },
    };
  }

  /** Forgets what led to the state at `revision`; the state itself stays. */
  compact(revision: number): void {
    this.#compacted = Math.max(this.#compacted, Math.min(revision, this.#revision));
    this.#events = 0;
    for (const [typeKey, log] of this.#logs) {
      const kept = log.filter((event) => event.revision > this.#compacted);
      this.#logs.set(typeKey, kept);
      this.#events += kept.length;
    }
    for (const histories of this.#histories.values()) {
      for (const [key, history] of histories) {
        const last = history.findLastIndex((event) => event.revision <= this.#compacted);
        const kept = history.slice(Math.max(last, 0));
        if (kept.length === 1 && kept[0]?.kind === "DELETED" && last >= 0) histories.delete(key);
        else histories.set(key, kept);
      }
    }
  }

  /** A restored backup (K48): what was written after `revision` never happened. That must not be compacted. */
  restore(revision: number): void {
    this.#revision = revision;
    this.#events = 0;
    for (const [typeKey, log] of this.#logs) {
      const kept = log.filter((event) => event.revision <= revision);
      this.#logs.set(typeKey, kept);
      this.#events += kept.length;
    }
    for (const histories of this.#histories.values()) {
      for (const [key, history] of histories) {
        const kept = history.filter((event) => event.revision <= revision);
        if (kept.length === 0) histories.delete(key);
        else histories.set(key, kept);
      }
    }
  }

  #log(event: StoredEvent): void {
    const histories = this.#histories.get(event.typeKey) ?? new Map<ResourceKey, StoredEvent[]>();
    this.#histories.set(event.typeKey, histories);
    const key = resourceKeyOf(event.typeKey, event.namespace, event.name);
    const history = histories.get(key) ?? [];
    histories.set(key, history);
    history.push(event);
    const log = this.#logs.get(event.typeKey) ?? [];
    this.#logs.set(event.typeKey, log);
    log.push(event);
    this.#events += 1;
    if (this.#events > this.#historyCapacityEvents) {
      const all = this.allEvents();
      this.compact(all[all.length >>> 1]?.revision ?? this.#revision);
    }
  }

  #tell(typeKeys: Iterable<TypeKey>): void {
    for (const typeKey of typeKeys) for (const listener of this.#listeners.get(typeKey) ?? []) listener();
  }

  #historyOf(at: ObjectName): readonly StoredEvent[] | undefined {
    return this.#histories.get(at.typeKey)?.get(resourceKeyOf(at.typeKey, at.namespace, at.name));
  }
}

function versionOf(event: StoredEvent | undefined): Version | null {
  return event === undefined || event.kind === "DELETED" ? null : { ...event.content, revision: event.revision };
}
