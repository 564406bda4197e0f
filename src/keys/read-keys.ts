/** Keys that are there as files: read, and never made. */

import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import {
  decodeInstallationKey,
  installationKeyName,
  installationKeyPath,
  type InstallationKeyPlace,
} from "./installation-key.ts";
import { faultOf } from "./key-texts.ts";

type Files = Pick<FileSystem, "readFile">;

/** Null: there is none. Throws `configuration-invalid` for a file that holds something else, or cannot be read. */
export async function readInstallationKey(files: Files, place: InstallationKeyPlace): Promise<Uint8Array | null> {
  const text = await readKeyFile(files, installationKeyPath(place), installationKeyName);
  return text === null ? null : decodeInstallationKey(text);
}

/** The text of a key that is called `name`, wherever it lies. As readInstallationKey. */
export async function readKeyFile(files: Files, path: string, name: string): Promise<string | null> {
  let text: string;
  try {
    text = Buffer.from(await files.readFile(path)).toString("latin1");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "an error";
    if (code === "ENOENT") return null;
    const message = `${path}: expected a readable file, found ${code}`;
    throw new KubescribeError("configuration-invalid", message, { retry: "never", cause });
  }
  const fault = faultOf(name, text);
  if (fault === null) return text;
  const message = `${path}: expected ${fault.expected}, found ${fault.found}. ${fault.advice}`;
  throw new KubescribeError("configuration-invalid", message, { retry: "never" });
}
