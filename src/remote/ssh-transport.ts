/**
 * Git over SSH: one command on one connection, which tells the refs at once and then takes a request.
 *
 * 1. The host must show a key that known_hosts names for it, before it learns anything of us.
 * 2. Each conversation has a connection of its own, which ends with it.
 */

import type { RefusesHost } from "./guarded-lookup.ts";
import type { Clock } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { advertisementLimitBytes, reasonOfWords } from "./advertisement.ts";
import type { Conversation, RequestBody, Service, Transport } from "./conversation.ts";
import type { Credentials } from "./credentials.ts";
import { PacketReader } from "./pkt-line.ts";
import { pump } from "./pump.ts";
import { remoteError } from "./remote-error.ts";
import type { RemotePlace } from "./remote-url.ts";
import { openSession, type SshSession } from "./ssh-session.ts";
import { SshIdentities } from "./ssh-identity.ts";
import { type Patience, Watchdog } from "./watchdog.ts";
import { WordsBuffer, wordsOf } from "./words.ts";

type SshPlace = Extract<RemotePlace, { readonly kind: "ssh" }>;

export interface SshTransportOptions {
  readonly place: SshPlace;
  readonly credentials: () => Promise<Credentials>;
  readonly clock: Clock;
  readonly patience: Patience;
  /** SSH_AUTH_SOCK: an agent, asked where the Secret has no key. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly refusesHost: RefusesHost | null;
}

export class SshTransport implements Transport {
  readonly #options: SshTransportOptions;
  readonly #identities = new SshIdentities();

  constructor(options: SshTransportOptions) {
    this.#options = options;
  }

  async open(service: Service, signal: AbortSignal): Promise<Conversation> {
    const { place, clock, patience, environment, refusesHost } = this.#options;
    const credentials = await this.#options.credentials();
    const { knownHosts } = credentials;
    if (knownHosts === null) {
      throw new KubescribeError(
        "remote-credentials",
        `${place.shown} is known by no key: put known_hosts into the Secret (ssh-keyscan prints its lines)`,
        { retry: "backoff" },
      );
    }
    const agentSocket = environment["SSH_AUTH_SOCK"] ?? "";
    const method = this.#identities.methodOf(credentials, { ...place, agentSocket });
    const watchdog = new Watchdog(clock, patience);
    try {
      const command = `${service} ${quoted(place.path)}`;
      const both = AbortSignal.any([signal, watchdog.signal]);
      const session = await openSession({ place, refusesHost, method, knownHosts, command, watchdog, signal: both });
      const secrets = [credentials.ssh?.passphrase ?? ""];
      return new SshConversation({ session, watchdog, signal: both, secrets, shown: place.shown });
    } catch (error) {
      watchdog[Symbol.dispose]();
      throw error;
    }
  }
}

interface ConversationOptions {
  readonly session: SshSession;
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal;
  readonly secrets: readonly string[];
  readonly shown: string;
}

class SshConversation implements Conversation {
  readonly advertisement: PacketReader;
  readonly #options: ConversationOptions;
  readonly #words = new WordsBuffer();
  readonly #gone = new AbortController();
  #code: number | null = null;
  #pumpFault: Error | null = null;

  constructor(options: ConversationOptions) {
    this.#options = options;
    const { channel } = options.session;
    channel.stderr.on("data", (chunk: Buffer) => {
      this.#words.add(chunk);
      options.watchdog.touch();
    });
    channel.on("exit", (code: number | null) => {
      this.#code = code;
    });
    channel.once("close", () => {
      this.#gone.abort();
    });
    this.advertisement = new PacketReader(this.#received(), advertisementLimitBytes);
  }

  get secrets(): readonly string[] {
    return this.#options.secrets;
  }

  request(body: RequestBody): Promise<PacketReader> {
    const { session, watchdog } = this.#options;
    void pump(body, session.channel, { stop: this.#gone.signal, watchdog }).catch((error: unknown) => {
      this.#pumpFault = error instanceof Error ? error : new Error("a pack cannot be read", { cause: error });
      session[Symbol.dispose]();
    });
    return Promise.resolve(this.advertisement);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#options.watchdog[Symbol.dispose]();
    this.#options.session[Symbol.dispose]();
    return Promise.resolve();
  }

  /** Ends where the command ended well. */
  async *#received(): AsyncGenerator<Uint8Array, void> {
    const { session, watchdog, signal } = this.#options;
    let reached = false;
    try {
      for await (const chunk of session.channel as AsyncIterable<Buffer>) {
        watchdog.reach();
        reached = true;
        yield chunk;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (this.#pumpFault !== null) throw this.#pumpFault;
      throw this.#broken(reached, error);
    }
    signal.throwIfAborted();
    if (this.#pumpFault !== null) throw this.#pumpFault;
    // Its exit status comes behind its last word.
    if (this.#code === null && !this.#gone.signal.aborted) await closing(this.#gone.signal, signal);
    signal.throwIfAborted();
    if (this.#code !== 0) throw this.#broken(reached, session.fault());
  }

  #broken(reached: boolean, cause: unknown): Error {
    const { shown, secrets } = this.#options;
    const words = wordsOf(this.#words.text, secrets);
    const said = words === "" ? "" : `, and says ${JSON.stringify(words)}`;
    const code = this.#code === null ? "was cut" : `ended with ${this.#code}`;
    const reason = reached || this.#code === null ? "cut" : reasonOfWords(words);
    return remoteError(reason, `Git on ${shown} ${code}${said}`, cause);
  }
}

function closing(gone: AbortSignal, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    for (const each of [gone, signal]) each.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** For the shell on the other side, as git does it. */
function quoted(path: string): string {
  return `'${path.replaceAll(/['!]/g, String.raw`'\$&'`)}'`;
}
