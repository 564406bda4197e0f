/**
 * From the recorded events to the changes that have to be commits: the rules of the contract, said again from the outside. The
 * first deletionTimestamp is the deletion; what changes no byte of the file is no change; DELETED after a deletion is none.
 */

import { createHash } from "node:crypto";

import { manifestOf } from "../../src/sanitize/manifest.ts";
import type { SecretOptions } from "../../src/sanitize/secrets.ts";
import { markerPrefix, typeKeyOf } from "./kinds.ts";
import type { RecordedEvent } from "./recorder.ts";

/** One event, decoded. */
export interface Persisted {
  readonly typeKey: string;
  readonly kind: RecordedEvent["kind"];
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly terminating: boolean;
  readonly seenAtMs: number;
  readonly path: string;
  /** Of the file; git's id of the blob. */
  readonly blob: string;
  /** By marker: who wrote this, known from the object itself. Empty where it shows no new marker. */
  readonly writers: readonly string[];
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | null;
}

interface Head {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** Of one type, in watch order. `secrets`: as kubescribe has it. */
export function persistedOf(events: readonly RecordedEvent[], secrets: SecretOptions): readonly Persisted[] {
  const known = new Map<string, Persisted>();
  const seenMarkers = new Set<string>();
  return events.map((event) => {
    const { metadata } = JSON.parse(event.bytes.toString("utf8")) as Head;
    const { name, namespace = "", uid, resourceVersion } = metadata;
    const before = known.get(`${namespace}/${name}`);
    const { group, resource } = event.type;
    const now = {
      typeKey: typeKeyOf(event.type),
      kind: event.kind,
      resource,
      namespace,
      name,
      uid,
      resourceVersion,
      terminating: metadata.deletionTimestamp !== undefined,
      seenAtMs: event.seenAtMs,
      path: `cluster/${namespace === "" ? "_cluster" : namespace}/${group === "" ? "core" : group}/${resource}/${fileOf(name)}.yaml`,
      blob: blobOf(event, secrets),
      writers: newWriters(metadata.annotations ?? {}, seenMarkers),
    };
    const persisted = { ...now, operation: operationOf(now, before) };
    known.set(`${namespace}/${name}`, persisted);
    return persisted;
  });
}

function operationOf(now: Omit<Persisted, "operation">, before: Persisted | undefined): Persisted["operation"] {
  const wasThere = before !== undefined && before.kind !== "DELETED" && before.uid === now.uid;
  if (wasThere && before.terminating) return null;
  if (now.kind === "DELETED" || now.terminating) return "DELETE";
  if (!wasThere) return "CREATE";
  return before.blob === now.blob ? null : "UPDATE";
}

/** As in docs/COMMITS.md, for the names that occur here. */
function fileOf(name: string): string {
  return name.replaceAll(":", "%3A");
}

function blobOf({ bytes, type }: RecordedEvent, secrets: SecretOptions): string {
  const { yaml } = manifestOf(bytes, { ...type, secrets });
  return createHash("sha1").update(`blob ${yaml.length}\0`).update(yaml).digest("hex");
}

/** A PUT of what was read long ago brings old markers back: only one that was never seen before tells who wrote. */
function newWriters(annotations: Readonly<Record<string, string>>, seen: Set<string>): readonly string[] {
  const writers = new Set<string>();
  for (const [key, marker] of Object.entries(annotations)) {
    if (!key.startsWith(markerPrefix) || seen.has(marker)) continue;
    seen.add(marker);
    writers.add(marker.slice(0, marker.lastIndexOf("/")));
  }
  return [...writers];
}
