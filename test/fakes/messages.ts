/** Short forms of correlations and events: hashes are the text they stand for. */
import type {
  Correlation,
  ObjectHash,
  Operation,
  ResourceType,
  ResourceVersion,
  TypeKey,
  Uid,
  WatchEvent,
} from "../../machines/messages.ts";
import { typeKeyOf } from "../../machines/messages.ts";

export const configMaps: ResourceType = {
  key: typeKeyOf("", "configmaps"),
  group: "",
  version: "v1",
  resource: "configmaps",
  kind: "ConfigMap",
  namespaced: true,
  scalable: false,
};

export interface CorrelationSketch {
  readonly arrival?: number;
  readonly operation: Operation;
  readonly user: string;
  readonly typeKey?: TypeKey;
  readonly uid?: string;
  readonly name?: string;
  readonly base?: number;
  readonly object?: string;
  readonly oldObject?: string;
  readonly subresource?: string;
  readonly replicas?: number;
  readonly restored?: boolean;
  readonly sinceMs?: number;
  readonly atMs?: number;
}

export function correlationOf(sketch: CorrelationSketch): Correlation {
  return {
    arrival: sketch.arrival ?? 0,
    atMs: sketch.atMs ?? 1000,
    typeKey: sketch.typeKey ?? configMaps.key,
    namespace: "default",
    name: sketch.name ?? "a",
    uid: (sketch.uid ?? "first") as Uid,
    operation: sketch.operation,
    subresource: sketch.subresource ?? "",
    user: sketch.user,
    claims: {},
    fieldManager: "test",
    base: sketch.base === undefined ? "" : (String(sketch.base) as ResourceVersion),
    objectHash: (sketch.object ?? "") as ObjectHash,
    unchanged: sketch.operation === "UPDATE" && sketch.object === sketch.oldObject,
    replicas: sketch.replicas ?? null,
    restored: sketch.restored ?? false,
  };
}

export interface EventSketch {
  readonly kind?: WatchEvent["kind"];
  readonly version: number;
  readonly object: string;
  /** What is left without status and bookkeeping; the object itself by default. */
  readonly rest?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly replicas?: number;
  readonly terminating?: boolean;
  readonly epoch?: number;
  readonly atMs?: number;
}

export function eventOf(sketch: EventSketch): WatchEvent {
  return {
    kind: sketch.kind ?? "ADDED",
    type: configMaps,
    namespace: "default",
    name: sketch.name ?? "a",
    uid: (sketch.uid ?? "first") as Uid,
    resourceVersion: String(sketch.version) as ResourceVersion,
    terminating: sketch.terminating ?? false,
    objectHash: sketch.object as ObjectHash,
    restHash: (sketch.rest ?? sketch.object) as ObjectHash,
    replicas: sketch.replicas ?? null,
    bytes: new TextEncoder().encode(sketch.object),
    atMs: sketch.atMs ?? 1000,
  };
}
