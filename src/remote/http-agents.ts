/** The connections of one conversation: an agent for each way to a server, of which a redirect may need two. */

import * as http from "node:http";
import * as https from "node:https";

export class HttpAgents implements Disposable {
  readonly #plain: http.Agent;
  readonly #loopback: http.Agent;
  readonly #secure: https.Agent;

  constructor(caPem: string | null, environment: Readonly<Record<string, string | undefined>>) {
    const proxyEnv = proxiesIn(environment);
    const common = { keepAlive: true };
    this.#plain = new http.Agent({ ...common, proxyEnv });
    // What is said to this machine in the clear must not pass through another.
    this.#loopback = new http.Agent(common);
    this.#secure = new https.Agent({ ...common, proxyEnv, ...(caPem === null ? {} : { ca: caPem }) });
  }

  of(url: URL): http.Agent {
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
