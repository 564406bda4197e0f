/**
 * Which objects of several packs are copied into one, and where they stand in it: each once, from the first that has it.
 *
 * Owns tables of some 30 bytes an object, whatever it is: a million of objects must not cost a gigabyte. An object has a number: that of its
 * first in its pack's index, behind those of the packs before it.
 */

import type { IndexRows } from "./pack-index-rows.ts";
import type { PackIndex, PackOrder } from "./pack-index.ts";

export interface PlannedSource {
  readonly index: PackIndex;
  /** Entries before this offset, and from the other one on, are left out. Default: none. */
  readonly from?: number;
  readonly until?: number;
}

export interface PlannedEntry {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

const leftOut = -1;

export class CopyPlan implements IndexRows {
  readonly #sources: readonly PlannedSource[];
  /** The number of each source's first. */
  readonly #firsts: readonly number[];
  /** The number of the object that is copied for each: often itself. */
  readonly #twins: Int32Array;
  /** Numbers of those that are copied. */
  readonly #copied: Uint32Array;
  /** By number, in the new pack; 0: not there yet. */
  readonly #offsets: Float64Array;
  readonly #crcs: Uint32Array;

  constructor(sources: readonly PlannedSource[]) {
    this.#sources = sources;
    const firsts: number[] = [];
    let total = 0;
    for (const { index } of sources) {
      firsts.push(total);
      total += index.count;
    }
    this.#firsts = firsts;
    this.#twins = new Int32Array(total);
    this.#offsets = new Float64Array(total);
    this.#crcs = new Uint32Array(total);
    this.#copied = this.#findTwins();
  }

  get count(): number {
    return this.#copied.length;
  }

  /** The entries of one source that are copied, by where they stand in it. */
  *entriesOf(source: number, { starts, numbers, end }: PackOrder): Iterable<PlannedEntry> {
    const first = this.#firsts[source] ?? 0;
    for (const [rank, start] of starts.entries()) {
      const number = first + (numbers[rank] ?? 0);
      if (this.#twins[number] === number) yield { number, start, end: starts[rank + 1] ?? end };
    }
  }

  place(number: number, offset: number, crc: number): void {
    this.#offsets[number] = offset;
    this.#crcs[number] = crc;
  }

  /** Where the entry that begins at `start` of a source stands now; its id where it is left out. */
  placeOf(source: number, { starts, numbers }: PackOrder, start: number): number | Buffer | undefined {
    const rank = rankOf(starts, start);
    if (rank < 0) return undefined;
    const number = (this.#firsts[source] ?? 0) + (numbers[rank] ?? 0);
    const twin = this.#twins[number] ?? leftOut;
    if (twin === leftOut) return this.#idOf(number);
    const offset = this.#offsets[twin] ?? 0;
    return offset === 0 ? undefined : offset;
  }

  /** Of an object by its number, as it stands in its source. */
  sourceCrcOf(number: number): number {
    const source = this.#sourceOf(number);
    return this.#sources[source]?.index.crcAt(number - (this.#firsts[source] ?? 0)) ?? 0;
  }

  idAt(row: number): Buffer {
    return this.#idOf(this.#copied[row] ?? 0);
  }

  crcAt(row: number): number {
    return this.#crcs[this.#copied[row] ?? 0] ?? 0;
  }

  offsetAt(row: number): number {
    return this.#offsets[this.#copied[row] ?? 0] ?? 0;
  }

  #sourceOf(number: number): number {
    let low = 0;
    let high = this.#firsts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#firsts[middle] ?? 0) <= number) low = middle;
      else high = middle;
    }
    return low;
  }

  #idOf(number: number): Buffer {
    const source = this.#sourceOf(number);
    const index = this.#sources[source]?.index;
    if (index === undefined) throw new RangeError("no packs are copied");
    return index.idAt(number - (this.#firsts[source] ?? 0));
  }

  /** Returns those that are copied. */
  #findTwins(): Uint32Array {
    const total = this.#twins.length;
    /** Open addressing over ids, which are as good as random; numbers plus one. */
    const mask = 2 ** Math.ceil(Math.log2(total * 2 + 2)) - 1;
    const table = new Int32Array(mask + 1);
    const copied = new Uint32Array(total);
    let count = 0;
    for (const [source, { index, from = 0, until = Infinity }] of this.#sources.entries()) {
      const first = this.#firsts[source] ?? 0;
      for (let at = 0; at < index.count; at++) {
        const number = first + at;
        const offset = index.offsetAt(at);
        if (offset < from || offset >= until) {
          this.#twins[number] = leftOut;
          continue;
        }
        const id = index.idAt(at);
        let slot = id.readUInt32BE(0) & mask;
        let found = table[slot] ?? 0;
        while (found !== 0 && !this.#idOf(found - 1).equals(id)) {
          slot = (slot + 1) & mask;
          found = table[slot] ?? 0;
        }
        if (found === 0) {
          table[slot] = number + 1;
          copied[count++] = number;
        }
        this.#twins[number] = found === 0 ? number : found - 1;
      }
    }
    return copied.slice(0, count);
  }
}

function rankOf(starts: Float64Array, start: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = starts[middle] ?? 0;
    if (found === start) return middle;
    if (found < start) low = middle + 1;
    else high = middle;
  }
  return -1;
}
