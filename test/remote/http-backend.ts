/**
 * `git http-backend`, stock git's own server, behind a small web server of Node that speaks CGI with it. Owns its listener and
 * the processes of the requests that are under way.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import type { SelfMadeCertificate } from "../../src/simulator/certificate.ts";

export interface HttpBackendOptions {
  /** Its repositories. */
  readonly root: string;
  readonly certificate?: SelfMadeCertificate;
  /** No file of the server grows beyond so many KiB: a disk that is full. */
  readonly fileLimitKib?: number;
  /** Answers instead of git where it returns true. */
  readonly intercept?: (request: http.IncomingMessage, response: http.ServerResponse) => boolean;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  /** Tells connections apart. */
  readonly port: number;
}

export class HttpBackend implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly #options: HttpBackendOptions;
  readonly #server: http.Server;
  readonly #children = new Set<ChildProcess>();

  private constructor(options: HttpBackendOptions) {
    this.#options = options;
    const answer = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      const { method = "", url = "", headers, socket } = request;
      this.seen.push({ method, path: url, headers, port: socket.remotePort ?? 0 });
      if (this.#options.intercept?.(request, response) !== true) this.#run(request, response);
    };
    const { certificate } = options;
    this.#server =
      certificate === undefined
        ? http.createServer(answer)
        : https.createServer({ cert: certificate.certificatePem, key: certificate.keyPem }, answer);
  }

  static async start(options: HttpBackendOptions): Promise<HttpBackend> {
    const backend = new HttpBackend(options);
    await new Promise<void>((resolve) => backend.#server.listen(0, "127.0.0.1", resolve));
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(repository: string, host = "127.0.0.1"): string {
    return `${this.#options.certificate === undefined ? "http" : "https"}://${host}:${this.port}/${repository}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    for (const child of this.#children) child.kill("SIGKILL");
  }

  /** RFC 3875, as far as git needs it. */
  #run(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://localhost");
    const program = join(execPath(), "git-http-backend");
    const { fileLimitKib: limit } = this.#options;
    // Without the trap the signal ends git before it can say why.
    const limited = `trap "" XFSZ; ulimit -f ${(limit ?? 0) * 2}; exec "$0"`;
    const child = spawn(limit === undefined ? program : "sh", limit === undefined ? [] : ["-c", limited, program], {
      env: {
        PATH: process.env["PATH"] ?? "",
        GIT_PROJECT_ROOT: this.#options.root,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: decodeURIComponent(url.pathname),
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? "",
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        CONTENT_LENGTH: request.headers["content-length"] ?? "",
        HTTP_GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        REMOTE_USER: "pusher",
        REMOTE_ADDR: "127.0.0.1",
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    request.pipe(child.stdin);
    child.stdin.on("error", () => undefined);
    // Where the length is known and the end comes before it, git-http-backend reads on forever, as fast as it can.
    request.once("close", () => {
      if (!request.complete) child.kill("SIGKILL");
    });
    let head: Buffer | null = Buffer.alloc(0);
    child.stdout.on("data", (chunk: Buffer) => {
      if (head === null) {
        response.write(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      writeHead(response, head.toString("latin1", 0, end));
      response.write(head.subarray(end + 4));
      head = null;
    });
    child.stdout.once("end", () => response.end());
  }
}

function writeHead(response: http.ServerResponse, head: string): void {
  for (const line of head.split("\r\n")) {
    const [, name = "", value = ""] = /^([^:]+): *(.*)$/.exec(line) ?? [];
    if (name.toLowerCase() === "status") response.statusCode = Number(value.slice(0, 3));
    else response.setHeader(name, value);
  }
}

let execPathOnce = "";
function execPath(): string {
  execPathOnce ||= execFileSync("git", ["--exec-path"], { encoding: "utf8" }).trim();
  return execPathOnce;
}

/** Asks for a user and a password before anything else; for `intercept`. */
export function basicAuth(user: string, password: string): NonNullable<HttpBackendOptions["intercept"]> {
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return (request, response) => {
    if (request.headers.authorization === expected) return false;
    response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    return true;
  };
}
