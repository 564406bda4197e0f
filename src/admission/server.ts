/**
 * The HTTPS server that the API server sends its admission reviews to. It owns the listener and its connections.
 *
 * S1 Whatever a client sends, or stops sending, the server goes on.
 * S2 A listener that fails is reported (`onBlind`), bound again with back-off, and reported again (`onSeeing`).
 * S3 What arrives in one turn of the loop is handled together: one write of the journal is enough for all of it.
 * S4 After `close` nothing is accepted, and what was in flight is answered, for `drainMs` at most (K19).
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

import type { Clock, FileSystem, Log, Meter, Timer } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { CertificatePair } from "./certificates.ts";
import { reachAnswer } from "./reach-answer.ts";
import { BodyBudget } from "./request-body.ts";
import { isHandedOn, ReviewPaths } from "./review-target.ts";
import type { CertificateSource } from "./shown-certificate.ts";
import { ShownCertificate } from "./shown-certificate.ts";

export interface AdmissionServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Reviews are taken at these; everything else is 404. */
  readonly paths: readonly string[];
  readonly certificate: CertificateSource;
  /** `handedOn`: another replica has taken it, and not the API server. */
  readonly handleReview: (body: Uint8Array, handedOn: boolean) => Promise<string>;
  readonly clock: Clock;
  readonly files: Pick<FileSystem, "readFile">;
  readonly meter: Meter;
  readonly log: Log;
  /** Reviews may be missed from now on. */
  readonly onBlind: (reason: string) => void;
  /** Reviews arrive again. */
  readonly onSeeing: () => void;
  /** Of one body (K20). */
  readonly maxBodyBytes?: number;
  /** Of all bodies that are being read at a time. */
  readonly maxTotalBodyBytes?: number;
  readonly maxConnections?: number;
  readonly drainMs?: number;
  /** Node's; a test gives one whose listener it can break. */
  readonly createServer?: typeof createServer;
}

export interface AdmissionServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number };
  /**
   * It will be closed soon: each connection ends behind its next answer. The API server tells a review that was cut off from none at
   * all by nothing, so it must have left before the end.
   */
  retire(): void;
  /** From now on reviews are taken at these alone. */
  takePaths(paths: readonly string[]): void;
  /**
   * New connections get this one; where `toName` is given, those alone that ask for it by that name. Throws a KubescribeError (`tls-pair`)
   * where it cannot be used, and the old one stays.
   */
  showCertificate(pair: CertificatePair, toName?: string): void;
}

/**
 * Resolves when it listens. Throws a KubescribeError: `tls-files`, `tls-pair`, or `admission-listen` when the address cannot be had.
 */
export async function startAdmissionServer(options: AdmissionServerOptions): Promise<AdmissionServer> {
  const server = new ReviewServer(options, await ShownCertificate.open(options.certificate, options));
  try {
    await server.listen();
  } catch (cause) {
    await server[Symbol.asyncDispose]();
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "an error";
    throw new KubescribeError(
      "admission-listen",
      `Cannot take admission reviews at ${options.host}:${options.port}: expected a free address of this machine, found ${code}. ` +
        `Choose another --admission-address, or stop what listens there.`,
      { retry: "never", cause },
    );
  }
  return server;
}

const defaultMaxBodyBytes = 16 * 1024 * 1024;
const defaultMaxTotalBodyBytes = 256 * 1024 * 1024;
const defaultMaxConnections = 1024;
const defaultDrainMs = 5000;
/** The API server keeps idle connections for 90 s (K19); who closes first must be the client. */
const keepAliveMs = 120_000;
/** The API server gives up after 30 s at most: whoever is slower is no API server. */
const requestPatienceMs = 30_000;
const answerHead = ["content-type", "application/json"] as const;
const recoverFirstMs = 500;
const recoverAtMostMs = 30_000;

interface Arrived {
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly handedOn: boolean;
}

class ReviewServer implements AdmissionServer {
  readonly #options: AdmissionServerOptions;
  readonly #certificate: ShownCertificate;
  readonly #paths: ReviewPaths;
  readonly #budget: BodyBudget;
  readonly #server: Server;
  #port: number;
  #arrived: Arrived[] = [];
  /** Answers that have not left for the network yet. */
  readonly #leaving = new Set<ServerResponse>();
  /** Called when there are none any more. */
  #left = ignore;
  #recovery: Timer | null = null;
  #recoverAfterMs = recoverFirstMs;
  #started = false;
  #blind = true;
  #closing = false;
  #retiring = false;

