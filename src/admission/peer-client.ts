/**
 * Speaks to the admission server of another replica: reviews that are to be counted there, and what replicas tell each other. Whoever
 * knows the path may plant reviews, so it is spoken to only over TLS, and only if it shows a certificate of the installation's CA. Owns the
 * connections, one agent for each CA.
 */

import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";

import type { Clock } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";

export interface PeerPass {
  /** PEM, one or several. */
  readonly ca: string;
  /** The name that its certificate is for. */
  readonly serverName: string;
  readonly path: string;
}

export interface PeerClientOptions {
  readonly clock: Clock;
  /** As it is now; null: it is not known yet. */
  readonly pass: () => PeerPass | null;
}

export interface PeerRequest {
  /** HOST:PORT. */
  readonly address: string;
  readonly body: Uint8Array;
  readonly patienceMs: number;
}

const limitBytes = 256 * 1024 * 1024;
const maxSockets = 64;

export class PeerClient implements Disposable {
  readonly #options: PeerClientOptions;
  #agent: { readonly ca: string; readonly agent: Agent } | null = null;

  constructor(options: PeerClientOptions) {
    this.#options = options;
  }

  /** Throws `peer-failed`: nothing is known of what arrived there. */
  async post({ address, body, patienceMs }: PeerRequest): Promise<Buffer> {
    const pass = this.#options.pass();
    if (pass === null) throw failed("the installation's certificates are not known yet");
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const { host, port } = splitAddress(address);
    const sent = request(
      {
        host,
        port,
        servername: pass.serverName,
        method: "POST",
        // As the API server adds its timeout: what was handed on is not handed on again.
        path: `${pass.path}?handed-on`,
        agent: this.#agentFor(pass.ca),
        headers: { "content-type": "application/json", "content-length": body.length },
      },
      (response) => void collect(response).then(resolve, reject),
    );
    sent.once("error", (error) => reject(failed("code" in error ? String(error.code) : error.name)));
    using _timer = this.#options.clock.after(patienceMs, () => {
      reject(failed(`no answer within ${patienceMs} ms`));
      sent.destroy();
    });
    sent.end(body);
    return await promise;
  }

  [Symbol.dispose](): void {
    this.#agent?.agent.destroy();
  }

  #agentFor(ca: string): Agent {
    if (this.#agent?.ca === ca) return this.#agent.agent;
    this.#agent?.agent.destroy();
    const agent = new Agent({ ca, keepAlive: true, maxSockets });
    this.#agent = { ca, agent };
    return agent;
  }
}

async function collect(response: IncomingMessage): Promise<Buffer> {
  if (response.statusCode !== 200) {
    response.resume();
    throw failed(`status ${response.statusCode ?? 0}`);
  }
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > limitBytes) throw failed(`more than ${limitBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(colon + 1)) };
}

function failed(reason: string): KubescribeError {
  return new KubescribeError("peer-failed", `Another replica could not be spoken to: ${reason}.`, { retry: "backoff" });
}
