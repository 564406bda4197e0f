/** The connections of one conversation: an agent for each way to a server, of which a redirect may need two. */

import * as http from "node:http";
import * as https from "node:https";

import { guardedLookup, refusal, type RefusesHost } from "./guarded-lookup.ts";

export interface HttpWays {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly refusesHost: RefusesHost | null;
}

export class HttpAgents implements Disposable {
  readonly #plain: http.Agent;
  readonly #loopback: http.Agent;
  readonly #secure: https.Agent;
  readonly #refusesHost: RefusesHost | null;

  constructor(caPem: string | null, { environment, refusesHost }: HttpWays) {
    // Whoever runs the proxy says where it leads to.
    const proxyEnv = proxiesIn(environment);
    this.#refusesHost = refusesHost;
    const common = { keepAlive: true, ...(refusesHost === null ? {} : { lookup: guardedLookup(refusesHost) }) };
    this.#plain = new http.Agent({ ...common, proxyEnv });
    // What is said to this machine in the clear must not pass through another.
    this.#loopback = new http.Agent(common);
    this.#secure = new https.Agent({ ...common, proxyEnv, ...(caPem === null ? {} : { ca: caPem }) });
  }

  /** Throws where the host is refused: an address is never looked up, and a redirect may lead to one. */
  of(url: URL): http.Agent {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (this.#refusesHost?.(host) === true) throw refusal(host);
    if (url.protocol === "https:") return this.#secure;
    return isLoopback(url) ? this.#loopback : this.#plain;
  }

  [Symbol.dispose](): void {
    for (const agent of [this.#plain, this.#loopback, this.#secure]) agent.destroy();
  }
}

/** Node reads the others (NODE_USE_ENV_PROXY) from nowhere else. */
function proxiesIn(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const proxies: Record<string, string> = {};
  for (const name of ["http_proxy", "https_proxy", "no_proxy"]) {
    for (const key of [name, name.toUpperCase()]) {
      const value = environment[key];
      if (value !== undefined && value !== "") proxies[key] = value;
    }
  }
  return proxies;
}

export function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
