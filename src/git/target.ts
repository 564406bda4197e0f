/** What one target branch is, as plain data: it goes to worker threads as JSON. What it selects may change and is no part of it. */

import { KubescribeError } from "../../machines/error.ts";
import { typeKeyOf, type TypeKey } from "../../machines/messages.ts";

export interface TargetOptions {
  readonly id: string;
  /** uid of the kube-system namespace: several clusters may share a repository. */
  readonly clusterUid: string;
  /** Absolute path of a repository: bare, or a work tree whose files are left alone. Made, bare, where there is none. */
  readonly repository: string;
  /** Nobody else writes there: it stands before a remote. Default false. */
  readonly isMirror?: boolean;
  /** `main`, without `refs/heads/`. */
  readonly branch: string;
  /** Below which our files stand; empty for the root. */
  readonly path: string;
  readonly author: AuthorMapping;
  readonly committer: Person;
  /** Who authors what nobody is named for. */
  readonly sentinel: Person;
  readonly secrets: SecretOptions;
  /** How files are written: where another was used, they are written anew. */
  readonly format: TargetFormat;
  /** Null: commits are not signed. */
  readonly signing: SigningKey | null;
  /** `flush`: pack, index, directories and refs are synced at each flush. `none`: when the operating system likes. */
  readonly durability: "flush" | "none";
}

export interface TargetFormat {
  readonly files: string;
  /** Of Secrets: it depends on the keys as well. */
  readonly secrets: string;
}

export function formatOf({ format }: Pick<TargetOptions, "format">, typeKey: TypeKey): string {
  return typeKey === typeKeyOf("", "secrets") ? format.secrets : format.files;
}

export interface Person {
  readonly name: string;
  readonly email: string;
}

export interface AuthorMapping {
  /** Key of the userInfo claim that names the author; null: the user. */
  readonly nameClaim: string | null;
  readonly emailClaim: string | null;
  /** Domain of the addresses of users who have none. */
  readonly domain: string;
}

/** As src/sanitize takes it; nothing of it is read here. Keys are in base64. */
export type SecretOptions =
  | { readonly policy: "omit"; readonly fingerprintKey: string }
  | { readonly policy: "encrypt"; readonly fingerprintKey: string; readonly sops: SopsKeys }
  | { readonly policy: "keep" };

export interface SopsKeys {
  readonly dataKey: string;
  readonly ivKey: string;
  readonly createdAt: string;
  readonly recipients: readonly { readonly recipient: string; readonly enc: string }[];
}

export interface SigningKey {
  readonly kind: "ssh-ed25519" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" | "ssh-rsa";
  /** As SSH encodes it, in base64. */
  readonly publicKey: string;
  /** PEM. */
  readonly privateKey: string;
}

export const defaultAuthorMapping: AuthorMapping = {
  nameClaim: null,
  emailClaim: null,
  domain: "users.kubescribe.invalid",
};
export const defaultCommitter: Person = { name: "kubescribe", email: "kubescribe@kubescribe.invalid" };
export const defaultSentinel: Person = { name: "unresolved", email: "unresolved@kubescribe.invalid" };

/** A volume that is not mounted must not begin a second history. */
export function repositoryGone(target: TargetOptions): KubescribeError {
  const message =
    `the repository of target ${target.id} should be at ${target.repository}, where it was, and is gone: mount it or put it back. ` +
    "Nothing is lost, and it is tried again; to begin a new history there, restart";
  return new KubescribeError("git-repository-gone", message, { retry: "backoff" });
}
