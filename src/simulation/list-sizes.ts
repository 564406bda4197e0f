/** How long the list of a type ever was, in characters: what a queue takes whole (I6). Follows the cluster's store. */

import type { TypeKey } from "../../machines/messages.ts";
import type { SimulatedCluster } from "../simulator/cluster.ts";
import type { Rendered } from "../simulator/rendered.ts";

export class ListSizes {
  readonly #cluster: SimulatedCluster;
  /** Of each type as it is now. */
  readonly #sizes = new Map<TypeKey, number>();
  longest = 0;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    const { store } = cluster;
    for (const { key } of cluster.types) {
      store.subscribe(key, () => {
        for (const { kind, content, previous } of store.eventsAfter(key, store.revision - 1) ?? [])
          this.#grow(key, (kind === "DELETED" ? 0 : sizeOf(content)) - (previous === null ? 0 : sizeOf(previous)));
      });
    }
    this.restored();
  }

  /** The store holds another state now. */
  restored(): void {
    const { types, store } = this.#cluster;
    this.#sizes.clear();
    for (const { key } of types) {
      const versions = store.list(key, { namespace: "", revision: store.revision }) ?? [];
      this.#grow(
        key,
        versions.reduce((sum, version) => sum + sizeOf(version), 0),
      );
    }
  }

  #grow(typeKey: TypeKey, by: number): void {
    const size = (this.#sizes.get(typeKey) ?? 0) + by;
    this.#sizes.set(typeKey, size);
    this.longest = Math.max(this.longest, size);
  }
}

function sizeOf({ head, tail }: Rendered): number {
  return head.length + tail.length;
}
