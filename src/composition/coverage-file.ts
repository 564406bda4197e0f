/** What a process leaves behind for the next one on its data directory: when it lived last, and which blind times it told of lately. */

import { join } from "node:path";

import type { FileSystem } from "../../actors/ports.ts";
import type { BlindReason, BlindTime } from "../../machines/blind-time.ts";

export interface CoverageRecord {
  /** Wall clock, of the last sign of life. */
  readonly aliveMs: number;
  /** The one that went on; null: there was none. */
  readonly blind: BlindTime | null;
  readonly told: readonly ToldTime[];
}

export interface ToldTime {
  /** Wall clock. */
  readonly atMs: number;
  readonly time: BlindTime;
}

export interface CoveragePlace {
  readonly files: FileSystem;
  readonly dataDir: string;
}

/** Null: there is none, or none that can be read. */
export async function readCoverage(place: CoveragePlace): Promise<CoverageRecord | null> {
  try {
    return decode(JSON.parse(Buffer.from(await place.files.readFile(pathOf(place))).toString("utf8")));
  } catch {
    // Torn, foreign or not there: nobody knows of an earlier life.
    return null;
  }
}

/** Replaced whole, and durable when it resolves. */
export async function writeCoverage(place: CoveragePlace, record: CoverageRecord): Promise<void> {
  const { files, dataDir } = place;
  const path = pathOf(place);
  const aside = `${path}.new`;
  await files.makeDirectory(dataDir);
  {
    await using file = await files.open(aside, "create");
    await file.write(Buffer.from(`${JSON.stringify(record)}\n`, "utf8"));
    await file.sync();
  }
  await files.rename(aside, path);
  await files.syncDirectory(dataDir);
}

function pathOf({ dataDir }: CoveragePlace): string {
  return join(dataDir, "coverage.json");
}

function decode(value: unknown): CoverageRecord | null {
  if (!isRecord(value) || typeof value["aliveMs"] !== "number") return null;
  const told = Array.isArray(value["told"]) ? value["told"] : [];
  return {
    aliveMs: value["aliveMs"],
    blind: timeOf(value["blind"]),
    told: told.flatMap((each: unknown): readonly ToldTime[] => {
      const time = isRecord(each) ? timeOf(each["time"]) : null;
      return !isRecord(each) || typeof each["atMs"] !== "number" || time === null ? [] : [{ atMs: each["atMs"], time }];
    }),
  };
}

function timeOf(value: unknown): BlindTime | null {
  if (!isRecord(value) || typeof value["fromMs"] !== "number" || !Array.isArray(value["reasons"])) return null;
  const toMs = value["toMs"];
  const reasons = value["reasons"].filter(isReason);
  if ((toMs !== null && typeof toMs !== "number") || reasons.length === 0) return null;
  return { fromMs: value["fromMs"], toMs, reasons };
}

function isReason(value: unknown): value is BlindReason {
  return isRecord(value) && typeof value["code"] === "string" && typeof value["message"] === "string";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
