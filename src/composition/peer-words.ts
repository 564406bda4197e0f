/** What replicas tell each other, as they send it to each other's admission path. */

import type { Correlation } from "../../machines/messages.ts";
import { decodeRecord, encodeRecord } from "../journal/record.ts";

export type PeerWord =
  /** Whoever holds the Lease now asks the one before it for all that is pending, and is handed every review from then on. */
  | { readonly kind: "handOver"; readonly to: string }
  /** Reviews could not be handed on: who else was reviewed at that time may have had rivals. */
  | {
      readonly kind: "missed";
      /** Wall clock; null: nobody said so. */
      readonly sinceMs: number | null;
    };

export type HandOverAnswer =
  /** It holds the Lease itself, as far as it knows. */
  | { readonly kind: "refused" }
  | {
      readonly kind: "handedOver";
      /** Wall clock: since when reviews reached it without a break; null: they do not. */
      readonly sightSinceMs: number | null;
      /** Wall clock, as in Restored; null: nobody is missing. */
      readonly doubtedThroughMs: number | null;
      /** In the order of arrival. */
      readonly correlations: readonly Correlation[];
    };

/** No review begins like that: they are the API server's, and begin with their kind. */
const mark = Buffer.from('{"kubescribe":');
const longestWordBytes = 1024;

export function encodeWord(word: PeerWord): Uint8Array {
  const { kind, ...rest } = word;
  return Buffer.from(JSON.stringify({ kubescribe: kind, ...rest }));
}

/** Null: it is something else. */
export function decodeWord(body: Uint8Array): PeerWord | null {
  if (body.length > longestWordBytes || body.length < mark.length) return null;
  if (mark.compare(body, 0, mark.length) !== 0) return null;
  try {
    const { kubescribe, to, sinceMs } = JSON.parse(Buffer.from(body).toString()) as Readonly<Record<string, unknown>>;
    if (kubescribe === "missed") return { kind: "missed", sinceMs: timeOf(sinceMs) };
    return kubescribe === "handOver" && typeof to === "string" ? { kind: "handOver", to } : null;
  } catch {
    return null;
  }
}

/** A line of JSON, and behind it the journal's lines. */
export function encodeAnswer(answer: HandOverAnswer): string {
  if (answer.kind === "refused") return JSON.stringify({ kind: "refused" });
  const { correlations, ...head } = answer;
  return `${JSON.stringify(head)}\n${correlations
    .map((correlation) => encodeRecord({ kind: "correlation", correlation }))
    .join("")}`;
}

/** Null: it cannot be read. */
export function decodeAnswer(text: string): HandOverAnswer | null {
  const [first = "", ...lines] = text.split("\n");
  const head = headOf(first);
  if (head?.kind !== "handedOver") return head;
  const correlations: Correlation[] = [];
  for (const line of lines) {
    if (line === "") continue;
    const record = decodeRecord(line);
    if (record?.kind !== "correlation") return null;
    correlations.push(record.correlation);
  }
  return { ...head, correlations };
}

function headOf(line: string): HandOverAnswer | null {
  try {
    const { kind, sightSinceMs, doubtedThroughMs } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (kind === "refused") return { kind };
    if (kind !== "handedOver") return null;
    return { kind, sightSinceMs: timeOf(sightSinceMs), doubtedThroughMs: timeOf(doubtedThroughMs), correlations: [] };
  } catch {
    return null;
  }
}

function timeOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
