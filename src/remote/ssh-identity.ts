/** Who we are over SSH: a key of the Secret, or whoever the agent vouches for. */

import ssh2, { type AnyAuthMethod, type ParsedKey } from "ssh2";
import { KubescribeError } from "../../machines/error.ts";
import type { Credentials, SshIdentity } from "./credentials.ts";
import { wordsOf } from "./words.ts";

/** Keeps the key that was opened last: a passphrase costs half a second of computing, on purpose. */
export class SshIdentities {
  #opened: (SshIdentity & { readonly key: ParsedKey }) | null = null;

  /** Throws `remote-credentials`. */
  methodOf(
    { ssh: identity }: Credentials,
    place: { readonly user: string; readonly shown: string; readonly agentSocket: string },
  ): AnyAuthMethod {
    const { user: username, shown, agentSocket } = place;
    if (identity !== null) return { type: "publickey", username, key: this.#open(identity) };
    if (agentSocket !== "") return { type: "agent", username, agent: agentSocket };
    throw lacking(
      `${shown} wants a key: put ssh-privatekey (or identity) into the Secret, or run an agent (SSH_AUTH_SOCK)`,
    );
  }

  #open(identity: SshIdentity): ParsedKey {
    const { privateKey, passphrase } = identity;
    const last = this.#opened;
    if (last?.privateKey === privateKey && last.passphrase === passphrase) return last.key;
    const key = ssh2.utils.parseKey(privateKey, passphrase === "" ? undefined : passphrase);
    if (!(key instanceof Error) && key.isPrivateKey()) {
      this.#opened = { privateKey, passphrase, key };
      return key;
    }
    // What it says tells of the format or the passphrase, and shows neither.
    const found = key instanceof Error ? wordsOf(key.message, [passphrase]) : "it is a public key";
    throw lacking(
      `the private key of the Secret cannot be used: ${found}. Expected OpenSSH's format, with its passphrase beside it in passphrase ` +
        "where it has one (ssh-keygen -p -f FILE rewrites it)",
      key instanceof Error ? key : undefined,
    );
  }
}

function lacking(message: string, cause?: unknown): KubescribeError {
  return new KubescribeError("remote-credentials", message, {
    retry: "backoff",
    ...(cause === undefined ? {} : { cause }),
  });
}
