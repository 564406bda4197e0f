/** Reads protobuf without a schema: what stands at which number. For tests, which know the numbers. */

type Value = number | bigint | Uint8Array;

export class Message {
  readonly #values = new Map<number, Value[]>();

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = view.getUint8(at);
        at += 1;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    };
    while (at < bytes.length) {
      const tag = Number(varint());
      const values = this.#values.get(tag >> 3) ?? [];
      this.#values.set(tag >> 3, values);
      switch (tag & 7) {
        case 0:
          values.push(varint());
          break;
        case 1:
          values.push(bytes.subarray(at, at + 8));
          at += 8;
          break;
        case 2: {
          const length = Number(varint());
          if (at + length > bytes.length) throw new Error("a field is longer than its message");
          values.push(bytes.subarray(at, at + length));
          at += length;
          break;
        }
        case 5:
          values.push(view.getUint32(at, true));
          at += 4;
          break;
        default:
          throw new Error(`no such wire type: ${tag & 7}`);
      }
    }
  }

  messages(field: number): readonly Message[] {
    return this.bytes(field).map((bytes) => new Message(bytes));
  }

  /** The only one. */
  message(field: number): Message {
    return new Message(this.bytes(field)[0] ?? new Uint8Array());
  }

  bytes(field: number): readonly Uint8Array[] {
    return (this.#values.get(field) ?? []).filter((value) => value instanceof Uint8Array);
  }

  text(field: number): string {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.bytes(field)[0]);
  }

  hex(field: number): string {
    return Buffer.from(this.bytes(field)[0] ?? []).toString("hex");
  }

  integer(field: number): number {
    const [value = 0n] = this.#values.get(field) ?? [];
    return value instanceof Uint8Array ? Number(viewOf(value).getBigUint64(0, true)) : Number(value);
  }

  double(field: number): number {
    const [bytes] = this.bytes(field);
    return bytes === undefined ? 0 : viewOf(bytes).getFloat64(0, true);
  }

  has(field: number): boolean {
    return this.#values.has(field);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
