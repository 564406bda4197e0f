/** gitprotocol-common: lines with their length before them in four hex digits, `0000` between the parts. */

import { remoteError } from "./remote-error.ts";

export const flushPacket = Buffer.from("0000", "latin1");
const headerBytes = 4;
/** LARGE_PACKET_MAX of git. */
const largestPacketBytes = 65_520;
/** There should be none. */
const restBytes = 64 << 10;

export function encodePacket(payload: string): Buffer {
  const bytes = Buffer.from(payload, "utf8");
  const size = bytes.length + headerBytes;
  if (size > largestPacketBytes) throw new RangeError(`a packet of ${size} bytes`);
  return Buffer.concat([Buffer.from(size.toString(16).padStart(headerBytes, "0"), "latin1"), bytes]);
}

/**
 * Reads packets off a stream of bytes. Owns the stream's iterator, and what came after the packet that was read last.
 * 1. A packet is asked for one at a time; nothing but the chunk at hand is kept.
 * 2. At most `limitBytes` are read until `allow` is called with another number: the other side decides nothing about memory or time.
 */
export class PacketReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #leftBytes: number;

  constructor(source: AsyncIterable<Uint8Array>, limitBytes: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#leftBytes = limitBytes;
  }

  allow(limitBytes: number): void {
    this.#leftBytes = limitBytes;
  }

  /** Reads what is left, if that is little: a connection is free for the next request once its answer has ended. */
  async finish(): Promise<void> {
    for (let left = restBytes; left > 0;) {
      const step = await this.#source.next();
      if (step.done === true) return;
      left -= step.value.length;
    }
    await this.#source.return?.();
  }

  /**
   * The payload, "flush", or null at the end of the stream; valid until the next call. Throws `remote-malformed` for what is no
   * packet or too much, `remote-cut` for an end in the middle of one, and what the stream throws.
   */
  async next(): Promise<Buffer | "flush" | null> {
    const header = await this.#take(headerBytes, true);
    if (header === null) return null;
    const text = header.toString("latin1");
    if (!/^[0-9a-f]{4}$/i.test(text)) throw notPackets(header);
    const size = Number.parseInt(text, 16);
    if (size === 0) return "flush";
    if (size < headerBytes || size > largestPacketBytes) throw notPackets(header);
    return (await this.#take(size - headerBytes, false)) ?? Buffer.alloc(0);
  }

  /** Null: the stream ends here, and may. */
  async #take(size: number, mayEnd: boolean): Promise<Buffer | null> {
    if (this.#chunk.length - this.#at < size) {
      const pieces = [this.#chunk.subarray(this.#at)];
      let have = this.#chunk.length - this.#at;
      while (have < size) {
        const step = await this.#source.next();
        if (step.done === true) {
          if (have === 0 && mayEnd) return null;
          throw endedEarly();
        }
        // A copy: the chunk may be the transport's own, and used again.
        pieces.push(Buffer.from(step.value));
        have += step.value.length;
      }
      this.#chunk = Buffer.concat(pieces, have);
      this.#at = 0;
    }
    this.#leftBytes -= size;
    if (this.#leftBytes < 0) throw tooMuch();
    const taken = this.#chunk.subarray(this.#at, this.#at + size);
    this.#at += size;
    return taken;
  }
}

function notPackets(header: Buffer): Error {
  return remoteError(
    "malformed",
    `the remote should answer in Git's packets and answers ${JSON.stringify(header.toString("latin1"))}: look whether the ` +
      "URL names a Git repository, and not a web page or a host whose login shell prints a greeting",
  );
}

function tooMuch(): Error {
  return remoteError("malformed", "the remote sent more than it may: its answer is longer than any repository needs");
}

function endedEarly(): Error {
  return remoteError("cut", "the connection to the remote ended in the middle of its answer");
}
