/** An OTLP receiver over HTTP that remembers what it was sent. Owns its listener. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { metricsOf, type SentMetric, type SentSpan, spansOf } from "./otlp-messages.ts";

export class OtlpReceiver implements AsyncDisposable {
  readonly spans: SentSpan[] = [];
  /** The newest of each name. */
  readonly metrics = new Map<string, SentMetric>();
  readonly requests: { readonly path: string; readonly type: string }[] = [];
  /** What it answers. */
  status = 200;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const path = request.url ?? "";
        this.requests.push({ path, type: request.headers["content-type"] ?? "" });
        if (this.status === 200) this.#take(path, Buffer.concat(chunks));
        response.writeHead(this.status, { "content-type": "application/x-protobuf" }).end();
      });
    });
  }

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #take(path: string, body: Buffer): void {
    if (path === "/v1/traces") this.spans.push(...spansOf(body));
    else for (const metric of metricsOf(body)) this.metrics.set(metric.name, metric);
  }
}
