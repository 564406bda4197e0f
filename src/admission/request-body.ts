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

  /** Never rejects. The body is off the budget once it is read. */
  read(request: IncomingMessage): Promise<BodyResult> {
    return new Promise((resolve) => {
      let first: Buffer | null = null;
      let chunks: Buffer[] | null = null;
      let length = 0;
      const settle = (result: BodyResult): void => {
        this.#usedBytes -= length;
        length = 0;
        first = null;
        chunks = null;
        request.off("data", take);
        resolve(result);
      };
      const take = (chunk: Buffer): void => {
        length += chunk.length;
        this.#usedBytes += chunk.length;
        if (length > this.#maxBodyBytes) settle({ kind: "too-large" });
        else if (this.#usedBytes > this.#maxTotalBytes) settle({ kind: "overloaded" });
        else if (first === null) first = chunk;
        else if (chunks === null) chunks = [first, chunk];
        else chunks.push(chunk);
      };
      if (Number(request.headers["content-length"]) > this.#maxBodyBytes) {
        settle({ kind: "too-large" });
        return;
      }
      request.on("data", take);
      request.on("end", () => {
        // A client that vanishes can look like an end: only a complete message counts.
        if (!request.complete) settle({ kind: "aborted" });
        else settle({ kind: "complete", body: chunks === null ? (first ?? Buffer.alloc(0)) : Buffer.concat(chunks) });
      });
      request.on("error", () => {
        settle({ kind: "aborted" });
      });
      request.on("close", () => {
        settle({ kind: "aborted" });
      });
    });
  }
}
