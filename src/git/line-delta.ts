/** A text as what has changed in its lines since another: manifests change in a line here and there. */

import { DeltaEncoder } from "./delta.ts";

/** A copy is up to this long: what is shorter is better inserted. */
const shortestCopyBytes = 8;
/** Of lines that a text has many times, so many are looked at. */
const lookedAt = 8;

/** `base`: its bytes as latin1. */
export function encodeLineDelta(base: string, body: Buffer): Buffer {
  const known = linesOf(base);
  const lines = linesOf(body.toString("latin1"));
  const places = placesOf(known);
  const delta = new DeltaEncoder(base.length, body.length);
  /** Of the base, the line behind the last copy: the next is looked for there first. */
  let expected = 0;
  let done = 0;
  for (let line = 0; line < lines.texts.length;) {
    const first = places.find(lines.texts[line] ?? "", expected);
    let run = 0;
    if (first >= 0) while (isSame(known.texts[first + run], lines.texts[line + run])) run++;
    const from = known.starts[first] ?? 0;
    const size = (known.starts[first + run] ?? 0) - from;
    if (run === 0 || size < shortestCopyBytes) {
      line += 1;
      continue;
    }
    delta.insert(body.subarray(done, lines.starts[line]));
    delta.copy(from, size);
    expected = first + run;
    line += run;
    done = lines.starts[line] ?? body.length;
  }
  delta.insert(body.subarray(done));
  return delta.bytes();
}

interface Lines {
  /** With their line feeds. */
  readonly texts: readonly string[];
  /** In bytes; one more than there are lines: the end. */
  readonly starts: readonly number[];
}

function linesOf(all: string): Lines {
  const texts: string[] = [];
  const starts = [0];
  for (let from = 0; from < all.length;) {
    const feed = all.indexOf("\n", from);
    const end = feed < 0 ? all.length : feed + 1;
    texts.push(all.slice(from, end));
    starts.push(end);
    from = end;
  }
  return { texts, starts };
}

function isSame(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && a === b;
}

/** Where a line stands in the base; where there are several, the first one that comes at or after `from`. */
function placesOf({ texts }: Lines): { find(text: string, from: number): number } {
  const first = new Map<string, number>();
  /** The next line with the same text. */
  const next = new Int32Array(texts.length).fill(-1);
  for (let at = texts.length - 1; at >= 0; at--) {
    const text = texts[at] ?? "";
    next[at] = first.get(text) ?? -1;
    first.set(text, at);
  }
  return {
    find(text, from) {
      if (text === texts[from]) return from;
      const start = first.get(text) ?? -1;
      let at = start;
      for (let looked = 0; at >= 0 && at < from && looked < lookedAt; looked++) at = next[at] ?? -1;
      return at < 0 ? start : at;
    },
  };
}
