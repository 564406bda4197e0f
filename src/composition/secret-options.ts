/** The keys that targets treat Secrets with, derived from the installation key. */

import { hkdfSync } from "node:crypto";

import type { Clock, FileSystem, Log } from "../../actors/ports.ts";
import type { SecretsConfig } from "../config/documents.ts";
import { decodeWrappedKey, type WrappedKey, wrapKey, wrappedKeyName, wrappedKeyText } from "../keys/age-wrap.ts";
import {
  decodeInstallationKey,
  installationKeyName,
  type InstallationKeyPlace,
  installationKeyText,
  missingInstallationKey,
} from "../keys/installation-key.ts";
import { KeyDirectory } from "../keys/key-directory.ts";
import type { KeyTexts } from "../keys/key-texts.ts";
import { readInstallationKey } from "../keys/read-keys.ts";
import { isSecret, type ObjectKind } from "../sanitize/sanitize.ts";
import type { SecretOptions } from "../sanitize/secrets.ts";
import type { LookedAtKeys } from "./looked-at-keys.ts";

/** What becomes of Secrets in a target of a cluster. */
export type SecretOptionsOf = (target: SecretsTarget, clusterUid: string) => Promise<SecretOptions>;

/** For what begins to record now. Throws what time may mend (`retry`: backoff), and what no patience mends. */
export type OpenSecrets = (signal: AbortSignal) => Promise<SecretOptionsOf>;

/** A CompiledTarget serves. */
export interface SecretsTarget {
  readonly config: { readonly secrets: SecretsConfig };
}

export interface SecretKeysOptions {
  readonly files: FileSystem;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Log;
  readonly place: InstallationKeyPlace;
  /** 32 bytes that nobody can guess. */
  readonly newKey: () => Uint8Array;
  /** Where keys are kept; default: in the data directory. */
  readonly texts?: KeyTexts;
}

/** Makes the keys that are not there yet; the caller holds the lock of the data directory. */
export async function openSecretKeys(options: SecretKeysOptions): Promise<SecretOptionsOf> {
  const { files, clock, place } = options;
  const { texts = new KeyDirectory(files, place.dataDir) } = options;
  const key = place.installationKeyFile === null ? await takeKey(texts, options) : await mountedKey(options);
  const wrappedOf = async (dataKey: Uint8Array, recipients: readonly string[]): Promise<WrappedKey> => {
    const make = async (): Promise<string> =>
      wrappedKeyText(await wrapKey(dataKey, recipients, { nowMs: clock.nowMs() }));
    return whole(decodeWrappedKey(await texts.take(wrappedKeyName(dataKey), make)));
  };
  return ({ config }, clusterUid) => secretOptionsOf(config.secrets, { key, clusterUid, wrappedOf });
}

async function takeKey(texts: KeyTexts, { log, newKey }: SecretKeysOptions): Promise<Uint8Array> {
  let made = "";
  const text = await texts.take(installationKeyName, () => Promise.resolve((made = installationKeyText(newKey()))));
  if (text === made) {
    log.info("An installation key was made: keep a copy, what stands for values of Secrets changes without it.", {
      name: installationKeyName,
    });
  }
  return whole(decodeInstallationKey(text));
}

async function mountedKey({ files, place }: SecretKeysOptions): Promise<Uint8Array> {
  const key = await readInstallationKey(files, place);
  if (key === null) throw missingInstallationKey(place);
  return key;
}

/** Whoever keeps keys gives out none that is damaged. */
function whole<Value>(value: Value | null): Value {
  if (value === null) throw new TypeError("a damaged key was given out");
  return value;
}

export interface LookedAtSecretsOptions {
  readonly keys: LookedAtKeys;
  readonly readClusterUid: () => Promise<string>;
}

/** For a look at what another process commits: no key is asked for where there are no Secrets. Throws as LookedAtKeys does. */
export function lookedAtSecrets({
  keys,
  readClusterUid,
}: LookedAtSecretsOptions): (target: SecretsTarget, type: ObjectKind) => Promise<SecretOptions> {
  const wrappedOf = keys.wrappedKey.bind(keys);
  return async ({ config }, type) => {
    if (config.secrets.policy === "keep" || !isSecret({}, type)) return { policy: "keep" };
    const key = await keys.installationKey();
    return await secretOptionsOf(config.secrets, { key, clusterUid: await readClusterUid(), wrappedOf });
  };
}

interface Keys {
  readonly key: Uint8Array;
  readonly clusterUid: string;
  readonly wrappedOf: (dataKey: Uint8Array, recipients: readonly string[]) => Promise<WrappedKey>;
}

async function secretOptionsOf(secrets: SecretsConfig, keys: Keys): Promise<SecretOptions> {
  const fingerprintKey = derived(keys, "fingerprints").toString("base64");
  switch (secrets.policy) {
    case "omit":
      return { policy: "omit", fingerprintKey };
    case "encrypt": {
      const { recipients } = secrets;
      // Who is no longer a recipient cannot read what comes then: others have another key.
      const dataKey = derived(keys, `data key for ${recipients.join(" ")}`);
      const ivKey = derived(keys, `IVs for ${recipients.join(" ")}`).toString("base64");
      const wrapped = await keys.wrappedOf(dataKey, recipients);
      return { policy: "encrypt", fingerprintKey, sops: { dataKey: dataKey.toString("base64"), ivKey, ...wrapped } };
    }
    case "keep":
      return { policy: "keep" };
    default:
      return secrets satisfies never;
  }
}

/** 32 bytes. One mounted key may serve many clusters: a Secret that all of them have looks different in each. */
function derived({ key, clusterUid }: Keys, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, clusterUid, `kubescribe 1: ${purpose}`, 32));
}
