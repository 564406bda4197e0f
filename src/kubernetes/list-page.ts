/**
 * Reads one page of a list as it arrives: hands out the range of each object in the outermost `items`, and keeps the rest (the
 * skeleton), which is small, to be parsed at the end. Keys may be in any order: custom resources come with `items` before
 * `metadata`. It owns its place in the JSON and the pieces of what a chunk ended in.
 *
 * 1. An object is handed out once, whole; what is inside it is judged by whoever reads it.
 * 2. A page that is cut off is never taken for a complete one: its skeleton does not parse.
 */

import { KubescribeError } from "../../machines/error.ts";
import { maxFrameBytes } from "./frames.ts";
import type { FrameReceiver } from "./frames.ts";

/** Bytes of the page outside of its items: some 100. */
const maxSkeletonBytes = 1024 * 1024;

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

export class ListPage {
  readonly #receive: FrameReceiver;
  readonly #limitBytes: number;
  readonly #skeleton: Piece;
  readonly #item: Piece;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #inItems = false;
  #inItem = false;

  constructor(receive: FrameReceiver, limitBytes = maxFrameBytes) {
    this.#receive = receive;
    this.#limitBytes = limitBytes;
    this.#skeleton = new Piece(maxSkeletonBytes);
    this.#item = new Piece(limitBytes);
  }

  /** The range of an object is valid only during the call. Throws what the receiver throws, and `list-malformed`. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) at = this.#inItem ? this.#readItem(bytes, at) : this.#readSkeleton(bytes, at);
  }

  /** The page without its items. */
  finish(): unknown {
    if (this.#inItem || this.#depth !== 0) throw malformed("its end");
    try {
      return JSON.parse(this.#skeleton.text());
    } catch {
      // What JSON.parse says quotes the document.
      throw malformed("JSON around its items");
    }
  }

  #readItem(bytes: Buffer, start: number): number {
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    let at = start;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
      } else if (byte === quote) inString = true;
      else if (byte === openBrace || byte === openBracket) depth += 1;
      else if (byte === closeBrace || byte === closeBracket) {
        depth -= 1;
        if (depth === 2) {
          at += 1;
          this.#inItem = false;
          break;
        }
      }
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    this.#takeItem(bytes, start, at);
    return at;
  }

  #takeItem(bytes: Buffer, start: number, end: number): void {
    if (this.#inItem || this.#item.length > 0) {
      this.#item.add(bytes, start, end);
      if (!this.#inItem) this.#item.hand(this.#receive);
    } else {
      if (end - start > this.#limitBytes) throw malformed(`an item of at most ${this.#limitBytes} bytes`);
      this.#receive(bytes, start, end);
    }
  }

  /** Reads up to the next item, or the end of the chunk. */
  #readSkeleton(bytes: Buffer, start: number): number {
    let from = start;
    for (let at = start; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === backslash) this.#escaped = true;
        else if (byte === quote) this.#inString = false;
      } else if (this.#inItems && this.#depth === 2 && (byte === comma || byte === openBrace)) {
        // The commas between items go with them.
        this.#skeleton.add(bytes, from, at);
        from = at + 1;
        if (byte === openBrace) {
          this.#inItem = true;
          return at;
        }
      } else if (byte === quote) this.#inString = true;
      else if (byte === openBrace || byte === openBracket) {
        if (byte === openBracket && this.#depth === 1) {
          this.#skeleton.add(bytes, from, at);
          from = at;
          this.#inItems = this.#skeleton.endsWithKey("items");
        }
        this.#depth += 1;
      } else if (byte === closeBrace || byte === closeBracket) {
        this.#depth -= 1;
        if (this.#depth === 1) this.#inItems = false;
      }
    }
    this.#skeleton.add(bytes, from, bytes.length);
    return bytes.length;
  }
}

/** Bytes that outlive their chunk. */
class Piece {
  readonly #limitBytes: number;
  #bytes = Buffer.alloc(0);
  length = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(bytes: Buffer, start: number, end: number): void {
    const length = this.length + end - start;
    if (length > this.#limitBytes) throw malformed(`at most ${this.#limitBytes} bytes of an item or around the items`);
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length, 1024));
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, this.length, start, end);
    this.length = length;
  }

  hand(receive: FrameReceiver): void {
    const { length } = this;
    this.length = 0;
    receive(this.#bytes, 0, length);
  }

  text(): string {
    return this.#bytes.toString("utf8", 0, this.length);
  }

  /** Whether the last thing, before a colon and white space, is this key. */
  endsWithKey(key: string): boolean {
    const tail = this.#bytes.toString("latin1", Math.max(0, this.length - 64), this.length);
    return /"([^"]*)"\s*:\s*$/.exec(tail)?.[1] === key;
  }
}

function malformed(expected: string): KubescribeError {
  return new KubescribeError(
    "list-malformed",
    `A list of the API server cannot be read: expected ${expected}. Whatever answers is probably not an API server.`,
    { retry: "relist" },
  );
}
