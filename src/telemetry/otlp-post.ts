/** One request of OTLP over HTTP. Owns its connections, which are kept for the next one. */

import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";

/** Resolves to the status of the answer; rejects where there is none, or `signal` was aborted. */
export type Post = (body: Uint8Array, signal: AbortSignal) => Promise<number>;

export interface OtlpConnection extends Disposable {
  /** To a path below the endpoint. */
  postTo(path: string): Post;
}

export function connectOtlp(endpoint: string): OtlpConnection {
  const base = endpoint.replace(/\/+$/, "");
  const secure = base.startsWith("https:");
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const ask = secure ? requestHttps : requestHttp;
  return {
    postTo: (path) => (body, signal) => {
      return new Promise((resolve, reject) => {
        const headers = { "content-type": "application/x-protobuf", "content-length": body.length };
        const request = ask(`${base}${path}`, { method: "POST", agent, headers, signal }, (response) => {
          // What it says is not needed; an unread answer would keep the connection.
          response.resume();
          response.once("error", reject);
          response.once("end", () => resolve(response.statusCode ?? 0));
        });
        request.once("error", reject);
        request.end(body);
      });
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

const agentOptions = { keepAlive: true, maxSockets: 2 };