  constructor(options: AdmissionServerOptions, certificate: ShownCertificate) {
    this.#options = options;
    this.#certificate = certificate;
    this.#paths = new ReviewPaths(options.paths);
    this.#port = options.port;
    this.#budget = new BodyBudget({
      maxBodyBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
      maxTotalBytes: options.maxTotalBodyBytes ?? defaultMaxTotalBodyBytes,
    });
    const { cert, key } = certificate.pair;
    const server = (options.createServer ?? createServer)(
      {
        cert,
        key,
        keepAliveTimeout: keepAliveMs,
        headersTimeout: requestPatienceMs,
        requestTimeout: requestPatienceMs,
        handshakeTimeout: requestPatienceMs,
        minVersion: "TLSv1.2",
        SNICallback: (name, done) => done(null, certificate.contextFor(name)),
      },
      (request, response) => {
        this.#serve(request, response);
      },
    );
    server.maxConnections = options.maxConnections ?? defaultMaxConnections;
    // Failed handshakes end up here, too.
    server.on("clientError", (error, socket) => {
      const isHttp = "code" in error && String(error.code).startsWith("HPE_");
      options.meter.count("webhook_rejected", { reason: isHttp ? "http" : "connection" });
      socket.destroy();
    });
    server.on("drop", () => {
      options.meter.count("webhook_rejected", { reason: "connections" });
    });
    server.on("error", (error) => {
      if (this.#started) this.#lose("code" in error ? String(error.code) : error.name);
    });
    server.on("close", () => {
      if (this.#started && !this.#blind) this.#lose("closed");
    });
    this.#server = server;
    certificate.onExchange((pair) => {
      server.setSecureContext({ ...pair, minVersion: "TLSv1.2" });
    });
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: this.#options.host, port: this.#port };
  }

  retire(): void {
    this.#retiring = true;
  }

  takePaths(paths: readonly string[]): void {
    this.#paths.exchange(paths);
  }

  showCertificate(pair: CertificatePair, toName?: string): void {
    if (toName === undefined) this.#certificate.exchange(pair);
    else this.#certificate.showTo(toName, pair);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: this.#options.host, port: this.#port }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    this.#started = true;
    this.#see();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#recovery?.[Symbol.dispose]();
    this.#certificate[Symbol.dispose]();
    if (!this.#blind) this.#options.onBlind("closed");
    this.#blind = true;
    if (!this.#server.listening) return;
    const { clock, drainMs = defaultDrainMs } = this.#options;
    await new Promise<void>((resolve) => {
      const timer = clock.after(drainMs, () => {
        this.#left();
        this.#server.closeAllConnections();
      });
      const close = (): void => {
        this.#left = ignore;
        this.#server.close(() => {
          timer[Symbol.dispose]();
          resolve();
        });
        this.#server.closeIdleConnections();
      };
      // To Node a connection is idle, and is closed, once its answer was handed over, however much of it waits to be sent.
      if (this.#leaving.size === 0) close();
      else this.#left = close;
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    // The client may be gone when the answer is ready: nobody is to be told, and nobody to blame.
    response.on("error", ignore);
    request.on("error", ignore);
    const { url = "", method } = request;
    const target = this.#paths.targetOf({ method, url });
    if (target === null) {
      this.#refuse(response, 404, "path");
      return;
    }
    this.#budget.read(request, (result) => {
      if (result.kind === "complete" && target === "reach") this.#say(response, reachAnswer(result.body));
      else if (result.kind === "complete") this.#take({ response, body: result.body, handedOn: isHandedOn(url) });
      else if (result.kind === "too-large") this.#refuse(response, 413, "too-large");
      else if (result.kind === "overloaded") this.#refuse(response, 503, "overloaded");
      else this.#countRefused("aborted");
    });
  }

  #take(review: Arrived): void {
    this.#arrived.push(review);
    if (this.#arrived.length === 1) this.#options.clock.after(0, () => this.#handle());
  }

  #handle(): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const each of arrived) void this.#answer(each);
  }

  async #answer({ response, body, handedOn }: Arrived): Promise<void> {
    const { meter } = this.#options;
    try {
      this.#say(response, await this.#options.handleReview(body, handedOn));
    } catch (error) {
      if (error instanceof KubescribeError && error.retry === "never") {
        response.writeHead(400, { "content-type": "text/plain" }).end(`${error.message}\n`);
        return;
      }
      meter.count("webhook_faults", { kind: "handler" });
      if (!response.headersSent) response.writeHead(500).end();
    }
  }

  #say(response: ServerResponse, answer: string): void {
    // As one text, so that head and body leave in one piece: half of what an answer costs is the write.
    response.writeHead(200, [
      ...answerHead,
      "content-length",
      String(Buffer.byteLength(answer)),
      // While draining, the API server is sent to another replica.
      ...(this.#closing || this.#retiring ? ["connection", "close"] : []),
    ]);
    // Who has gone already closes nothing any more.
    if (response.destroyed) return;
    this.#leaving.add(response);
    response.once("close", () => {
      this.#leaving.delete(response);
      if (this.#leaving.size === 0) this.#left();
    });
    response.end(answer);
  }

  /** The rest of the body is not read: the connection ends with the answer. */
  #refuse(response: ServerResponse, status: number, reason: string): void {
    this.#countRefused(reason);
    response.writeHead(status, { connection: "close", "content-length": 0 }).end();
  }

  #countRefused(reason: string): void {
    this.#options.meter.count("webhook_requests");
    this.#options.meter.count("webhook_rejected", { reason });
  }

  /** Also for a failed accept, after which the listener goes on: some review may not have come through. */
  #lose(reason: string): void {
    if (this.#closing) return;
    if (!this.#blind) this.#options.onBlind(reason);
    this.#blind = true;
    this.#options.meter.count("webhook_faults", { kind: "listener" });
    this.#options.log.error("The admission listener failed; it is tried again.", {
      reason,
      delayMs: this.#recoverAfterMs,
    });
    this.#recovery?.[Symbol.dispose]();
    this.#recovery = this.#options.clock.after(this.#recoverAfterMs, () => {
      this.#recover();
    });
    this.#recoverAfterMs = Math.min(this.#recoverAfterMs * 2, recoverAtMostMs);
  }

  #recover(): void {
    if (this.#server.listening) this.#see();
    else void this.listen().catch(ignore);
  }

  #see(): void {
    this.#blind = false;
    this.#recoverAfterMs = recoverFirstMs;
    this.#options.onSeeing();
  }
}

function ignore(): void {
  // See the caller.
}
