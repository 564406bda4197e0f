/**
 * A data key of SOPS documents, encrypted by age to those who may read them. age draws what it needs for that, so the same key is never
 * wrapped as the same bytes again: each is wrapped once and kept in the data directory.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";

import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import { replacePrivateFile } from "./private-file.ts";

export interface WrappedKey {
  /** RFC 3339, in whole seconds. */
  readonly createdAt: string;
  readonly recipients: readonly {
    readonly recipient: string;
    /** Armored, ends with a line feed. */
    readonly enc: string;
  }[];
}

/** By the key itself: what was wrapped of another one must never stand beside this one's documents. Null: there is none. */
export async function readWrappedKey(
  files: Pick<FileSystem, "readFile">,
  dataDir: string,
  key: Uint8Array,
): Promise<WrappedKey | null> {
  const path = wrappedKeyPath(dataDir, key);
  let text: string;
  try {
    text = Buffer.from(await files.readFile(path)).toString("utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "an error";
    if (code === "ENOENT") return null;
    throw new KubescribeError("configuration-invalid", `${path}: expected a readable file, found ${code}`, {
      retry: "never",
      cause: error,
    });
  }
  const found = decode(text);
  if (found !== null) return found;
  const message = `${path}: expected a data key that age encrypted, found something else. Put it back, or remove it: Secrets are then encrypted anew`;
  throw new KubescribeError("configuration-invalid", message, { retry: "never" });
}

/** Returns once it is durable. */
export async function writeWrappedKey(
  files: Pick<FileSystem, "open" | "rename" | "syncDirectory">,
  dataDir: string,
  { key, wrapped }: { readonly key: Uint8Array; readonly wrapped: WrappedKey },
): Promise<void> {
  await replacePrivateFile(files, wrappedKeyPath(dataDir, key), `${JSON.stringify(wrapped, null, 1)}\n`);
}

export function wrappedKeyPath(dataDir: string, key: Uint8Array): string {
  const name = createHash("sha256").update("kubescribe wrapped key\0").update(key).digest("hex").slice(0, 32);
  return join(dataDir, `sops-${name}.json`);
}

export async function wrapKey(
  key: Uint8Array,
  recipients: readonly string[],
  { nowMs }: { readonly nowMs: number },
): Promise<WrappedKey> {
  const { armor, Encrypter } = await import("age-encryption");
  const wrapped = recipients.map(async (recipient) => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    return { recipient, enc: `${armor.encode(await encrypter.encrypt(key)).trimEnd()}\n` };
  });
  const createdAt = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return { createdAt, recipients: await Promise.all(wrapped) };
}

/** Throws `configuration-invalid` for the first that age does not know; a checksum is part of each. */
export async function checkRecipients(recipients: readonly string[]): Promise<void> {
  const { Encrypter } = await import("age-encryption");
  for (const recipient of recipients) {
    try {
      new Encrypter().addRecipient(recipient);
    } catch (cause) {
      const message = `${recipient}: expected a recipient of age (age-keygen -y shows it), found one that is mistyped`;
      throw new KubescribeError("configuration-invalid", message, { retry: "never", cause });
    }
  }
}

const wholeSecond = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const armorStart = "-----BEGIN AGE ENCRYPTED FILE-----\n";

function decode(text: string): WrappedKey | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { createdAt, recipients } = (value ?? {}) as Partial<Record<keyof WrappedKey, unknown>>;
  if (typeof createdAt !== "string" || !wholeSecond.test(createdAt)) return null;
  // To nobody: no one could read what is encrypted with it.
  if (!Array.isArray(recipients) || recipients.length === 0) return null;
  const decoded = recipients.flatMap((item: unknown) => {
    const { recipient, enc } = (item ?? {}) as { readonly recipient?: unknown; readonly enc?: unknown };
    if (typeof recipient !== "string" || typeof enc !== "string" || !enc.startsWith(armorStart)) return [];
    return [{ recipient, enc }];
  });
  return decoded.length === recipients.length ? { createdAt, recipients: decoded } : null;
}
