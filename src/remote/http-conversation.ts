/**
 * One conversation of gitprotocol-http, the smart kind, in protocol version 0. Owns its connections and its watchdog.
 *
 * 1. A redirect is followed while refs are asked for, as git does it; the request goes to where that led.
 * 2. Another host, or another port, gets no credentials; plain HTTP is not followed from TLS.
 */

import { advertisementLimitBytes } from "./advertisement.ts";
import type { Conversation, RequestBody, Service } from "./conversation.ts";
import type { HttpAgents } from "./http-agents.ts";
import { exchange, type HttpAnswer } from "./http-exchange.ts";
import { beginningOf, isExpected, refusalOf } from "./http-refusal.ts";
import { PacketReader } from "./pkt-line.ts";
import { agent as agentName } from "./receive-pack.ts";
import { remoteError } from "./remote-error.ts";
import type { Watchdog } from "./watchdog.ts";

const redirectLimit = 5;
/** Until the pack or the report begins; those say how much they need. */
const answerLimitBytes = 1 << 20;

export interface HttpConversationOptions {
  readonly shown: string;
  readonly service: Service;
  readonly base: URL;
  readonly authorization: string | null;
  readonly secrets: readonly string[];
  readonly agents: HttpAgents;
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal;
}

export class HttpConversation implements Conversation {
  readonly #options: HttpConversationOptions;
  readonly #signal: AbortSignal;
  /** Where redirects led. */
  #base: URL;
  #authorization: string | null;
  #advertisement: PacketReader | null = null;

  constructor(options: HttpConversationOptions) {
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
      await this.#expect(answer, `application/x-${service}-advertisement`);
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
    await this.#expect(answer, `application/x-${service}-result`);
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

  async #expect(answer: HttpAnswer, contentType: string): Promise<void> {
    if (isExpected(answer, contentType)) return;
    const { shown, service, secrets, authorization } = this.#options;
    const credentials = authorization === null ? "none" : this.#authorization === null ? "kept back" : "sent";
    throw await refusalOf(answer, { shown, service, secrets, credentials });
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
}
