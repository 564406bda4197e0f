/**
 * Raw HTTP to one API server.
 * 1. One pool of connections per user, kept alive: the API server's watch of connections, and ours of speed, see what a real client does.
 */

import { Agent, request } from "node:https";

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
  /** The body parsed; throws when it is not JSON. */
  json(): JsonObject;
}

/** What a test reads: it knows the shape, or fails. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
export type JsonValue = string | number | boolean | null | JsonObject | readonly JsonValue[];

export interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly token: string;
  /** A string or bytes are sent as they are, an object as JSON. */
  readonly body?: string | Uint8Array | object | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

const maxConnections = 64;
const defaultTimeoutMs = 60_000;

export class ApiClient implements Disposable {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(url: string, caPem: string) {
    this.#url = url;
    this.#agent = new Agent({ ca: caPem, keepAlive: true, maxSockets: maxConnections });
  }

  /** Resolves with any status; rejects only when the connection fails. */
  send({ method, path, token, body, headers, signal }: ApiRequest): Promise<ApiResponse> {
    const payload = payloadOf(body);
    const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    return new Promise((resolve, reject) => {
      const sent = request(
        `${this.#url}${path}`,
        {
          method,
          agent: this.#agent,
          timeout: defaultTimeoutMs,
          ...(signal === undefined ? {} : { signal }),
          headers: {
            authorization: `Bearer ${token}`,
            accept: "application/json",
            ...(payload === undefined ? {} : { "content-type": contentType, "content-length": String(payload.length) }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.once("error", reject);
          response.once("end", () => {
            resolve(answered(response.statusCode ?? 0, response.headers, Buffer.concat(chunks)));
          });
        },
      );
      sent.once("error", reject);
      sent.once("timeout", () =>
        sent.destroy(new Error(`No answer to ${method} ${path} within ${defaultTimeoutMs} ms`)),
      );
      sent.end(payload);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

function answered(status: number, headers: ApiResponse["headers"], body: Buffer): ApiResponse {
  return {
    status,
    headers,
    body,
    get text() {
      return body.toString("utf8");
    },
    json() {
      return JSON.parse(body.toString("utf8")) as JsonObject;
    },
  };
}

function payloadOf(body: ApiRequest["body"]): Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}
