/** The instructions of deltas (gitformat-pack): copies from a base, and what is inserted between them. */

/** Git refuses a shorter delta (its DELTA_SIZE_MIN): an empty tree's, which has nothing to copy or to insert. */
export const shortestDeltaBytes = 4;
const insertLimit = 127;
const copyLimit = 0xffffff;

export class DeltaEncoder {
  readonly #bytes: number[] = [];

  constructor(baseLength: number, length: number) {
    this.#size(baseLength);
    this.#size(length);
  }

  insert(part: Uint8Array): void {
    for (let from = 0; from < part.length; from += insertLimit) {
      const some = part.subarray(from, from + insertLimit);
      this.#bytes.push(some.length, ...some);
    }
  }

  /** An opcode whose bits say which bytes of the offset and of the size follow. */
  copy(from: number, size: number): void {
    const bytes = this.#bytes;
    for (let done = 0; done < size; done += copyLimit) {
      const opcodeAt = bytes.push(0x80) - 1;
      const add = (value: number, count: number, bits: number): void => {
        for (let bit = 0, rest = value; bit < count; bit++, rest = Math.floor(rest / 256)) {
          if (rest % 256 === 0) continue;
          bytes.push(rest % 256);
          bytes[opcodeAt] = (bytes[opcodeAt] ?? 0) | (bits << bit);
        }
      };
      add(from + done, 4, 1);
      add(Math.min(copyLimit, size - done), 3, 16);
    }
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }

  #size(size: number): void {
    let rest = size;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes.push(128 | (rest % 128));
    this.#bytes.push(rest);
  }
}

export function applyDelta(base: Buffer, delta: Buffer): Buffer {
  let at = 0;
  const readSize = (): number => {
    let size = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = delta[at++] ?? 0;
      size += (byte & 0x7f) * scale;
      if (byte < 0x80) return size;
    }
  };
  if (readSize() !== base.length) throw new RangeError("a delta does not fit its base");
  const result = Buffer.alloc(readSize());
  let filled = 0;
  while (at < delta.length) {
    const instruction = delta[at++] ?? 0;
    if (instruction >= 0x80) {
      let from = 0;
      let size = 0;
      for (let bit = 0; bit < 4; bit++) if (instruction & (1 << bit)) from += (delta[at++] ?? 0) * 2 ** (8 * bit);
      for (let bit = 0; bit < 3; bit++) if (instruction & (16 << bit)) size += (delta[at++] ?? 0) * 2 ** (8 * bit);
      if (size === 0) size = 0x10000;
      filled += base.copy(result, filled, from, from + size);
    } else {
      filled += delta.copy(result, filled, at, at + instruction);
      at += instruction;
    }
  }
  if (filled !== result.length) throw new RangeError("a delta is cut short");
  return result;
}
