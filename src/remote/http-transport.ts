/**
 * Git over HTTP.
 *
 * 1. Credentials go to the host that the URL names, over TLS or to this machine itself, and nowhere else.
 * 2. Each conversation has connections of its own, which end with it.
 */

import type { RefusesHost } from "./guarded-lookup.ts";
import type { Clock } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Conversation, Service, Transport } from "./conversation.ts";
import type { Credentials } from "./credentials.ts";
import { HttpAgents, isLoopback } from "./http-agents.ts";
import { HttpConversation } from "./http-conversation.ts";
import type { RemotePlace } from "./remote-url.ts";
import { type Patience, Watchdog } from "./watchdog.ts";

export interface HttpTransportOptions {
  readonly place: Extract<RemotePlace, { readonly kind: "http" }>;
  readonly credentials: () => Promise<Credentials>;
  readonly clock: Clock;
  readonly patience: Patience;
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly refusesHost: RefusesHost | null;
}

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
      agents: new HttpAgents(credentials.caPem, this.#options),
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
