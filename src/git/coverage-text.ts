/** How a commit tells of a time in which authors were not seen, and how that is read back. */

import type { BlindReason, BlindTime } from "../../machines/blind-time.ts";
import { lineOf } from "./text.ts";

export interface CoverageText {
  readonly subject: string;
  /** Where there are several reasons. */
  readonly details: readonly string[];
  readonly trailers: readonly (readonly [key: string, value: string])[];
}

/** Of a time that a hundred things made blind, so many are named. */
const namedReasons = 10;

export function coverageTextOf({ fromMs, toMs, reasons }: BlindTime): CoverageText {
  const [first] = reasons;
  const more = reasons.length > 1 ? `, and ${reasons.length - 1} more` : "";
  const named = reasons.slice(0, namedReasons);
  const to: CoverageText["trailers"] = toMs === null ? [] : [[toKey, isoOf(toMs)]];
  return {
    subject: `${whenOf(fromMs, toMs)}: ${lineOf(first?.message ?? "nobody knows why")}${more}`,
    details: reasons.length > 1 ? named.map(({ message }) => message) : [],
    trailers: [[fromKey, isoOf(fromMs)], ...to, ...named.map(reasonTrailer)],
  };
}

/** The same for the same time: what a branch has told of is told once. */
export function coverageMarkOf({ fromMs, toMs }: Pick<BlindTime, "fromMs" | "toMs">): string {
  return markOf(isoOf(fromMs), toMs === null ? "" : isoOf(toMs));
}

/** The same of a commit's trailers. */
export function coverageMarkIn(first: (key: string) => string): string {
  return markOf(first(fromKey), first(toKey));
}

const fromKey = "Kubescribe-Blind-From";
const toKey = "Kubescribe-Blind-To";

function markOf(from: string, to: string): string {
  return `${from} ${to}`;
}

function reasonTrailer({ code }: BlindReason): readonly [string, string] {
  return ["Kubescribe-Blind-Reason", code];
}

function whenOf(fromMs: number, toMs: number | null): string {
  const [from, to] = [isoOf(fromMs), toMs === null ? null : isoOf(toMs)];
  if (to === null) return `Attribution is blind since ${secondIn(from)} UTC`;
  if (from === to) return `Less is attributed since ${secondIn(from)} UTC`;
  const sameDay = from.slice(0, dayLength) === to.slice(0, dayLength);
  return `Attribution was blind from ${secondIn(from)} to ${sameDay ? timeIn(to) : secondIn(to)} UTC`;
}

const dayLength = "2026-11-26".length;

function secondIn(iso: string): string {
  return `${iso.slice(0, dayLength)} ${timeIn(iso)}`;
}

function timeIn(iso: string): string {
  return iso.slice(dayLength + 1, dayLength + 9);
}

/** The last one that has a year of four digits. */
const latestMs = 253_402_300_799_999;

function isoOf(atMs: number): string {
  return new Date(Number.isFinite(atMs) ? Math.min(Math.max(0, Math.floor(atMs)), latestMs) : 0).toISOString();
}
