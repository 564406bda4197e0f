/** Reads the body of one request whole, within bounds, from clients that may vanish at any byte. */

import type { IncomingMessage } from "node:http";

export type BodyResult =
  | { readonly kind: "complete"; readonly body: Buffer }
  | { readonly kind: "too-large" }
  /** All bodies together are too large. */
  | { readonly kind: "overloaded" }
  | { readonly kind: "aborted" };

/** Counts the bytes of all bodies that are being read. */
export class BodyBudget {
  readonly #maxTotalBytes: number;
  readonly #maxBodyBytes: number;
  #usedBytes = 0;

  constructor(bounds: { readonly maxBodyBytes: number; readonly maxTotalBytes: number }) {
    this.#maxBodyBytes = bounds.maxBodyBytes;
    this.#maxTotalBytes = bounds.maxTotalBytes;
  }

  /** Calls `settled` once; the request's errors are the caller's. The body is off the budget by then. */
  read(request: IncomingMessage, settled: (result: BodyResult) => void): void {
    let chunks: Buffer[] = [];
    let length = 0;
    let open = true;
    const settle = (result: BodyResult): void => {
      if (!open) return;
      open = false;
      this.#usedBytes -= length;
      chunks = [];
      settled(result);
    };
    if (Number(request.headers["content-length"]) > this.#maxBodyBytes) {
      settle({ kind: "too-large" });
      return;
    }
    request.on("data", (chunk: Buffer) => {
      if (!open) return;
      length += chunk.length;
      this.#usedBytes += chunk.length;
      chunks.push(chunk);
      if (length > this.#maxBodyBytes) settle({ kind: "too-large" });
      else if (this.#usedBytes > this.#maxTotalBytes) settle({ kind: "overloaded" });
    });
    request.on("end", () => {
      // A client that vanishes can look like an end: only a complete message counts.
      if (request.complete) settle({ kind: "complete", body: joined(chunks) });
    });
    // Behind an end and behind an error, too.
    request.on("close", () => {
      settle({ kind: "aborted" });
    });
  }
}

/** Nearly always there is one. */
function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
}
