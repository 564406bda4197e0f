/** An ApiServer that answers from a table of responses, its bodies cut into chunks of any size. */

import type { ApiServer, HttpRequest, HttpResponse } from "../../actors/ports.ts";

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** Bytes of a chunk; by default the body is one. */
  readonly chunkBytes?: number;
  /** The connection breaks behind the body. */
  readonly breaks?: boolean;
}

export class FakeApi implements ApiServer {
  readonly requests: HttpRequest[] = [];
  readonly #answer: (path: string, request: HttpRequest) => Answer | Error;

  constructor(answer: (path: string, request: HttpRequest) => Answer | Error) {
    this.#answer = answer;
  }

  get paths(): readonly string[] {
    return this.requests.map(({ path }) => path);
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    this.requests.push(request);
    const answer = this.#answer(request.path, request);
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ status: answer.status ?? 200, headers: answer.headers ?? {}, body: bodyOf(answer) });
  }
}

/** As the port says: a chunk is valid only until the next one is asked for. */
async function* bodyOf({ body, chunkBytes, breaks }: Answer): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(body);
  const size = Math.max(1, chunkBytes ?? bytes.length);
  const chunk = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const end = Math.min(at + size, bytes.length);
    bytes.copy(chunk, 0, at, end);
    yield await Promise.resolve(chunk.subarray(0, end - at));
    chunk.fill(0);
  }
  if (breaks === true) throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
}
