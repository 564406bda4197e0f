/**
 * What really happened: every write that the model persisted, with its writer, kept beyond compaction and restores, and boiled down to
 * what a file would show of it. Knows nothing of kubescribe.
 */

import { hash } from "node:crypto";

import { manifestOf } from "../../sanitize/manifest.ts";
import type { SimulatedCluster } from "../../simulator/cluster.ts";
import type { JsonObject } from "../../simulator/json.ts";
import { equalJson, objectAt, stringAt, without, withMembers } from "../../simulator/json.ts";
import type { Rendered } from "../../simulator/rendered.ts";
import { textOf } from "../../simulator/rendered.ts";
import type { SimulatedType } from "../../simulator/resource-types.ts";
import type { StoredEvent } from "../../simulator/store.ts";
import { simulatedSecrets } from "../simulated-secrets.ts";
import { appendTo } from "./chronicle.ts";

/** What should stand in a file: an object that is there, and not on its way out (K33). */
export interface TrueState {
  /** Id of the blob of its manifest. */
  readonly blob: string;
  readonly labels: Readonly<Record<string, unknown>>;
}

export interface TrueWrite {
  readonly typeKey: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly revision: number;
  /** What it was compared with (K6); 0 for a creation. */
  readonly base: number;
  /** Counts restored backups. */
  readonly era: number;
  /** Monotonic clock. */
  readonly atMs: number;
  /** What it means for a file: null where it leaves things as they are (K11, K33). */
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | null;
  readonly user: string;
  readonly subresource: string;
  /** Its review was answered. */
  readonly reviewed: boolean;
  /** Digest of the object but for its resourceVersion, as `contentOf` makes it. */
  readonly content: string;
  readonly replicas: number | null;
  /** Nothing but the number of replicas changed, and what follows from that: as a Scale does it. */
  readonly scaled: boolean;
  readonly before: TrueState | null;
  readonly after: TrueState | null;
}

export interface Restore {
  /** That it began. */
  readonly era: number;
  /** Monotonic clock. */
  readonly atMs: number;
  readonly revision: number;
}

export class Truth {
  readonly writes: TrueWrite[] = [];
  readonly restores: Restore[] = [];
  readonly #cluster: SimulatedCluster;
  readonly #monotonicMs: () => number;
  readonly #types: ReadonlyMap<string, SimulatedType>;
  /** Of each era, by revision: a restore gives revisions again. */
  readonly #eras = [new Map<number, TrueWrite[]>()];
  readonly #byObject = new Map<string, TrueWrite[]>();
  readonly #names = new Map<string, number>();
  era = 0;

  constructor(cluster: SimulatedCluster, monotonicMs: () => number) {
    this.#cluster = cluster;
    this.#monotonicMs = monotonicMs;
    this.#types = new Map(cluster.types.map((type) => [type.key, type]));
    for (const { key } of cluster.types) {
      for (const event of cluster.store.eventsAfter(key, 0) ?? []) this.#record(event, monotonicMs());
      cluster.store.subscribe(key, () => {
        for (const event of cluster.store.eventsAfter(key, cluster.store.revision - 1) ?? [])
          this.#record(event, monotonicMs());
      });
    }
  }

  /** A lease that expires writes several at once. */
  at(era: number, revision: number): readonly TrueWrite[] {
    return this.#eras[era]?.get(revision) ?? [];
  }

