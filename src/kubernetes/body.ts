/** Reads the body of a response: faults of the network are told apart from what a receiver throws. */

import { KubescribeError } from "../../machines/error.ts";
import { faultOf } from "../../machines/watch-fault.ts";
import type { WatchFault } from "../../machines/watch-fault.ts";

/** Returns null at the end, or why there was none. What `receive` throws is thrown. */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  receive: (chunk: Uint8Array) => "more" | "enough",
): Promise<WatchFault | null> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await nextOf(chunks);
      if (next instanceof Broken) return faultOf("broken", next.detail);
      if (next.done === true) return null;
      if (receive(next.value) === "enough") return null;
    }
  } finally {
    await leave(chunks);
  }
}

/** At most `limitBytes` of it; what is behind is left, and what breaks is the end. */
export async function readText(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  await readBody(body, (chunk) => {
    pieces.push(Buffer.from(chunk));
    length += chunk.length;
    return length >= limitBytes ? "enough" : "more";
  });
  return Buffer.concat(pieces).toString("utf8");
}

/** As `readText`, for documents that are no hot path. Throws `api-answer-broken` or `api-answer-too-long`. */
export async function readWhole(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  const fault = await readBody(body, (chunk) => {
    pieces.push(Buffer.from(chunk));
    length += chunk.length;
    return length > limitBytes ? "enough" : "more";
  });
  if (fault !== null) {
    throw new KubescribeError("api-answer-broken", `The API server's answer broke off: ${fault.detail}.`, {
      retry: "backoff",
    });
  }
  if (length > limitBytes) {
    throw new KubescribeError("api-answer-too-long", `The API server's answer has more than ${limitBytes} bytes.`, {
      retry: "backoff",
    });
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** What a network error says that is safe and useful to print. */
export function networkDetail(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.message.slice(0, 200);
}

class Broken {
  readonly detail: string;
  constructor(detail: string) {
    this.detail = detail;
  }
}

async function nextOf(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array> | Broken> {
  try {
    return await chunks.next();
  } catch (error) {
    return new Broken(networkDetail(error));
  }
}

/** Closes the connection if there is more to come. */
async function leave(chunks: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await chunks.return?.();
  } catch {
    // It is being left: how it breaks does not matter.
  }
}
