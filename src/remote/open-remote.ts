/** From a URL to a remote. */

import type { Clock, FileSystem } from "../../actors/ports.ts";
import { readAdvertisement } from "./advertisement.ts";
import type { Transport } from "./conversation.ts";
import { type Credentials, noCredentials, readCredentials } from "./credentials.ts";
import { fetchFrom } from "./fetch.ts";
import { HttpTransport } from "./http-transport.ts";
import type { RefusesHost } from "./guarded-lookup.ts";
import { type IndexPack, indexOfPack } from "./index-pack.ts";
import { Pusher } from "./push.ts";
import type { Patience } from "./watchdog.ts";
import { parseRemoteUrl, type RemotePlace } from "./remote-url.ts";
import { SshTransport } from "./ssh-transport.ts";
import type { RefNames, Remote, RemoteRefs } from "./remote.ts";

export interface RemoteOptions {
  /** https, http (without credentials, or to this machine) or ssh. */
  readonly url: string;
  /** A directory of files, as a Secret is mounted; null: none. Read anew for each connection. */
  readonly credentialsDirectory: string | null;
  readonly fs: FileSystem;
  readonly clock: Clock;
  /** HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSH_AUTH_SOCK. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: 30 s for a connection; 2 minutes of silence, by which a hook that says nothing must be done. */
  readonly patience?: Partial<Patience>;
  /** Hosts that are not spoken to, by name or by address; null: whatever the URL says. */
  readonly refusesHost?: RefusesHost | null;
  /** Where the packs that are fetched are indexed; default: in this thread. */
  readonly indexPack?: IndexPack;
}

const defaultPatience: Patience = { connectMs: 30_000, silenceMs: 120_000 };

/** Connects to nothing yet. Throws `remote-url-invalid`. */
export function openRemote(options: RemoteOptions): Remote {
  const place = parseRemoteUrl(options.url);
  const transport = transportOf(place, options);
  const pusher = new Pusher(transport);
  const { fs, indexPack = (request) => indexOfPack(request, fs) } = options;
  return {
    shownUrl: place.shown,
    refs: (names, signal) => readRefs(transport, names, signal),
    push: (push, signal) => pusher.push(push, signal),
    fetch: (fetch, signal) => fetchFrom({ transport, fs, indexPack }, fetch, signal),
  };
}

function transportOf(place: RemotePlace, options: RemoteOptions): Transport {
  const { fs, clock, environment, credentialsDirectory: directory, refusesHost = null } = options;
  const patience = { ...defaultPatience, ...options.patience };
  const credentials = (): Promise<Credentials> =>
    directory === null ? Promise.resolve(noCredentials) : readCredentials(fs, directory);
  const common = { credentials, clock, environment, patience, refusesHost };
  return place.kind === "http" ? new HttpTransport({ place, ...common }) : new SshTransport({ place, ...common });
}

async function readRefs(transport: Transport, names: RefNames, signal: AbortSignal): Promise<RemoteRefs> {
  await using conversation = await transport.open("git-upload-pack", signal);
  const { secrets } = conversation;
  const { refs, count, headRef } = await readAdvertisement(conversation.advertisement, { names, secrets });
  return { refs, count, headRef };
}
