/**
 * The lines of a segment: `CRC32 JSON\n`, the checksum in eight hexadecimal digits over the JSON, which is an array: of a correlation's
 * fields in order, without their names, or of two numbers for lost ones. A line that was cut, or grown together with the next one,
 * does not fit its checksum. Bytes of objects are never written: they may be Secrets.
 */

import { crc32 } from "node:zlib";

import type { Correlation, ObjectHash, Operation, ResourceVersion, TypeKey, Uid } from "../../machines/messages.ts";

export type JournalRecord =
  | { readonly kind: "correlation"; readonly correlation: Correlation }
  /** So many correlations before this line are missing: they could not be written, or had to go for lack of space. */
  | { readonly kind: "lost"; readonly count: number; readonly atMs: number };

export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record.kind === "lost" ? [record.count, record.atMs] : fieldsOf(record.correlation));
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
}

/** Null for a line that is damaged. */
export function decodeRecord(line: string): JournalRecord | null {
  if (line.length < 11 || line.charAt(8) !== " ") return null;
  const json = line.slice(9);
  if (line.slice(0, 8) !== crc32(json).toString(16).padStart(8, "0")) return null;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  const fields: readonly unknown[] = value;
  if (fields.length === 2) return { kind: "lost", count: toNumber(fields[0]), atMs: toNumber(fields[1]) };
  return { kind: "correlation", correlation: toCorrelation(fields) };
}

/** New fields go to the end: an older version reads past them. */
function fieldsOf(correlation: Correlation): readonly unknown[] {
  return [
    correlation.arrival,
    correlation.atMs,
    correlation.typeKey,
    correlation.namespace,
    correlation.name,
    correlation.uid,
    correlation.operation,
    correlation.subresource,
    correlation.user,
    correlation.claims,
    correlation.fieldManager,
    correlation.base,
    correlation.objectHash,
    correlation.unchanged,
    correlation.replicas,
  ];
}

/** What fits its checksum was written by us; a field that an older version did not write becomes its empty value. */
function toCorrelation(fields: readonly unknown[]): Correlation {
  const [arrival, atMs, typeKey, namespace, name, uid, operation, subresource, user, claims, ...rest] = fields;
  const [fieldManager, base, objectHash, unchanged, replicas] = rest;
  return {
    arrival: toNumber(arrival),
    atMs: toNumber(atMs),
    typeKey: toText(typeKey) as TypeKey,
    namespace: toText(namespace),
    name: toText(name),
    uid: toText(uid) as Uid,
    operation: toText(operation) as Operation,
    subresource: toText(subresource),
    user: toText(user),
    claims: typeof claims === "object" && claims !== null ? (claims as Record<string, string>) : {},
    fieldManager: toText(fieldManager),
    base: toText(base) as ResourceVersion | "",
    objectHash: toText(objectHash) as ObjectHash | "",
    unchanged: unchanged === true,
    replicas: typeof replicas === "number" ? replicas : null,
    restored: true,
  };
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function toNumber(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
