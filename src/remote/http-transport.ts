/**
 * gitprotocol-http, the smart kind, in protocol version 0.
 *
 * 1. Credentials go to the host that the URL names, over TLS or to this machine itself, and nowhere else.
 * 2. Each conversation has connections of its own, which end with it.
 * 3. A redirect is followed while refs are asked for, as git does it; a push or fetch goes to where that led.
 */

import type { Clock } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { advertisementLimitBytes } from "./advertisement.ts";
import type { Conversation, RequestBody, Service, Transport } from "./conversation.ts";
import type { Credentials } from "./credentials.ts";
import { HttpAgents, isLoopback } from "./http-agents.ts";
import { exchange, type HttpAnswer } from "./http-exchange.ts";
import { PacketReader } from "./pkt-line.ts";
import { agent as agentName } from "./receive-pack.ts";
import { remoteError } from "./remote-error.ts";
import type { RemotePlace } from "./remote-url.ts";
import { type Patience, Watchdog } from "./watchdog.ts";
import { wordsOf } from "./words.ts";

export interface HttpTransportOptions {
  readonly place: Extract<RemotePlace, { readonly kind: "http" }>;
  readonly credentials: () => Promise<Credentials>;
  readonly clock: Clock;
  readonly patience: Patience;
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const redirectLimit = 5;
/** Until the pack or the report begins; those say how much they need. */
const answerLimitBytes = 1 << 20;
const pageBytes = 4 << 10;
const defaultUser = "git";

export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
  }

  async open(service: Service, signal: AbortSignal): Promise<Conversation> {
    const { place, clock, patience } = this.#options;
    const credentials = await this.#options.credentials();
    const authorization = authorizationOf(credentials, place.user);
    if (authorization !== null && place.url.protocol === "http:" && !isLoopback(place.url)) throw insecure(place.shown);
    const conversation = new HttpConversation({
      shown: place.shown,
      service,
      base: place.url,
      authorization,
      secrets: secretsOf(credentials, authorization),
      agents: new HttpAgents(credentials.caPem, this.#options.environment),
      watchdog: new Watchdog(clock, patience),
      signal,
    });
    try {
      await conversation.ask();
      return conversation;
    } catch (error) {
      await conversation[Symbol.asyncDispose]();
      throw error;
    }
  }
}

interface ConversationOptions {
  readonly shown: string;
  readonly service: Service;
  readonly base: URL;
  readonly authorization: string | null;
  readonly secrets: readonly string[];
  readonly agents: HttpAgents;
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal;
}

