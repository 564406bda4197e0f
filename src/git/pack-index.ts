/** A pack's index, version 2 (gitformat-pack), for lookups: where an object's entry begins and ends. */

export interface PackOrder {
  /** Where the entries begin, in bytes. */
  readonly starts: Float64Array;
  /** Where each of them stands in the index. */
  readonly numbers: Uint32Array;
  /** Where the last of them ends. */
  readonly end: number;
}

/** 32 bits of the offset and 21 of the number fit into a double. */
const fastSortLimit = 1 << 21;

export class PackIndex {
  readonly sizeBytes: number;
  readonly #bytes: Buffer;
  readonly #packBytes: number;
  readonly count: number;
  #sortedOffsets: Float64Array | null = null;

  constructor(bytes: Uint8Array, packBytes: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#packBytes = packBytes;
    this.sizeBytes = bytes.length;
    if (this.#bytes.length < 1072 || this.#bytes.readUInt32BE(0) !== 0xff744f63 || this.#bytes.readUInt32BE(4) !== 2) {
      throw new RangeError("a pack's index is not of version 2: run git repack -ad in the repository");
    }
    this.count = this.#bytes.readUInt32BE(8 + 255 * 4);
  }

  /** The entry's offset, or -1. */
  find(id: Buffer): number {
    const first = id[0] ?? 0;
    let low = first === 0 ? 0 : this.#bytes.readUInt32BE(8 + (first - 1) * 4);
    let high = this.#bytes.readUInt32BE(8 + first * 4);
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = this.#bytes.compare(id, 0, 20, 1032 + middle * 20, 1052 + middle * 20);
      if (order === 0) return this.offsetAt(middle);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  idAt(at: number): Buffer {
    return this.#bytes.subarray(1032 + at * 20, 1052 + at * 20);
  }

  crcAt(at: number): number {
    return this.#bytes.readUInt32BE(1032 + this.count * 20 + at * 4);
  }

  offsetAt(at: number): number {
    const table = 1032 + this.count * 24;
    const offset = this.#bytes.readUInt32BE(table + at * 4);
    if (offset < 0x80000000) return offset;
    return Number(this.#bytes.readBigUInt64BE(table + this.count * 4 + (offset - 0x80000000) * 8));
  }

  /** The pack's entries in their order. A million of them sort many times faster as numbers. */
  order(): PackOrder {
    const { count } = this;
    const numbers = new Uint32Array(count);
    const starts = new Float64Array(count);
    if (this.#packBytes < 2 ** 32 && count <= fastSortLimit) {
      for (let number = 0; number < count; number++) starts[number] = this.offsetAt(number) * fastSortLimit + number;
      starts.sort();
      for (const [rank, key] of starts.entries()) {
        numbers[rank] = key % fastSortLimit;
        starts[rank] = Math.floor(key / fastSortLimit);
      }
    } else {
      for (let number = 0; number < count; number++) numbers[number] = number;
      numbers.sort((a, b) => this.offsetAt(a) - this.offsetAt(b));
      for (const [rank, number] of numbers.entries()) starts[rank] = this.offsetAt(number);
    }
    return { starts, numbers, end: this.#packBytes - 20 };
  }

  /** Where the last entry begins; -1 in an empty pack. */
  lastOffset(): number {
    let last = -1;
    for (let at = 0; at < this.count; at++) last = Math.max(last, this.offsetAt(at));
    return last;
  }

  /** Where the next entry, or the trailing checksum, begins. */
  entryEnd(offset: number): number {
    this.#sortedOffsets ??= Float64Array.from({ length: this.count }, (_, at) => this.offsetAt(at)).sort();
    const sorted = this.#sortedOffsets;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return sorted[low] ?? this.#packBytes - 20;
  }
}
