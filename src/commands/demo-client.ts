/** A user's side of the API server: HTTPS with a bearer token, as kubectl would. Owns its connections. */

import { Agent, request } from "node:https";
import type { User } from "../simulator/review.ts";
import { tokenOf } from "./demo-people.ts";

export interface Call {
  readonly user: User;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: object;
  /** Which tool it pretends to be. */
  readonly fieldManager?: string;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

export class DemoClient implements Disposable {
  readonly #serverUrl: string;
  readonly #agent: Agent;

  constructor({ serverUrl, caBundlePem }: { readonly serverUrl: string; readonly caBundlePem: string }) {
    this.#serverUrl = serverUrl;
    this.#agent = new Agent({ keepAlive: true, ca: caBundlePem });
  }

  call({ user, method, path, body, fieldManager }: Call): Promise<Reply> {
    const url = new URL(path, this.#serverUrl);
    if (fieldManager !== undefined) url.searchParams.set("fieldManager", fieldManager);
    const bytes = Buffer.from(body === undefined ? "" : JSON.stringify(body));
    const headers = {
      "content-length": bytes.length,
      authorization: `Bearer ${tokenOf(user)}`,
      "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
      "user-agent": "kubectl/v1.36.3",
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: this.#agent }, (response) => {
        const chunks: Uint8Array[] = [];
        response.on("data", (chunk: Uint8Array) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
      outgoing.on("error", reject);
      outgoing.end(bytes);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
