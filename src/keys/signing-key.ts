/** Reads the SSH key that commits are signed with: a private key in OpenSSH's or PEM's form. */

import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";

/** Absolute paths. */
export interface SigningKeyFiles {
  readonly sshKeyFile: string;
  /** Null: the key has no passphrase. */
  readonly passphraseFile: string | null;
}

export interface SigningKey {
  readonly kind: (typeof kinds)[number];
  /** As SSH encodes it, in base64: the second word of a `.pub` file. */
  readonly publicKey: string;
  /** PEM, without a passphrase. */
  readonly privateKey: string;
}

const kinds = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"] as const;

/** Throws `configuration-invalid`, without a word of what stands in the files. */
export async function readSigningKey(
  files: Pick<FileSystem, "readFile">,
  { sshKeyFile, passphraseFile }: SigningKeyFiles,
): Promise<SigningKey> {
  const text = await textOf(files, sshKeyFile);
  // A file that a person wrote ends in a line feed, which is no part of the passphrase.
  const passphrase = passphraseFile === null ? null : (await textOf(files, passphraseFile)).replace(/\r?\n$/, "");
  // Most do without, and it takes 50 ms to load.
  const { default: ssh2 } = await import("ssh2");
  const parsed = passphrase === null ? ssh2.utils.parseKey(text) : ssh2.utils.parseKey(text, passphrase);
  // Of OpenSSH's form it is a list, of one key, which the types do not say.
  const [key] = [parsed].flat();
  if (key === undefined || key instanceof Error) {
    throw invalid(sshKeyFile, `found something else (${key instanceof Error ? key.message : "no key"})`);
  }
  if (!key.isPrivateKey()) throw invalid(sshKeyFile, "found a public key: name the file beside it, without .pub");
  const kind = kinds.find((known) => known === key.type);
  if (kind === undefined) throw invalid(sshKeyFile, `found one of type ${key.type}`);
  return { kind, publicKey: key.getPublicSSH().toString("base64"), privateKey: key.getPrivatePEM() };
}

async function textOf(files: Pick<FileSystem, "readFile">, path: string): Promise<string> {
  try {
    return Buffer.from(await files.readFile(path)).toString("utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "an error";
    throw new KubescribeError("configuration-invalid", `${path}: expected a readable file, found ${code}`, {
      retry: "never",
      cause: error,
    });
  }
}

function invalid(path: string, found: string): KubescribeError {
  const message = `${path}: expected a private SSH key (ssh-keygen -t ed25519), ${found}`;
  return new KubescribeError("configuration-invalid", message, { retry: "never" });
}
