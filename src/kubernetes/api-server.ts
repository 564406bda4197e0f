/**
 * The ApiServer port on node:https: raw bytes, one agent that keeps connections alive. It owns the agent, and the credentials as
 * they were read last.
 *
 * 1. Credentials are read again at most `credentialsMaxAgeMs` after they were read last, before the request that needs them
 *    (K32), and at once behind a 401.
 * 2. A changed certificate or CA gets a new agent; streams on the old one go on until they end.
 * 3. Credentials that cannot be read any more are counted, and the last ones serve on: the file may be in the middle of being
 *    replaced. The first reading must succeed.
 */

import * as http from "node:http";
import * as https from "node:https";

import type { ApiServer, Clock, FileSystem, HttpRequest, HttpResponse, Log, Meter } from "../../actors/ports.ts";
import { Credentials } from "./credentials.ts";
import type { Connection } from "./credentials.ts";

const credentialsMaxAgeMs = 30_000;
/** Probes that keep a quiet connection from being forgotten by what lies between. */
const tcpKeepAliveMs = 30_000;
/** Idle connections that are kept for the next request; a watch holds its own. */
const maxIdleSockets = 16;

export interface ApiServerOptions {
  /** Null: the service account of the pod. */
  readonly kubeconfig: string | null;
  readonly clock: Clock;
  readonly files: Pick<FileSystem, "readFile">;
  readonly meter: Meter;
  readonly log: Log;
}

interface Session {
  readonly connection: Connection;
  readonly agent: http.Agent;
  readonly fingerprint: string;
  readonly readAtMs: number;
}

/** Reads the credentials first: throws what `Credentials.read` throws. */
export async function connectApiServer(options: ApiServerOptions): Promise<HttpsApiServer> {
  const server = new HttpsApiServer(options);
  await server.refresh();
  return server;
}

export class HttpsApiServer implements ApiServer, AsyncDisposable {
  readonly #options: ApiServerOptions;
  readonly #credentials: Credentials;
  #session: Session | null = null;
  #refreshing: Promise<Session> | null = null;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#credentials = new Credentials(options.kubeconfig, options.files);
  }

  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const session = await this.#current();
    const response = await send(session, request, signal);
    if (response.status === 401) this.#expire(session);
    return response;
  }

  /** Reads the credentials now. */
  async refresh(): Promise<void> {
    await this.#refresh();
  }

  /** The server that requests go to, for the log. */
  get url(): string {
    return this.#session?.connection.server.origin ?? "";
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#session?.agent.destroy();
    return Promise.resolve();
  }

  async #current(): Promise<Session> {
    const session = this.#session;
    if (session === null) return await this.#refresh();
    if (this.#options.clock.monotonicMs() - session.readAtMs < credentialsMaxAgeMs) return session;
    try {
      return await this.#refresh();
    } catch (error) {
      this.#options.meter.count("credentials_unreadable");
      this.#options.log.warn("The credentials of the API server cannot be read again; the last ones serve on.", {
        reason: error instanceof Error ? error.message : "unknown",
      });
      this.#session = { ...session, readAtMs: this.#options.clock.monotonicMs() };
      return this.#session;
    }
  }

  /** One reading at a time, however many requests wait for it. */
  #refresh(): Promise<Session> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #read(): Promise<Session> {
    const connection = await this.#credentials.read();
    const fingerprint = fingerprintOf(connection);
    const last = this.#session;
    const readAtMs = this.#options.clock.monotonicMs();
    const same = last !== null && last.fingerprint === fingerprint;
    this.#session = { connection, fingerprint, readAtMs, agent: same ? last.agent : agentFor(connection) };
    return this.#session;
  }

  #expire(session: Session): void {
    // A second 401 with the same session must not read the disk once more for each watch.
    if (this.#session !== session) return;
    this.#session = { ...session, readAtMs: session.readAtMs - credentialsMaxAgeMs };
  }
}

function agentFor({ server, tls, proxy }: Connection): http.Agent {
  if (proxy !== null) return proxy;
  const options = { keepAlive: true, keepAliveMsecs: tcpKeepAliveMs, maxFreeSockets: maxIdleSockets };
  if (server.protocol === "http:") return new http.Agent(options);
  return new https.Agent({ ...options, ...tls });
}

function send(session: Session, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const { connection, agent } = session;
  const { server } = connection;
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const { request: begin } = server.protocol === "http:" ? http : https;
  const base = server.pathname === "/" ? "" : server.pathname.replace(/\/$/, "");
  const sent = begin(
    {
      ...connection.tls,
      protocol: server.protocol,
      hostname: server.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: server.port === "" ? (server.protocol === "http:" ? 80 : 443) : Number(server.port),
      path: `${base}${request.path}`,
      method: request.method,
      agent,
      signal,
      headers: {
        "user-agent": "kubescribe",
        ...request.headers,
        ...connection.headers,
        ...(request.body === undefined ? {} : { "content-length": String(request.body.length) }),
      },
    },
    (response) => {
      resolve({ status: response.statusCode ?? 0, headers: plainHeaders(response.headers), body: response });
    },
  );
  sent.once("error", reject);
  sent.end(request.body);
  return promise;
}

function plainHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = typeof value === "string" ? value : value.join(", ");
  }
  return plain;
}

/** What a connection depends on; kept in memory only. */
function fingerprintOf({ server, tls, proxy }: Connection): string {
  return JSON.stringify([server.href, proxy !== null, tls]);
}
