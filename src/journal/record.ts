/**
 * The lines of a segment: `CRC32 JSON\n`, the checksum in eight hexadecimal digits over the JSON. A line that was cut, or grown together
 * with the next one, does not fit its checksum. Bytes of objects are never written: they may be Secrets.
 */

import { crc32 } from "node:zlib";

import type { Correlation, ObjectHash, Operation, ResourceVersion, TypeKey, Uid } from "../../machines/messages.ts";

export type JournalRecord =
  | { readonly kind: "correlation"; readonly correlation: Correlation }
  /** So many correlations before this line are missing: they could not be written, or had to go for lack of space. */
  | { readonly kind: "lost"; readonly count: number; readonly atMs: number };

export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record.kind === "lost" ? [record.count, record.atMs] : record.correlation);
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
  if (Array.isArray(value)) return { kind: "lost", count: toNumber(value[0]), atMs: toNumber(value[1]) };
  if (typeof value !== "object" || value === null) return null;
  return { kind: "correlation", correlation: toCorrelation(value as Fields) };
}

type Fields = Readonly<Record<string, unknown>>;

/** What fits its checksum was written by us; a field that an older version did not know becomes its empty value. */
function toCorrelation(fields: Fields): Correlation {
  const text = (name: string): string => {
    const value = fields[name];
    return typeof value === "string" ? value : "";
  };
  const replicas = fields["replicas"];
  const claims = fields["claims"];
  return {
    arrival: toNumber(fields["arrival"]),
    atMs: toNumber(fields["atMs"]),
    typeKey: text("typeKey") as TypeKey,
    namespace: text("namespace"),
    name: text("name"),
    uid: text("uid") as Uid,
    operation: text("operation") as Operation,
    subresource: text("subresource"),
    user: text("user"),
    claims: typeof claims === "object" && claims !== null ? (claims as Record<string, string>) : {},
    fieldManager: text("fieldManager"),
    base: text("base") as ResourceVersion | "",
    objectHash: text("objectHash") as ObjectHash | "",
    oldObjectHash: text("oldObjectHash") as ObjectHash | "",
    replicas: typeof replicas === "number" ? replicas : null,
    restored: true,
  };
}

function toNumber(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
