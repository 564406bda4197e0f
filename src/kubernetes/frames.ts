/**
 * Splits a stream of bytes into frames at 0x0A, wherever the chunks are cut (K28). It owns the piece of a frame that a chunk
 * ended in; what it hands out is valid only during the call.
 */

import { KubescribeError } from "../../machines/error.ts";

/** Objects have 1.5 MB in etcd by default, more in JSON; a longer frame is no event. */
export const maxFrameBytes = 32 * 1024 * 1024;
/** A buffer that one long frame has grown beyond this is given back. */
const keptPieceBytes = 1024 * 1024;
const newline = 0x0a;

export type FrameReceiver = (bytes: Buffer, start: number, end: number) => void;

export class FrameSplitter {
  readonly #receive: FrameReceiver;
  readonly #limitBytes: number;
  #piece = Buffer.alloc(0);
  #pieceLength = 0;

  constructor(receive: FrameReceiver, limitBytes = maxFrameBytes) {
    this.#receive = receive;
    this.#limitBytes = limitBytes;
  }

  /** Throws `watch-frame-too-long`, and what the receiver throws; it is of no use then. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      if (this.#pieceLength > 0) {
        this.#keep(bytes, start, end);
        const length = this.#pieceLength;
        this.#pieceLength = 0;
        this.#receive(this.#piece, 0, length);
        if (this.#piece.length > keptPieceBytes) this.#piece = Buffer.alloc(0);
      } else if (end > start) {
        this.#check(end - start);
        this.#receive(bytes, start, end);
      }
      start = end + 1;
    }
    if (start < bytes.length) this.#keep(bytes, start, bytes.length);
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const length = this.#pieceLength + end - start;
    this.#check(length);
    if (length > this.#piece.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#piece.length, 16 * 1024));
      this.#piece.copy(grown, 0, 0, this.#pieceLength);
      this.#piece = grown;
    }
    bytes.copy(this.#piece, this.#pieceLength, start, end);
    this.#pieceLength = length;
  }

  #check(length: number): void {
    if (length <= this.#limitBytes) return;
    throw new KubescribeError(
      "watch-frame-too-long",
      `A watch frame has more than ${this.#limitBytes} bytes. Whatever answers is probably not an API server.`,
      { retry: "relist" },
    );
  }
}
