/** Owns the state that a WatchList builds up: changes may arrive among its initial events, before the bookmark that ends them. */

import type { WatchEvent } from "../machines/messages.ts";

export class InitialEvents {
  readonly #events = new Map<string, WatchEvent>();

  take(event: WatchEvent): void {
    // A Kubernetes name holds no slash.
    const key = `${event.namespace}/${event.name}`;
    if (event.kind === "DELETED") this.#events.delete(key);
    else this.#events.set(key, event.kind === "ADDED" ? event : { ...event, kind: "ADDED" });
  }

  items(): readonly WatchEvent[] {
    return [...this.#events.values()];
  }
}