class HttpConversation implements Conversation {
  readonly #options: ConversationOptions;
  readonly #signal: AbortSignal;
  /** Where redirects led. */
  #base: URL;
  #authorization: string | null;
  #advertisement: PacketReader | null = null;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, options.watchdog.signal]);
    this.#base = options.base;
    this.#authorization = options.authorization;
  }

  get advertisement(): PacketReader {
    if (this.#advertisement === null) throw new TypeError("the refs were not asked for");
    return this.#advertisement;
  }

  get secrets(): readonly string[] {
    return this.#options.secrets;
  }

  async ask(): Promise<void> {
    const { service } = this.#options;
    for (let hops = 0; hops <= redirectLimit; hops++) {
      const url = new URL(`${this.#base.href.replace(/\/$/, "")}/info/refs?service=${service}`);
      const answer = await this.#exchange(url, null);
      if (answer.status >= 300 && answer.status < 400 && answer.location !== "") {
        await beginningOf(answer.body);
        this.#follow(url, answer.location);
        continue;
      }
      await this.#refuse(answer, `application/x-${service}-advertisement`);
      const reader = new PacketReader(answer.body, advertisementLimitBytes);
      await this.#skipPreamble(reader);
      this.#advertisement = reader;
      return;
    }
    throw remoteError("malformed", `${this.#options.shown} redirects more than ${redirectLimit} times`);
  }

  async request(body: RequestBody): Promise<PacketReader> {
    const { service } = this.#options;
    await this.advertisement.finish();
    const url = new URL(`${this.#base.href.replace(/\/$/, "")}/${service}`);
    const answer = await this.#exchange(url, body);
    await this.#refuse(answer, `application/x-${service}-result`);
    return new PacketReader(answer.body, answerLimitBytes);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#options.watchdog[Symbol.dispose]();
    this.#options.agents[Symbol.dispose]();
    return Promise.resolve();
  }

  #exchange(url: URL, body: RequestBody | null): Promise<HttpAnswer> {
    const { service, agents, watchdog, shown } = this.#options;
    const headers = {
      "user-agent": agentName,
      ...(this.#authorization === null ? {} : { authorization: this.#authorization }),
      ...(body === null
        ? { accept: "*/*", pragma: "no-cache" }
        : { accept: `application/x-${service}-result`, "content-type": `application/x-${service}-request` }),
    };
    const method = body === null ? "GET" : "POST";
    return exchange({ url, method, headers, body, agent: agents.of(url), watchdog, signal: this.#signal, shown });
  }

  /** As git: the end of the new URL must be the end of the old one, what stands before it is the repository's new place. */
  #follow(from: URL, location: string): void {
    const { shown } = this.#options;
    const to = URL.canParse(location, from) ? new URL(location, from) : null;
    const tail = "/info/refs";
    if (to === null || !to.pathname.endsWith(tail) || !/^https?:$/.test(to.protocol)) {
      throw remoteError("malformed", `${shown} redirects to what is no Git repository, such as a page to log in`);
    }
    if (from.protocol === "https:" && to.protocol === "http:") {
      throw remoteError("untrusted", `${shown} redirects from https to http, which is not followed`);
    }
    if (to.origin !== from.origin) this.#authorization = null;
    to.username = "";
    to.password = "";
    to.search = "";
    to.hash = "";
    to.pathname = to.pathname.slice(0, -tail.length);
    this.#base = to;
  }

  async #skipPreamble(reader: PacketReader): Promise<void> {
    const { service, shown } = this.#options;
    const first = await reader.next();
    const rest = first === null || first === "flush" ? "" : first.toString("utf8").trim();
    if (rest !== `# service=${service}` || (await reader.next()) !== "flush") {
      throw remoteError("malformed", `${shown} should begin with "# service=${service}", and does not`);
    }
  }

  async #refuse(answer: HttpAnswer, contentType: string): Promise<void> {
    const { status } = answer;
    const plain = answer.encoding === "identity";
    if (status === 200 && answer.contentType === contentType && plain) return;
    const page = status === 200 && !plain ? "" : await beginningOf(answer.body);
    const { shown, secrets } = this.#options;
    const found = wordsOf(answer.contentType.startsWith("text/plain") ? page : "", secrets);
    const said = found === "" ? "" : `, and says ${JSON.stringify(found)}`;
    if (status === 200) throw this.#noGit(wordsOf(answer.contentType, secrets), plain);
    if (status === 401 || status === 403) throw this.#unauthorized(status, said);
    if (status === 404 || status === 410) {
      throw remoteError(
        "not-found",
        `${shown} answers ${status}${said}: there is no such repository, or these credentials may not see it`,
      );
    }
    if (status === 413)
      throw remoteError("quota", `${shown} answers 413: the push is larger than the server takes${said}`);
    if (status >= 300 && status < 400) {
      throw remoteError("malformed", `${shown} answers ${status}, a redirect that leads nowhere: name the new URL`);
    }
    throw remoteError("unreachable", `${shown} answers ${status}${said}`);
  }

  #noGit(contentType: string, plain: boolean): Error {
    const { shown, service } = this.#options;
    const found = plain ? `answers with ${JSON.stringify(contentType)}` : "compresses its answer, unasked";
    return remoteError(
      "malformed",
      `${shown} should speak Git's smart HTTP protocol (${service}) and ${found}: a "dumb" server of files cannot be pushed to; ` +
        "look whether the URL names the repository itself",
    );
  }

  #unauthorized(status: number, said: string): Error {
    const { shown, authorization } = this.#options;
    const why =
      authorization === null
        ? "it wants credentials: put username and password, or a token, into the Secret"
        : this.#authorization === null
          ? "it redirected to another host, which gets no credentials: name that host in the URL"
          : status === 401
            ? "the credentials are wrong or have expired"
            : "the credentials do not allow this";
    return remoteError("unauthorized", `${shown} answers ${status}${said}: ${why}`);
  }
}

function authorizationOf({ http: given }: Credentials, user: string): string | null {
  if (given === null) return null;
  if (given.kind === "bearer") return `Bearer ${given.token}`;
  const username = given.username !== "" ? given.username : user !== "" ? user : defaultUser;
  return `Basic ${Buffer.from(`${username}:${given.password}`, "utf8").toString("base64")}`;
}

function secretsOf({ http: given }: Credentials, authorization: string | null): readonly string[] {
  if (given === null || authorization === null) return [];
  return [given.kind === "bearer" ? given.token : given.password, authorization.replace(/^\S+ /, "")];
}

function insecure(shown: string): KubescribeError {
  return new KubescribeError(
    "remote-insecure",
    `${shown} would get the Secret's credentials unencrypted, and does not: use https, or a Secret without username, password and token`,
    { retry: "backoff" },
  );
}

async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(Buffer.from(chunk));
      bytes += chunk.length;
      if (bytes >= pageBytes) break;
    }
  } catch {
    // The status has said enough.
  }
  return Buffer.concat(chunks).toString("utf8", 0, pageBytes);
}
