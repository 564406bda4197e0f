/**
 * The ValidatingWebhookConfiguration that leads the API server's reviews here. Pure.
 *
 * It can lock nobody out: failurePolicy Ignore, two seconds at the most. Types are named in the version that is watched, since reviews come
 * in the version of the rule (K22, K36), and with all their subresources (`TYPE/*`: K16 to K18).
 */

import type { ResourceType } from "../../machines/messages.ts";
import { reachSuffix, type ShownCredentials } from "../../machines/webhook-credentials.ts";

export type ReviewedType = Pick<ResourceType, "group" | "version" | "resource">;

export interface ConfigurationWants {
  /** Of the installation: reviews of what is in it are left out, but for rule documents. */
  readonly namespace: string;
  /** A Service of that namespace, at port 443 where nothing else is said; or a `url` without a path, for what is none. */
  readonly target: { readonly service: string; readonly port?: number } | { readonly url: string };
  readonly types: readonly ReviewedType[];
  readonly shown: ShownCredentials;
  /** `files`: whoever makes the certificates sees to it that they are trusted. */
  readonly certificates: "self" | "files";
}

export interface WebhookRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
  readonly scope: "*";
}

export interface LabelTerm {
  readonly key: string;
  readonly operator: "NotIn" | "In";
  readonly values: readonly string[];
}

/** One entry of `webhooks`. */
export interface Webhook {
  readonly name: string;
  readonly clientConfig: {
    readonly service?: {
      readonly name: string;
      readonly namespace: string;
      readonly port: number;
      readonly path: string;
    };
    readonly url?: string;
    /** base64 of PEM. */
    readonly caBundle?: string;
  };
  readonly rules: readonly WebhookRule[];
  readonly namespaceSelector: { readonly matchExpressions?: readonly LabelTerm[] };
  readonly objectSelector: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly failurePolicy: "Ignore";
  readonly matchPolicy: "Equivalent";
  readonly sideEffects: "NoneOnDryRun";
  readonly timeoutSeconds: number;
  readonly admissionReviewVersions: readonly string[];
}

/** What an entry asks reviews of, beside its rules. */
export type Selectors = Pick<Webhook, "namespaceSelector" | "objectSelector">;

const changesWebhook = "changes.kubescribe.dev";
const configurationWebhook = "configuration.kubescribe.dev";
export const reachWebhook = "reach.kubescribe.dev";
/** What a probe puts on the Lease, in a dry run. */
export const reachLabel = "kubescribe.dev/reach";
export const reachValue = "asked";
const ownGroup = "kubescribe.dev";
const ownTypes: readonly ReviewedType[] = ["gitrepoconfigs", "watchrules", "clusterwatchrules"].map((resource) => ({
  group: ownGroup,
  version: "v1alpha1",
  resource,
}));
const timeoutSeconds = 2;
const servicePort = 443;
const everyChange = ["CREATE", "UPDATE", "DELETE"];
const leases: ReviewedType = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
/** Every namespace has it, and nobody can take it off. */
const namespaceNameLabel = "kubernetes.io/metadata.name";

/** Of each entry, by its name. The probe is for an update of the own Lease with a label that it never really has (reach-probe.ts). */
export function selectorsFor(namespace: string): ReadonlyMap<string, Selectors> {
  const home = (operator: LabelTerm["operator"]): Webhook["namespaceSelector"] => ({
    matchExpressions: [{ key: namespaceNameLabel, operator, values: [namespace] }],
  });
  return new Map([
    [changesWebhook, { namespaceSelector: home("NotIn"), objectSelector: {} }],
    [configurationWebhook, { namespaceSelector: {}, objectSelector: {} }],
    [reachWebhook, { namespaceSelector: home("In"), objectSelector: { matchLabels: { [reachLabel]: reachValue } } }],
  ]);
}

/** What is watched, without the own namespace; the rule documents, wherever they are; and the probe. */
export function webhooksFor(wants: ConfigurationWants): readonly Webhook[] {
  const watched = wants.types.filter(({ group }) => group !== ownGroup);
  const changes = webhook(wants, changesWebhook, rulesFor(watched));
  const reach = webhook(wants, reachWebhook, rulesFor([leases], ["UPDATE"]), reachSuffix);
  return [...(watched.length === 0 ? [] : [changes]), webhook(wants, configurationWebhook, rulesFor(ownTypes)), reach];
}

function webhook(wants: ConfigurationWants, name: string, rules: readonly WebhookRule[], suffix = ""): Webhook {
  return {
    name,
    clientConfig: clientConfigOf(wants, suffix),
    rules,
    ...(selectorsFor(wants.namespace).get(name) ?? { namespaceSelector: {}, objectSelector: {} }),
    failurePolicy: "Ignore",
    matchPolicy: "Equivalent",
    sideEffects: "NoneOnDryRun",
    timeoutSeconds,
    admissionReviewVersions: ["v1"],
  };
}

function clientConfigOf(
  { target, namespace, shown, certificates }: ConfigurationWants,
  suffix: string,
): Webhook["clientConfig"] {
  const trust = certificates === "self" ? { caBundle: Buffer.from(shown.trusted.join("")).toString("base64") } : {};
  const path = `${shown.path}${suffix}`;
  if ("url" in target) return { url: `${target.url}${path}`, ...trust };
  return { service: { name: target.service, namespace, port: target.port ?? servicePort, path }, ...trust };
}

/** One for each group and version, in order: equal types give an equal configuration. */
function rulesFor(types: readonly ReviewedType[], operations = everyChange): readonly WebhookRule[] {
  const byVersion = new Map<
    string,
    { readonly group: string; readonly version: string; readonly names: Set<string> }
  >();
  for (const { group, version, resource } of types) {
    const key = `${group}/${version}`;
    const found = byVersion.get(key) ?? { group, version, names: new Set() };
    byVersion.set(key, found);
    found.names.add(resource);
  }
  return [...byVersion.keys()].sort().flatMap((key) => {
    const found = byVersion.get(key);
    if (found === undefined) return [];
    const resources = [...found.names].sort().flatMap((resource) => [resource, `${resource}/*`]);
    return [{ apiGroups: [found.group], apiVersions: [found.version], resources, operations, scope: "*" as const }];
  });
}
