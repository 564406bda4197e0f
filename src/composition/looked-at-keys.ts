/**
 * The keys that another process commits with, for whoever looks at what it commits: read, and never made. In a file that was named; else in the
 * Secret of its installation, which decides there; else in its data directory. Owns what it has read of the Secret.
 */

import { join } from "node:path";

import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { Inquiry } from "../commands/cluster-inquiry.ts";
import { decodeWrappedKey, type WrappedKey, wrappedKeyName } from "../keys/age-wrap.ts";
import {
  decodeInstallationKey,
  installationKeyName,
  type InstallationKeyPlace,
  missingInstallationKey,
} from "../keys/installation-key.ts";
import { faultOf } from "../keys/key-texts.ts";
import { readKeyFile } from "../keys/read-keys.ts";
import { keysSecret } from "../manifests/names.ts";

export interface LookedAtKeysOptions {
  readonly files: Pick<FileSystem, "readFile">;
  readonly place: InstallationKeyPlace;
  /** Null: what commits is no installation. */
  readonly installation: { readonly namespace: string; readonly get: Inquiry["get"] } | null;
}

export class LookedAtKeys {
  readonly #options: LookedAtKeysOptions;
  #secret: Promise<Found> | null = null;

  constructor(options: LookedAtKeysOptions) {
    this.#options = options;
  }

  /** Throws `configuration-invalid` where there is none, or one that is damaged. */
  async installationKey(): Promise<Uint8Array> {
    const { files, place } = this.#options;
    const named = place.installationKeyFile;
    const text =
      named === null ? await this.#read(installationKeyName) : await readKeyFile(files, named, installationKeyName);
    const key = text === null ? null : decodeInstallationKey(text);
    if (key !== null) return key;
    if (named !== null || this.#options.installation === null) throw missingInstallationKey(place);
    throw await this.#missing("the installation key", installationKeyName);
  }

  /** By the key itself: what was wrapped of another one must never stand beside this one's documents. Throws as installationKey does. */
  async wrappedKey(dataKey: Uint8Array): Promise<WrappedKey> {
    const name = wrappedKeyName(dataKey);
    const text = await this.#read(name);
    const key = text === null ? null : decodeWrappedKey(text);
    if (key !== null) return key;
    const hint = ' Has "kubescribe run" been here since the recipients changed?';
    throw await this.#missing("the data key that Secrets are encrypted with", name, hint);
  }

  async #read(name: string): Promise<string | null> {
    const { files, place } = this.#options;
    const text = (await this.#inSecret()).texts.get(name);
    if (text === undefined) return await readKeyFile(files, join(place.dataDir, name), name);
    const fault = faultOf(name, text);
    if (fault === null) return text;
    throw invalid(`${this.#title}: ${name}: expected ${fault.expected}, found ${fault.found}. ${fault.advice}`);
  }

  #inSecret(): Promise<Found> {
    const { installation } = this.#options;
    if (installation === null) return Promise.resolve({ texts: new Map(), why: "" });
    return (this.#secret ??= readSecret(installation));
  }

  async #missing(what: string, name: string, hint = ""): Promise<KubescribeError> {
    const { place, installation } = this.#options;
    const { why } = await this.#inSecret();
    const inSecret = installation === null ? "" : `${this.#title} (${why}) or `;
    const namespaced = installation === null ? "Name" : "Name the installation's namespace with --namespace, or";
    return invalid(
      `${inSecret}${join(place.dataDir, name)}: expected ${what}, found no such file. ` +
        `${namespaced} the data directory of the process that commits with --data-dir.${hint}`,
    );
  }

  get #title(): string {
    return `Secret ${this.#options.installation?.namespace ?? ""}/${keysSecret}`;
  }
}

interface Found {
  readonly texts: ReadonlyMap<string, string>;
  /** Why what is missing is missing. */
  readonly why: string;
}

async function readSecret({ get, namespace }: NonNullable<LookedAtKeysOptions["installation"]>): Promise<Found> {
  const { status, body } = await get(`/api/v1/namespaces/${namespace}/secrets/${keysSecret}`);
  if (status !== 200)
    return { texts: new Map(), why: status === 404 ? "there is none" : `not readable: status ${status}` };
  const data = Object.entries(body.at("data").value ?? {});
  const texts = data.map(([name, text]) => [name, Buffer.from(String(text), "base64").toString("utf8")] as const);
  return { texts: new Map(texts.filter(([, text]) => text !== "")), why: "not in it" };
}

function invalid(message: string): KubescribeError {
  return new KubescribeError("configuration-invalid", message, { retry: "never" });
}
