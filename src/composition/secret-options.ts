/** The keys that targets treat Secrets with, derived from the installation key. */

import { hkdfSync } from "node:crypto";

import type { FileSystem, Log } from "../../actors/ports.ts";
import type { CompiledTarget } from "../config/compile-rules.ts";
import type { ResourceType } from "../../machines/messages.ts";
import {
  installationKeyPath,
  type InstallationKeyPlace,
  missingInstallationKey,
  readInstallationKey,
  writeInstallationKey,
} from "../config/installation-key.ts";
import { isSecret } from "../sanitize/sanitize.ts";
import type { SecretOptions } from "../sanitize/secrets.ts";

/** What becomes of Secrets in a target of a cluster. */
export type SecretOptionsOf = (target: SecretsTarget, clusterUid: string) => SecretOptions;

/** A CompiledTarget serves. */
export interface SecretsTarget {
  readonly config: Pick<CompiledTarget["config"], "secrets">;
}

export interface SecretKeysOptions {
  readonly files: FileSystem;
  readonly log: Log;
  readonly place: InstallationKeyPlace;
  /** 32 bytes that nobody can guess. */
  readonly newKey: () => Uint8Array;
}

/** Makes the key of a data directory that has none; the caller holds its lock. */
export async function openSecretKeys({ files, log, place, newKey }: SecretKeysOptions): Promise<SecretOptionsOf> {
  const found = await readInstallationKey(files, place);
  if (found !== null) return secretOptionsBy(found);
  if (place.installationKeyFile !== null) throw missingInstallationKey(place);
  const made = newKey();
  await writeInstallationKey(files, place.dataDir, made);
  log.info("An installation key was made: keep a copy, fingerprints of Secrets change without it.", {
    path: installationKeyPath(place),
  });
  return secretOptionsBy(made);
}

export interface LookedAtSecretsOptions {
  readonly files: Pick<FileSystem, "readFile">;
  readonly place: InstallationKeyPlace;
  readonly readClusterUid: () => Promise<string>;
}

/**
 * For a look at what another process commits: no key is made, and none is asked for where there are no Secrets. Throws
 * `configuration-invalid` where there is none.
 */
export function lookedAtSecrets(
  options: LookedAtSecretsOptions,
): (target: SecretsTarget, type: ResourceType) => Promise<SecretOptions> {
  return async (target, type) => {
    if (target.config.secrets === "keep" || !isSecret({}, type)) return { policy: "keep" };
    const key = await readInstallationKey(options.files, options.place);
    if (key === null) throw missingInstallationKey(options.place);
    return secretOptionsBy(key)(target, await options.readClusterUid());
  };
}

export function secretOptionsBy(key: Uint8Array): SecretOptionsOf {
  return ({ config }, clusterUid) => {
    switch (config.secrets) {
      case "omit":
        return { policy: "omit", fingerprintKey: derived(key, clusterUid, "kubescribe fingerprints of Secrets, 1") };
      case "keep":
        return { policy: "keep" };
      default:
        return config.secrets satisfies never;
    }
  };
}

/** One mounted key may serve many clusters: a Secret that all of them have looks different in each. */
function derived(key: Uint8Array, clusterUid: string, purpose: string): string {
  return Buffer.from(hkdfSync("sha256", key, clusterUid, purpose, 32)).toString("base64");
}
