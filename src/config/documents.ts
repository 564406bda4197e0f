/** Rule documents, read and checked each by itself: what DESIGN section 5 calls GitRepoConfig, WatchRule, ClusterWatchRule. */

import type { Operation } from "../../machines/messages.ts";
import type { LabelExpression } from "../../machines/selection.ts";
import type { Place } from "./problem.ts";

export const apiVersion = "kubescribe.dev/v1alpha1";

export interface GitRepoConfig {
  readonly kind: "GitRepoConfig";
  readonly place: Place;
  readonly name: string;
  readonly namespace: string;
  /** Absolute path of the repository that `spec.url` names, normalised; of a remote, the URL. */
  readonly repository: string;
  /** Null: the repository is on this machine's disk. */
  readonly remote: RemoteConfig | null;
  readonly branch: string;
  /** Without slashes at either end; empty for the root. */
  readonly path: string;
  readonly author: AuthorConfig;
  /** Null: kubescribe's own. */
  readonly committer: PersonConfig | null;
  /** Null: commits are not signed. */
  readonly signing: SigningConfig | null;
  readonly secrets: SecretsConfig;
  /** Whose WatchRules may name it beside those of its own namespace; `*`: everybody's. */
  readonly allowedNamespaces: readonly string[];
}

export interface RemoteConfig {
  readonly url: string;
  /** `namespace/name` of the Secret with its credentials; null: none are needed. */
  readonly secret: string | null;
  /** From one push to the next, at least. */
  readonly pushIntervalSeconds: number;
}

export interface AuthorConfig {
  /** Null: not from a claim. */
  readonly nameClaim: string | null;
  readonly emailClaim: string | null;
  /** Null: the default, a domain that is reserved and never exists. */
  readonly emailDomain: string | null;
}

export interface PersonConfig {
  readonly name: string;
  readonly email: string;
}

/** Absolute paths on the machine that commits. */
export interface SigningConfig {
  readonly sshKeyFile: string;
  /** Null: the key has no passphrase. */
  readonly passphraseFile: string | null;
}

/** `omit`: keys stay, fingerprints stand for values. `encrypt`: SOPS documents. `keep`: values are committed in the clear. */
export type SecretsConfig =
  | { readonly policy: "omit" }
  /** Of age, each once, in order: the same ones give the same files. */
  | { readonly policy: "encrypt"; readonly recipients: readonly string[] }
  | { readonly policy: "keep" };

export interface RuleConfig {
  readonly kind: "WatchRule" | "ClusterWatchRule";
  readonly place: Place;
  readonly name: string;
  /** Of a WatchRule; empty for a ClusterWatchRule. */
  readonly namespace: string;
  readonly repo: { readonly place: Place; readonly name: string; readonly namespace: string };
  /** Null: all. A WatchRule has its own. */
  readonly namespaces: readonly string[] | null;
  readonly rules: readonly ResourceRule[];
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly LabelExpression[];
}

/** `*` stands for all; in `resources` without subresources (K16). */
export interface ResourceRule {
  readonly place: Place;
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly Operation[];
}

/** What is read of a document's metadata. */
export interface Metadata {
  readonly name: string;
  /** Empty where none is given. */
  readonly namespace: string;
}

export type RuleDocument = GitRepoConfig | RuleConfig;

/** `WatchRule default/web`, for messages. */
export function titleOf(document: Pick<RuleDocument, "kind" | "name" | "namespace">): string {
  return `${document.kind} ${document.namespace === "" ? "" : `${document.namespace}/`}${document.name}`;
}
