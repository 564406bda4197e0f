/** What the objects of an installation are called. There is one in a cluster: the names of what has no namespace are its own. */

import { keysSecretName } from "./secret-role.ts";
import type { Template } from "./template.ts";
import { value } from "./template.ts";

/** Of everything that needs no other name; also `--installation`. */
export const installation = "kubescribe";
export const webhookSecret = `${installation}-webhook`;
/** Of the installation key, and of data keys that were wrapped. */
export const keysSecret = keysSecretName(installation);
/** With `--certificates cert-manager` or `files`: `tls.crt` and `tls.key`. */
export const certificateSecret = `${installation}-tls`;
export const dataClaim = `${installation}-data`;
export const group = "kubescribe.dev";
export const ruleResources = ["gitrepoconfigs", "watchrules", "clusterwatchrules"] as const;
/** A ClusterRole with it is part of what kubescribe may do. */
export const aggregationLabel = { [`rbac.${group}/aggregate-to-kubescribe`]: "true" };

export const webhookPort = 8443;
export const metricsPort = 8080;

/** They tell its pods from all others, for good: a Deployment's selector cannot change. */
export const selector = { "app.kubernetes.io/name": installation };

export interface NameOptions {
  /** Of the namespace of everything, unless another one is given; null: the object has none. */
  readonly namespace?: Template | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Template;
}

export function metadata(name: Template, options: NameOptions = {}): Template {
  const { namespace = value("namespace"), labels = {}, annotations } = options;
  return {
    name,
    ...(namespace === null ? {} : { namespace }),
    labels: { ...selector, ...labels },
    ...(annotations === undefined ? {} : { annotations }),
  };
}
