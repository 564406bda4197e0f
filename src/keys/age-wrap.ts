/**
 * A data key of SOPS documents, encrypted by age to those who may read them. age draws what it needs for that, so the same key is never
 * wrapped as the same bytes again: each is wrapped once and kept.
 */

import { createHash } from "node:crypto";

import { KubescribeError } from "../../machines/error.ts";

export interface WrappedKey {
  /** RFC 3339, in whole seconds. */
  readonly createdAt: string;
  readonly recipients: readonly {
    readonly recipient: string;
    /** Armored, ends with a line feed. */
    readonly enc: string;
  }[];
}

/** Of the file in the data directory, and of the key of the installation's Secret. */
export function wrappedKeyName(key: Uint8Array): string {
  const name = createHash("sha256").update("kubescribe wrapped key\0").update(key).digest("hex").slice(0, 32);
  return `sops-${name}.json`;
}

export function wrappedKeyText(wrapped: WrappedKey): string {
  return `${JSON.stringify(wrapped, null, 1)}\n`;
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

/** Null: it is none. */
export function decodeWrappedKey(text: string): WrappedKey | null {
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
