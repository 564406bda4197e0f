/**
 * The installation key: 32 bytes that nobody else has, outside the repository, which fingerprints and encryption keys of Secrets are
 * derived from. A file of 64 hex digits: one that was mounted (`--installation-key-file`), or one in the data directory.
 */

import { join } from "node:path";
import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { replacePrivateFile } from "./private-file.ts";

export interface InstallationKeyPlace {
  /** Absolute. Null: `installation.key` in the data directory. */
  readonly installationKeyFile: string | null;
  /** Absolute. */
  readonly dataDir: string;
}

/** Null: there is none. Throws `configuration-invalid` for a file that holds something else, or cannot be read. */
export async function readInstallationKey(
  files: Pick<FileSystem, "readFile">,
  place: InstallationKeyPlace,
): Promise<Uint8Array | null> {
  const path = installationKeyPath(place);
  let text: string;
  try {
    text = Buffer.from(await files.readFile(path)).toString("latin1");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "an error";
    if (code === "ENOENT") return null;
    throw invalid(path, `expected a readable file, found ${code}`, error);
  }
  const digits = /^([0-9A-Fa-f]{64})\r?\n?$/.exec(text)?.[1];
  // What stands there instead may be a key as well, of another form: it is not quoted.
  if (digits === undefined) throw invalid(path, `expected 64 hex digits, found ${text.length} other bytes`);
  return Buffer.from(digits, "hex");
}

/** Returns once it is durable. Only one process may do so at a time: the lock of the data directory sees to that. */
export async function writeInstallationKey(
  files: Pick<FileSystem, "open" | "rename" | "syncDirectory">,
  dataDir: string,
  key: Uint8Array,
): Promise<void> {
  const path = installationKeyPath({ installationKeyFile: null, dataDir });
  await replacePrivateFile(files, path, `${Buffer.from(key).toString("hex")}\n`);
}

export function installationKeyPath({ installationKeyFile, dataDir }: InstallationKeyPlace): string {
  return installationKeyFile ?? join(dataDir, "installation.key");
}

/** Where one has to be there. */
export function missingInstallationKey(place: InstallationKeyPlace): KubescribeError {
  return invalid(installationKeyPath(place), "expected the installation key, found no such file");
}

function invalid(path: string, message: string, cause?: unknown): KubescribeError {
  const advice =
    "Name the file that it is in with --installation-key-file, or its data directory with --data-dir; " +
    "where there was none yet, make one: openssl rand -hex 32";
  return new KubescribeError("configuration-invalid", `${path}: ${message}. ${advice}`, { retry: "never", cause });
}
