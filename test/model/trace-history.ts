/** The versions of a trace, each with the one before it and after it. */

import type { TracedEvent } from "./trace.ts";

export class TraceHistory {
  /** Versions of a type that do not rise; objects that are not added, modified, deleted in this order; two of one name at a time. */
  readonly disorders: readonly string[];
  readonly #events: readonly TracedEvent[];
  readonly #versions = new Map<string, TracedEvent>();
  readonly #successors = new Map<TracedEvent, TracedEvent>();
  readonly #predecessors = new Map<TracedEvent, TracedEvent>();
  readonly #deleted = new Set<string>();

  constructor(events: readonly TracedEvent[]) {
    this.#events = events;
    const disorders: string[] = [];
    const last = new Map<string, TracedEvent>();
    const highest = new Map<string, number>();
    for (const event of events) {
      const { resource } = event.type;
      if (Number(event.version) <= (highest.get(resource) ?? 0)) disorders.push(`disorder: ${nameOf(event)}`);
      highest.set(resource, Number(event.version));
      const key = `${resource}/${event.name}`;
      const before = last.get(key);
      const live = before !== undefined && before.kind !== "DELETED";
      if ((event.kind === "ADDED") === live || (live && before.uid !== event.uid)) {
        disorders.push(`${nameOf(event)} after ${before === undefined ? "nothing" : nameOf(before)}`);
      }
      if (live) {
        this.#successors.set(before, event);
        this.#predecessors.set(event, before);
      }
      if (event.kind === "DELETED") this.#deleted.add(event.uid);
      last.set(key, event);
      this.#versions.set(`${event.uid}/${event.version}`, event);
    }
    this.disorders = disorders;
  }

  version(uid: string, version: string): TracedEvent | null {
    return this.#versions.get(`${uid}/${version}`) ?? null;
  }

  after(event: TracedEvent): TracedEvent | undefined {
    return this.#successors.get(event);
  }

  before(event: TracedEvent): TracedEvent | null {
    return this.#predecessors.get(event) ?? null;
  }

  /** Later than the first, not later than the second, of the first one's object. */
  between(first: TracedEvent | null | undefined, second: TracedEvent | null | undefined): readonly TracedEvent[] {
    if (!first || !second) return [];
    const [low, high] = [Number(first.version), Number(second.version)];
    return this.#events.filter(
      ({ uid, version }) => uid === first.uid && Number(version) > low && Number(version) <= high,
    );
  }

  wasSeen(uid: string): boolean {
    return this.#events.some((event) => event.uid === uid);
  }

  wasDeleted(uid: string): boolean {
    return this.#deleted.has(uid);
  }

  /** Something bore that name at some time. */
  wasTaken(name: string): boolean {
    return this.#events.some((event) => event.name === name);
  }
}

export function nameOf({ kind, type, name, version }: TracedEvent): string {
  return `${kind} ${type.kind} ${name} at ${version}`;
}
