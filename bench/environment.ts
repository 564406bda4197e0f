/** What every benchmark says of where and how it ran, and the middle of its rounds. */

import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import { cpus } from "node:os";

export const smoke = process.argv.includes("--smoke");
export const seed = 20_261_123;

export const environment = `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}, seed ${seed}`;

/** To three digits: more would be noise. */
export function median(values: readonly number[]): number {
  return Number((values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0).toPrecision(3));
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toPrecision(3));
}

export function digestOf(texts: Iterable<string>): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text}\n`);
  return hash.digest("hex").slice(0, 16);
}

/** One JSON document with `--json`, otherwise the lines; with `--out FILE` the document is added to it besides. */
export function print(result: Readonly<Record<string, unknown>>, lines: readonly string[]): void {
  const document = JSON.stringify(result);
  console.log(process.argv.includes("--json") ? document : lines.join("\n"));
  const out = process.argv.indexOf("--out");
  if (out > 0) appendFileSync(process.argv[out + 1] ?? "", `${document}\n`);
}

/** mulberry32, uniform in [0, 1). */
export function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
