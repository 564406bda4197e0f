/** The heads of a pack's entries (gitformat-pack). */

export type DeltaBase =
  | { readonly kind: "none" }
  | { readonly kind: "offset"; readonly offset: number }
  | { readonly kind: "id"; readonly id: Buffer };

export interface EntryHeader {
  /** Of a delta: empty. */
  readonly type: string;
  readonly base: DeltaBase;
  /** Of what is inflated from `bodyAt` on, in bytes. */
  readonly size: number;
  readonly bodyAt: number;
}

const types = ["", "commit", "tree", "blob", "tag"];
const baseOffsetCode = 6;
const baseIdCode = 7;

export function decodeEntryHeader(entry: Buffer, offset: number): EntryHeader {
  let at = 0;
  let byte = entry[at++] ?? 0;
  const code = (byte >> 4) & 7;
  let size = byte & 15;
  for (let scale = 16; byte & 0x80; scale *= 128) {
    byte = entry[at++] ?? 0;
    size += (byte & 0x7f) * scale;
  }
  if (code === baseOffsetCode) {
    byte = entry[at++] ?? 0;
    let distance = byte & 0x7f;
    while (byte & 0x80) {
      byte = entry[at++] ?? 0;
      distance = (distance + 1) * 128 + (byte & 0x7f);
    }
    return { type: "", base: { kind: "offset", offset: offset - distance }, size, bodyAt: at };
  }
  if (code === baseIdCode) {
    return { type: "", base: { kind: "id", id: entry.subarray(at, at + 20) }, size, bodyAt: at + 20 };
  }
  return { type: types[code] ?? "", base: { kind: "none" }, size, bodyAt: at };
}

export interface Move {
  /** Offsets of the entry. */
  readonly from: number;
  readonly to: number;
  /** Where the base that was at this offset stands now; its id where it is not in the other pack. */
  readonly baseTo: (offset: number) => number | Buffer | undefined;
}

/** The entry with the distance to its base in the other pack, or with its base's id; null where it stays as it is. */
export function movedDelta(entry: Buffer, { from, to, baseTo }: Move): Buffer | null {
  const { base, bodyAt } = decodeEntryHeader(entry, from);
  if (base.kind !== "offset") return null;
  const moved = baseTo(base.offset);
  if (moved === undefined) throw new RangeError("the base of a delta is not in its pack");
  const sizeEnd = entry.findIndex((byte) => byte < 0x80) + 1;
  if (typeof moved !== "number") {
    const first = ((entry[0] ?? 0) & 0x8f) | (baseIdCode << 4);
    return Buffer.concat([Buffer.of(first), entry.subarray(1, sizeEnd), moved, entry.subarray(bodyAt)]);
  }
  if (to - moved === from - base.offset) return null;
  const head = Buffer.alloc(sizeEnd + 10);
  entry.copy(head, 0, 0, sizeEnd);
  return Buffer.concat([head.subarray(0, writeDistance(head, sizeEnd, to - moved)), entry.subarray(bodyAt)]);
}

/** Big-endian, 7 bits a byte, and one less for each byte but the last. Returns where it ends. */
export function writeDistance(into: Buffer, at: number, distance: number): number {
  const bytes = [distance % 128];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    bytes.unshift(128 | (rest % 128));
  }
  into.set(bytes, at);
  return at + bytes.length;
}
