/**
 * Takes the output of `git cat-file --batch` apart as it comes.
 *
 * 1. A body above the limit is skipped, not held: whoever can push may have written a file of any size. 2. A missing object has no body.
 */

export class BatchReader {
  readonly #limitBytes: number;
  readonly #objects = new Map<string, Buffer>();
  /** The beginning of a line that has not ended yet. */
  #line: Buffer = Buffer.alloc(0);
  /** Of the body that is being read: bytes that are to come, its line feed among them. */
  #leftBytes = 0;
  /** Null: it is skipped. */
  #body: Buffer | null = null;

  constructor({ limitBytes }: { readonly limitBytes: number }) {
    this.#limitBytes = limitBytes;
  }

  /** By their ids. */
  get objects(): ReadonlyMap<string, Buffer> {
    return this.#objects;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#leftBytes > 0) {
        const taken = Math.min(this.#leftBytes, chunk.length - at);
        if (this.#body !== null) chunk.copy(this.#body, this.#body.length + 1 - this.#leftBytes, at, at + taken);
        this.#leftBytes -= taken;
        at += taken;
        continue;
      }
      const end = chunk.indexOf(0x0a, at);
      const line = chunk.subarray(at, end < 0 ? chunk.length : end);
      this.#line = this.#line.length === 0 ? line : Buffer.concat([this.#line, line]);
      if (end < 0) return;
      at = end + 1;
      this.#begin(this.#line.toString("latin1"));
      this.#line = Buffer.alloc(0);
    }
  }

  /** `ID TYPE SIZE`, or `ID missing`. */
  #begin(line: string): void {
    const [id = "", , size = ""] = line.split(" ");
    if (size === "") return;
    const sizeBytes = Number(size);
    this.#leftBytes = sizeBytes + 1;
    this.#body = sizeBytes > this.#limitBytes ? null : Buffer.allocUnsafe(sizeBytes);
    if (this.#body !== null) this.#objects.set(id, this.#body);
  }
}
