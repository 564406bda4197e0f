/**
 * The installation key: 32 bytes that nobody else has, outside the repository, which fingerprints and encryption keys of Secrets are
 * derived from. 64 hex digits: in a file that was mounted (`--installation-key-file`), in the data directory, or in the installation's
 * Secret.
 */

import { join } from "node:path";
import { KubescribeError } from "../../machines/error.ts";

export interface InstallationKeyPlace {
  /** Absolute. Null: `installation.key` in the data directory. */
  readonly installationKeyFile: string | null;
  /** Absolute. */
  readonly dataDir: string;
}

/** Of the file in the data directory, and of the key of the Secret. */
export const installationKeyName = "installation.key";

export function installationKeyText(key: Uint8Array): string {
  return `${Buffer.from(key).toString("hex")}\n`;
}

/** Null: it is none. */
export function decodeInstallationKey(text: string): Uint8Array | null {
  const digits = /^([0-9A-Fa-f]{64})\r?\n?$/.exec(text)?.[1];
  return digits === undefined ? null : Buffer.from(digits, "hex");
}

export function installationKeyPath({ installationKeyFile, dataDir }: InstallationKeyPlace): string {
  return installationKeyFile ?? join(dataDir, installationKeyName);
}

/** Where one has to be there. */
export function missingInstallationKey(place: InstallationKeyPlace): KubescribeError {
  const message =
    `${installationKeyPath(place)}: expected the installation key, found no such file. ` +
    "Name the file that it is in with --installation-key-file, or its data directory with --data-dir; " +
    "where there was none yet, make one: openssl rand -hex 32";
  return new KubescribeError("configuration-invalid", message, { retry: "never" });
}
