/**
 * The HTTP server of `/metrics`, `/livez` and `/readyz`. It owns its listener and connections, and says nothing about objects
 * or users.
 */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Log } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { expositionContentType } from "./meter.ts";

export interface ProbeServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly exposition: () => Promise<string>;
  readonly live: () => readonly Condition[];
  /** Asked for at each probe: cheap, and from memory. */
  readonly ready: () => readonly Condition[];
  readonly log: Log;
}

/** One thing that must hold. */
export interface Condition {
  /** `watch core/configmaps`, `repository default/history`. */
  readonly name: string;
  readonly ok: boolean;
  /** Why it does not hold, and what to do. */
  readonly reason: string;
  /** False: it is told of, and decides nothing. Default true. */
  readonly decides?: boolean;
}

export interface ProbeServer extends AsyncDisposable {
  readonly address: { readonly host: string; readonly port: number };
}

/** Resolves when it listens. Throws a KubescribeError (`metrics-listen`) when the address cannot be had. */
export async function startProbeServer(options: ProbeServerOptions): Promise<ProbeServer> {
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16_384 },
    (request, response) => {
      answer(request, response, options).catch((error: unknown) => {
        options.log.error("A probe could not be answered.", {
          error: error instanceof Error ? error.message : "unknown",
        });
        reply(response, { status: 500, type: textType, body: "internal error\n" });
      });
    },
  );
  server.maxConnections = 100;
  await listen(server, options);
  server.on("error", (error) => {
    options.log.error("The server of metrics and probes failed.", { error: error.message });
  });
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : options.port;
  return {
    address: { host: options.host, port },
    [Symbol.asyncDispose]: () => {
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
    },
  };
}

const textType = "text/plain; charset=utf-8";

function listen(server: Server, { host, port }: ProbeServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => {
      const code = "code" in cause ? String(cause.code) : cause.message;
      const message =
        `Cannot serve metrics and probes at ${host}:${port}: expected a free address of this machine, found ${code}. ` +
        "Choose another --metrics-address, or stop what listens there.";
      reject(new KubescribeError("metrics-listen", message, { retry: "never", cause }));
    };
    server.once("error", refuse);
    server.listen(port, host, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function answer(request: IncomingMessage, response: ServerResponse, options: ProbeServerOptions): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    reply(response, { status: 405, type: textType, body: "expected GET\n" });
    return;
  }
  const path = (request.url ?? "").split("?", 1)[0];
  switch (path) {
    case "/metrics":
      reply(response, { status: 200, type: expositionContentType, body: await options.exposition() });
      return;
    case "/livez":
      reply(response, conditionsReply(options.live()));
      return;
    case "/readyz":
      reply(response, conditionsReply(options.ready()));
      return;
    default:
      reply(response, { status: 404, type: textType, body: "expected /metrics, /livez or /readyz\n" });
  }
}

/** In the manner of the API server's own probes: a line for each condition. */
function conditionsReply(conditions: readonly Condition[]): Reply {
  const failed = conditions.filter(({ ok, decides = true }) => !ok && decides);
  const lines = conditions.map(({ name, ok, reason }) => `[${ok ? "+" : "-"}] ${name}${ok ? "" : `: ${reason}`}\n`);
  const verdict = failed.length === 0 ? "ok\n" : `failed: ${failed.length} of ${conditions.length}\n`;
  return { status: failed.length === 0 ? 200 : 503, type: textType, body: lines.join("") + verdict };
}

function reply(response: ServerResponse, { status, type, body }: Reply): void {
  if (response.headersSent) return;
  const bytes = Buffer.from(body, "utf8");
  response.writeHead(status, {
    "content-type": type,
    "content-length": bytes.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}
