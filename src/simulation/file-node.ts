/** Files and directories in memory: `now` is what programs see, `onDisk` what has arrived there. */

export type FileNode = ContentNode | DirectoryNode;

export interface ContentNode {
  readonly kind: "file";
  readonly content: Content;
}

export interface DirectoryNode {
  readonly kind: "directory";
  /** By the last part of the path. */
  now: Map<string, FileNode>;
  onDisk: Map<string, FileNode>;
}

export function newDirectory(): DirectoryNode {
  return { kind: "directory", now: new Map(), onDisk: new Map() };
}

/** Bytes that grow at the end, without copying all of them for each write. What was written once is never overwritten. */
export class Content {
  modifiedMs: number;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;
  /** A number: as many of the bytes, from the first one on. That is nearly always so, and nothing is copied for it. */
  #onDisk: number | Buffer = 0;

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#onDisk = this.#disk();
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }

  /** Returns where `bytes` stand now. */
  append(bytes: Uint8Array): { readonly at: number; readonly bytes: Buffer } {
    const at = this.#length;
    const length = at + bytes.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.alloc(at === 0 ? length : length * 2);
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, at);
    this.#length = length;
    return { at, bytes: this.#buffer.subarray(at, length) };
  }

  /** All of it is on the disk. */
  sync(): void {
    this.#onDisk = this.#length;
  }

  /** `bytes` are on the disk; what lies before them and never arrived reads as zeros. Null: the file was emptied there. */
  arrive(at: number, bytes: Buffer | null): void {
    if (bytes === null) this.#onDisk = Buffer.alloc(0);
    else if (this.#onDisk === at) this.#onDisk += bytes.length;
    else {
      const before = this.#disk();
      const after = Buffer.alloc(Math.max(before.length, at + bytes.length));
      after.set(before);
      after.set(bytes, at);
      this.#onDisk = after;
    }
  }

  /** What is not on the disk is gone. */
  lose(): void {
    this.#buffer = this.#disk();
    this.#length = this.#buffer.length;
    this.sync();
  }

  #disk(): Buffer {
    return typeof this.#onDisk === "number" ? this.bytes.subarray(0, this.#onDisk) : this.#onDisk;
  }

  /** Shares the bytes, which is safe: the copy has no room to grow into, so that it grows elsewhere. */
  copy(): Content {
    const copied = new Content(this.modifiedMs);
    copied.#buffer = this.bytes;
    copied.#length = this.#length;
    copied.#onDisk = this.#onDisk;
    return copied;
  }
}
