/** One SSH connection with one command on it, by the ssh2 package. */

import { connect, type Socket } from "node:net";
import ssh2, { type AnyAuthMethod, type ClientChannel, type ServerHostKeyAlgorithm } from "ssh2";
import { connectionError } from "./connection-error.ts";
import { guardedLookup, refusal, type RefusesHost } from "./guarded-lookup.ts";
import { fingerprintOf, isAmong, type KnownHost, knownHostOf, typeOf } from "./known-hosts.ts";
import { remoteError } from "./remote-error.ts";
import type { RemotePlace } from "./remote-url.ts";
import type { Watchdog } from "./watchdog.ts";

export interface SshSessionOptions {
  readonly place: Extract<RemotePlace, { readonly kind: "ssh" }>;
  readonly refusesHost: RefusesHost | null;
  readonly method: AnyAuthMethod;
  /** The text of a known_hosts file. */
  readonly knownHosts: string;
  readonly command: string;
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal;
}

export interface SshSession extends Disposable {
  readonly channel: ClientChannel;
  /** What the connection broke of, once it has; null: it has not, or was ended in good order. */
  fault(): unknown;
}

/** Throws `remote-untrusted`, `remote-unauthorized`, `remote-unreachable`, or the signal's reason. */
export async function openSession(options: SshSessionOptions): Promise<SshSession> {
  const { place, method, signal, watchdog, command } = options;
  const client = new ssh2.Client();
  const verdict: { error: Error | null } = { error: null };
  const known = knownHostOf(options.knownHosts, place);
  const ended = Promise.withResolvers<never>();
  const state: { fault: unknown } = { fault: null };
  const fail = (error: unknown): void => {
    state.fault ??= error;
    ended.reject(error);
  };
  ended.promise.catch(() => undefined);
  client.on("error", (error) => {
    fail(verdict.error ?? sshError(error, place.shown));
  });
  client.on("close", () => {
    fail(remoteError("unreachable", `${place.shown} closed the connection before anything was said`));
  });
  const abort = (): void => {
    fail(signal.reason);
    client.destroy();
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    const ready = new Promise<void>((resolve) => client.once("ready", resolve));
    client.connect({
      sock: connectionTo(place, options.refusesHost),
      username: place.user,
      authHandler: [method],
      algorithms: { serverHostKey: algorithmsOf(known) },
      hostVerifier: (blob: Buffer) => {
        verdict.error = judge(blob, known, place.shown);
        return verdict.error === null;
      },
      // The watchdog's business.
      readyTimeout: 0,
    });
    await Promise.race([ready, ended.promise]);
    watchdog.touch();
    const channel = await Promise.race([execute(client, command), ended.promise]);
    return {
      channel,
      fault: () => state.fault,
      [Symbol.dispose]() {
        signal.removeEventListener("abort", abort);
        client.destroy();
      },
    };
  } catch (error) {
    signal.removeEventListener("abort", abort);
    client.destroy();
    throw error;
  }
}

/** Its errors come by the client, too, which has it from here on. */
function connectionTo({ host, port }: SshSessionOptions["place"], refusesHost: RefusesHost | null): Socket {
  if (refusesHost === null) return connect({ host, port });
  if (refusesHost(host)) throw refusal(host);
  return connect({ host, port, lookup: guardedLookup(refusesHost) });
}

function execute(client: ssh2.Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(remoteError("unauthorized", "the remote lets us in and runs no command for us", error));
    });
  });
}

/** SHA-1 signatures (`ssh-rsa`) are no proof any more. Those of keys that are known go first, as OpenSSH does it. */
const hostKeyAlgorithms: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

function algorithmsOf({ keys }: KnownHost): ServerHostKeyAlgorithm[] {
  const types = new Set(keys.map(({ type }) => type));
  const isKnown = (algorithm: string): boolean => types.has(algorithm.startsWith("rsa-") ? "ssh-rsa" : algorithm);
  return [...hostKeyAlgorithms.filter(isKnown), ...hostKeyAlgorithms.filter((algorithm) => !isKnown(algorithm))];
}

/** Null: trusted. */
function judge(blob: Buffer, known: KnownHost, shown: string): Error | null {
  const key = `${typeOf(blob).replaceAll(/[^\w@.-]/g, "")} ${fingerprintOf(blob)}`;
  if (isAmong(known.revoked, blob)) {
    return remoteError("untrusted", `${shown} shows the key ${key}, which known_hosts says is revoked`);
  }
  if (isAmong(known.keys, blob)) return null;
  if (known.keys.length > 0) {
    return remoteError(
      "untrusted",
      `${shown} shows the key ${key}, and known_hosts names other keys for it: somebody may be in between. If its key was ` +
        "changed, put the new one into known_hosts of the Secret",
    );
  }
  const authority = known.hasAuthority ? " (it names a @cert-authority, which kubescribe does not support)" : "";
  return remoteError(
    "untrusted",
    `${shown} shows the key ${key}, and known_hosts names none for it${authority}: compare that with what the server's ` +
      "administrator says, and put it into known_hosts of the Secret (ssh-keyscan prints the line)",
  );
}

function sshError(error: Error & { readonly level?: string }, shown: string): Error {
  if (error.level === "client-authentication" || error.level === "agent") {
    return remoteError(
      "unauthorized",
      `${shown} does not let us in with this key: add its public half there, and look whether the user in the URL is right`,
      error,
    );
  }
  return connectionError(error, { shown, underWay: false });
}
