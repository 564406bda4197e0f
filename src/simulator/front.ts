/**
 * The simulated API server's HTTPS front: owns the listener, its open watches, and the way from a request to the model.
 *
 * 1. A bearer token is a user; without a known one there is 401.
 * 2. Disposing ends every watch, then the listener.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import { createServer } from "node:https";
import type { Clock } from "../../actors/ports.ts";
import type { SelfMadeCertificate } from "./certificate.ts";
import type { ReviewAnswer, SimulatedCluster, Write } from "./cluster.ts";
import { discover } from "./discovery.ts";
import { getObject } from "./get-object.ts";
import { list } from "./listing.ts";
import type { Attempt, User } from "./review.ts";
import type { Route } from "./route.ts";
import { routeOf } from "./route.ts";
import type { ApiAnswer } from "./status.ts";
import { failure, initializing } from "./status.ts";
import { Watch } from "./watching.ts";
import { writeRequestOf } from "./write-request.ts";
import { write } from "./write.ts";

export interface FrontOptions {
  readonly cluster: SimulatedCluster;
  /** Which of the API servers this is; default the first. */
  readonly server?: number;
  readonly certificate: SelfMadeCertificate;
  /** By bearer token. */
  readonly users: ReadonlyMap<string, User>;
  readonly clock: Clock;
  /** Asks the admission webhook; never throws. */
  readonly ask: (attempt: Attempt) => Promise<ReviewAnswer>;
  /** A real API server sends one about every minute. */
  readonly bookmarkMs: number;
}

/** What a real API server takes is 3 MiB. */
const REQUEST_LIMIT_BYTES = 3 << 20;
export class Front implements AsyncDisposable {
  readonly #options: FrontOptions;
  readonly #server: Server;
  readonly #watches = new Set<Watch>();

  private constructor(options: FrontOptions) {
    this.#options = options;
    const { certificatePem, keyPem } = options.certificate;
    this.#server = createServer({ cert: certificatePem, key: keyPem }, (incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch((error: unknown) => {
        if (outgoing.headersSent) outgoing.destroy();
        else send(outgoing, failure("InternalError", String(error)));
      });
    });
  }

  /** Listens on a free port of 127.0.0.1. */
  static async listen(options: FrontOptions): Promise<Front> {
    const front = new Front(options);
    await new Promise<void>((resolve, reject) => {
      front.#server.once("error", reject);
      front.#server.listen(0, "127.0.0.1", resolve);
    });
    return front;
  }

  get url(): string {
    const address = this.#server.address();
    return `https://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** Breaks every open watch, as a network does. */
  cutWatches(): void {
    for (const watch of this.#watches) watch.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watch of this.#watches) watch[Symbol.dispose]();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { cluster } = this.#options;
    const url = new URL(incoming.url ?? "/", "https://localhost");
    const user = this.#userOf(incoming);
    if (user === undefined) return send(outgoing, failure("Unauthorized", "Unauthorized"));
    const probe = ["/livez", "/readyz", "/healthz"].includes(url.pathname);
    if (probe) return send(outgoing, { status: 200, body: "ok" });
    const discovered = discover(cluster.types, url.pathname);
    if (discovered !== null) return send(outgoing, discovered);
    const route = routeOf(cluster, url.pathname);
    if (route === null) return send(outgoing, failure("NotFound", "the server could not find the requested resource"));
    if (cluster.server(this.#options).isInitializing(route.type.key)) return send(outgoing, initializing());
    if (incoming.method !== "GET") return send(outgoing, await this.#write({ incoming, url, user, route }));
    if (route.name !== "") return send(outgoing, getObject(cluster, route));
    const watching = ["true", "1"].includes(url.searchParams.get("watch") ?? "");
    if (watching) return this.#watch(outgoing, route, url.searchParams);
    return send(outgoing, list(cluster, { ...route, ...this.#serverOption(), query: url.searchParams }));
  }

  #serverOption(): { readonly server?: number } {
    const { server } = this.#options;
    return server === undefined ? {} : { server };
  }

  #userOf(incoming: IncomingMessage): User | undefined {
    const token = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? "")?.[1];
    return token === undefined ? undefined : this.#options.users.get(token);
  }

  #watch(outgoing: ServerResponse, route: Route, query: URLSearchParams): void {
    const { cluster, clock, bookmarkMs } = this.#options;
    outgoing.writeHead(200, { "content-type": "application/json" });
    outgoing.flushHeaders();
    const watch = new Watch({
      ...this.#serverOption(),
      cluster,
      clock,
      bookmarkMs,
      query,
      type: route.type,
      namespace: route.namespace,
      sink: {
        backlogBytes: () => outgoing.writableLength,
        write: (frame) => void outgoing.write(frame),
        end: (how) => {
          this.#watches.delete(watch);
          if (how === "done") outgoing.end();
          else outgoing.destroy();
        },
      },
    });
    this.#watches.add(watch);
    outgoing.on("close", () => {
      watch[Symbol.dispose]();
      this.#watches.delete(watch);
    });
    outgoing.on("error", () => undefined);
    watch.start();
  }

  async #write(details: {
    readonly incoming: IncomingMessage;
    readonly url: URL;
    readonly user: User;
    readonly route: Route;
  }): Promise<ApiAnswer> {
    const { cluster, ask } = this.#options;
    const { incoming, url, user, route } = details;
    const text = await readBody(incoming);
    if (text === null) return failure("BadRequest", `the request is larger than ${REQUEST_LIMIT_BYTES} bytes`);
    const request = writeRequestOf({
      user,
      route,
      text,
      method: incoming.method ?? "",
      query: url.searchParams,
      contentType: incoming.headers["content-type"] ?? "",
      userAgent: incoming.headers["user-agent"] ?? "",
    });
    return "verb" in request ? await drive(write(cluster, { ...request, ...this.#serverOption() }), ask) : request;
  }
}

/** Takes a write through its reviews. */
async function drive(run: Write, ask: (attempt: Attempt) => Promise<ReviewAnswer>): Promise<ApiAnswer> {
  let step = run.next();
  while (step.done !== true) step = run.next(await ask(step.value));
  return step.value;
}

async function readBody(incoming: IncomingMessage): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size <= REQUEST_LIMIT_BYTES) chunks.push(chunk);
  }
  return size > REQUEST_LIMIT_BYTES ? null : Buffer.concat(chunks).toString();
}

function send(outgoing: ServerResponse, { status, body }: ApiAnswer): void {
  const bytes = Buffer.from(body);
  outgoing.writeHead(status, { "content-type": "application/json", "content-length": bytes.length });
  outgoing.end(bytes);
}