  /** A restore may give one version twice. */
  find(uid: string, revision: number): readonly TrueWrite[] {
    const found: TrueWrite[] = [];
    for (const byRevision of this.#eras)
      for (const write of byRevision.get(revision) ?? []) if (write.uid === uid) found.push(write);
    return found;
  }

  /** Every write to what bore this name, in order. */
  ofObject(object: ObjectName): readonly TrueWrite[] {
    return this.#byObject.get(keyOf(object)) ?? [];
  }

  /** How many names of a type were ever borne. */
  countOf(typeKey: string): number {
    return this.#names.get(typeKey) ?? 0;
  }

  objects(): Iterable<readonly TrueWrite[]> {
    return this.#byObject.values();
  }

  /** The write that an object is as of, at a revision of an era; null where nobody had written it. */
  lastAt(object: ObjectName, era: number, revision: number): TrueWrite | null {
    const found = this.ofObject(object).findLast(
      (write) => write.era <= era && write.revision <= revision && this.holds(write, era),
    );
    return found ?? null;
  }

  /** Whether no restore up to this era undid it. */
  holds(write: TrueWrite, era = this.era): boolean {
    return this.restores.every(
      (restore) => restore.era > era || write.era >= restore.era || write.revision <= restore.revision,
    );
  }

  restore(revision: number): void {
    this.#cluster.restore(revision);
    this.era += 1;
    this.#eras.push(new Map());
    this.restores.push({ era: this.era, revision, atMs: this.#monotonicMs() });
  }

  #record(event: StoredEvent, atMs: number): void {
    const { typeKey, namespace, name, revision, previousRevision, content, previous, authorship } = event;
    const ofObject = this.ofObject(event);
    const base = previous === null ? undefined : ofObject.findLast((write) => write.revision === previousRevision);
    const write: TrueWrite = {
      typeKey,
      namespace,
      name,
      uid: stringAt(objectAt(content.object, "metadata"), "uid"),
      revision,
      base: previousRevision,
      era: this.era,
      atMs,
      operation: operationOf(event),
      ...authorship,
      content: contentOf(content.head + content.tail),
      replicas: replicasOf(content.object),
      scaled: previous !== null && equalJson(unscaled(previous.object), unscaled(content.object)),
      before: base?.after ?? null,
      after: event.kind === "DELETED" ? null : this.#stateOf(event),
    };
    this.writes.push(write);
    const byRevision = this.#eras[this.era];
    if (byRevision !== undefined) appendTo(byRevision, revision, write);
    if (ofObject.length === 0) this.#names.set(typeKey, this.countOf(typeKey) + 1);
    appendTo(this.#byObject, keyOf(event), write);
  }

  #stateOf({ typeKey, content }: StoredEvent): TrueState | null {
    const type = this.#types.get(typeKey);
    if (type === undefined || isTerminating(content)) return null;
    const { yaml } = manifestOf(Buffer.from(textOf(content, 1)), { ...type, secrets: simulatedSecrets });
    const blob = hash("sha1", Buffer.concat([Buffer.from(`blob ${yaml.length}\0`), yaml]));
    return { blob, labels: objectAt(objectAt(content.object, "metadata"), "labels") };
  }
}

export interface ObjectName {
  readonly typeKey: string;
  readonly namespace: string;
  readonly name: string;
}

/** Digest of an object's text: equal bytes but for the resourceVersion (K36) are equal content. */
export function contentOf(text: string): string {
  const bare = text.replace(/"resourceVersion":"\d+",/, "");
  return hash("sha1", bare, "base64");
}

/** Absent is 0 (K40); null where it is no number. */
export function replicasOf(object: JsonObject): number | null {
  const replicas = objectAt(object, "spec")["replicas"] ?? 0;
  return typeof replicas === "number" ? replicas : null;
}

function unscaled(object: JsonObject): JsonObject {
  const metadata = without(objectAt(object, "metadata"), "resourceVersion", "generation", "managedFields");
  return withMembers(without(object, "status"), { metadata, spec: without(objectAt(object, "spec"), "replicas") });
}

export function keyOf({ typeKey, namespace, name }: ObjectName): string {
  return `${typeKey} ${namespace}/${name}`;
}

export function titleOf(write: TrueWrite): string {
  const { operation, revision, user, reviewed } = write;
  return `${operation ?? "-"} ${keyOf(write)} @${revision} by ${user}${reviewed ? "" : " (unreviewed)"}`;
}

function operationOf(event: StoredEvent): TrueWrite["operation"] {
  if (event.previous !== null && isTerminating(event.previous)) return null;
  if (event.kind === "DELETED" || isTerminating(event.content)) return "DELETE";
  return event.kind === "ADDED" ? "CREATE" : "UPDATE";
}

function isTerminating({ object }: Rendered): boolean {
  return "deletionTimestamp" in objectAt(object, "metadata");
}
