/**
 * What really happened: every write that the model persisted, with its writer, kept beyond compaction and restores. Knows nothing of
 * kubescribe.
 */

import type { SimulatedCluster } from "../../simulator/cluster.ts";
import { objectAt, stringAt } from "../../simulator/json.ts";
import type { Rendered } from "../../simulator/rendered.ts";
import type { StoredEvent } from "../../simulator/store.ts";

export interface TrueWrite {
  readonly event: StoredEvent;
  readonly uid: string;
  /** Counts restored backups. */
  readonly era: number;
  /** Monotonic clock. */
  readonly atMs: number;
  /** What it means for a file: null where it leaves things as they are (K11, K33). */
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | null;
}

export class Truth {
  readonly writes: TrueWrite[] = [];
  readonly #byKey = new Map<string, TrueWrite[]>();
  readonly #cluster: SimulatedCluster;
  readonly #restores: { readonly era: number; readonly revision: number }[] = [];
  era = 0;

  constructor(cluster: SimulatedCluster, monotonicMs: () => number) {
    this.#cluster = cluster;
    for (const { key } of cluster.types) {
      for (const event of cluster.store.eventsAfter(key, 0) ?? []) this.#record(event, monotonicMs());
      cluster.store.subscribe(key, () => {
        for (const event of cluster.store.eventsAfter(key, cluster.store.revision - 1) ?? [])
          this.#record(event, monotonicMs());
      });
    }
  }

  find(uid: string, version: string): readonly TrueWrite[] {
    return this.#byKey.get(`${uid}/${version}`) ?? [];
  }

  /** The writes that no restore undid, in order. */
  *live(): Iterable<TrueWrite> {
    for (const write of this.writes) if (this.#holds(write)) yield write;
  }

  restore(revision: number): void {
    this.#cluster.restore(revision);
    this.era += 1;
    this.#restores.push({ era: this.era, revision });
  }

  #holds({ era, event }: TrueWrite): boolean {
    return this.#restores.every((restore) => era >= restore.era || event.revision <= restore.revision);
  }

  #record(event: StoredEvent, atMs: number): void {
    const uid = stringAt(objectAt(event.content.object, "metadata"), "uid");
    const write = { event, uid, era: this.era, atMs, operation: operationOf(event) };
    this.writes.push(write);
    const key = `${uid}/${event.revision}`;
    this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), write]);
  }
}

function operationOf(event: StoredEvent): TrueWrite["operation"] {
  if (isTerminating(event.previous)) return null;
  if (event.kind === "DELETED" || isTerminating(event.content)) return "DELETE";
  return event.kind === "ADDED" ? "CREATE" : "UPDATE";
}

export function isTerminating(content: Rendered | null): boolean {
  return content !== null && "deletionTimestamp" in objectAt(content.object, "metadata");
}
