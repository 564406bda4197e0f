/**
 * What a configuration that was found means for reviews, held against the one that is wanted. Pure. Who found it believes nothing: people
 * edit it, and providers' admission plugins rewrite it.
 *
 * J1 `reasons` says what keeps reviews away. More labels, another timeout or a wider rule do not.
 * J2 `differs` says what is to be written again: everything of ours that is not as wanted, but for what a provider adds to
 *    namespaceSelector. It would be added again each time; it is reported, and left.
 */

import type { ShownCredentials } from "../../machines/webhook-credentials.ts";
import { reachWebhook, type Selectors, type Webhook, type WebhookRule } from "./configuration.ts";
import { certificatesIn } from "./credential-texts.ts";
import { type JsonObject, listOf, objectOf, sameJson, textOf, textsOf } from "./json-value.ts";

export interface UncoveredReason {
  /**
   * `missing`: the configuration, or a part of it. `misdirected`: reviews go elsewhere, or this process is not trusted. `narrowed`: not
   * everything that is watched is reviewed. `changed`: it was not as it should be for a time, between two looks. `unobserved`: it
   * cannot be read. `pending`: it is not known yet. `unreachable`: it is as it should be, and reviews do not arrive.
   */
  readonly code: "missing" | "misdirected" | "narrowed" | "changed" | "unobserved" | "pending" | "unreachable";
  readonly message: string;
}

export interface Judgement {
  readonly reasons: readonly UncoveredReason[];
  readonly differs: boolean;
  /** It says what the credentials that are shown want: their path, and all authorities that they trust. */
  readonly carries: boolean;
}

export interface Wanted {
  readonly webhooks: readonly Webhook[];
  readonly shown: ShownCredentials;
  readonly certificates: "self" | "files";
}

/** `found` null: there is none. */
export function judgeConfiguration(found: JsonObject | null, wanted: Wanted): Judgement {
  if (found === null) {
    const message = "The ValidatingWebhookConfiguration is missing: no change is reviewed.";
    return { reasons: [{ code: "missing", message }], differs: true, carries: false };
  }
  const entries = listOf(found["webhooks"]).map(objectOf);
  const judged = wanted.webhooks.map((webhook) => {
    const entry = entries.find((each) => each["name"] === webhook.name);
    return entry === undefined ? absent(webhook) : judgeEntry(entry, webhook, wanted);
  });
  return {
    // The probe's entry is none that a change would be reviewed by.
    reasons: judged.flatMap(({ reasons }, index) => (wanted.webhooks[index]?.name === reachWebhook ? [] : reasons)),
    differs: judged.some(({ differs }) => differs) || surplus(entries, wanted).some(isOurs),
    carries: judged.every(({ carries }) => carries),
  };
}

/** What is to be written: ours as wanted, with what a provider added (J2), and entries of other names as they are. */
export function mendedWebhooks(found: JsonObject, wanted: Wanted): readonly JsonObject[] {
  const entries = listOf(found["webhooks"]).map(objectOf);
  const ours = wanted.webhooks.map((webhook): JsonObject => {
    const entry = entries.find((each) => each["name"] === webhook.name);
    const selector = objectOf(entry?.["namespaceSelector"]);
    const caBundle = textOf(objectOf(entry?.["clientConfig"])["caBundle"]);
    const { clientConfig } = webhook;
    return {
      ...webhook,
      ...(isAddedTo(selector, webhook) ? { namespaceSelector: selector } : {}),
      clientConfig:
        wanted.certificates === "files" && caBundle !== "" ? { ...clientConfig, caBundle } : { ...clientConfig },
    };
  });
  return [...ours, ...surplus(entries, wanted).filter((entry) => !isOurs(entry))];
}

/** Entries that are not wanted. */
function surplus(entries: readonly JsonObject[], { webhooks }: Wanted): readonly JsonObject[] {
  return entries.filter((entry) => !webhooks.some(({ name }) => name === entry["name"]));
}

function isOurs(entry: JsonObject): boolean {
  return textOf(entry["name"]).endsWith(".kubescribe.dev");
}

function absent({ name }: Webhook): Judgement {
  const message = `The webhook ${name} is missing in the ValidatingWebhookConfiguration.`;
  return { reasons: [{ code: "missing", message }], differs: true, carries: false };
}

function judgeEntry(entry: JsonObject, webhook: Webhook, wanted: Wanted): Judgement {
  const direction = judgeDirection(entry, webhook, wanted);
  const narrowings = [...narrowingRules(entry, webhook), ...narrowingFields(entry, webhook)];
  const reasons = [
    ...direction.faults.map((message) => ({ code: "misdirected", message }) as const),
    ...narrowings.map((message) => ({ code: "narrowed", message }) as const),
  ].map(({ code, message }) => ({ code, message: `${webhook.name}: ${message}` }));
  return { reasons, differs: direction.differs || fieldsDiffer(entry, webhook), carries: direction.carries };
}

interface Direction {
  readonly faults: readonly string[];
  readonly differs: boolean;
  readonly carries: boolean;
}

function judgeDirection(entry: JsonObject, webhook: Webhook, { shown, certificates }: Wanted): Direction {
  const config = objectOf(entry["clientConfig"]);
  const { caBundle: _ours, ...wantedTo } = webhook.clientConfig;
  const { caBundle, ...foundTo } = config;
  const isThere = sameJson(foundTo, wantedTo);
  // During a renewal an older path is still taken.
  const takes = isThere || shown.paths.some((path) => sameJson(foundTo, moved(wantedTo, shown.path, path)));
  const bundle = certificatesIn(Buffer.from(textOf(caBundle), "base64").toString("latin1"));
  const isTrusted = certificates === "files" || bundle.includes(shown.caPem);
  const trustsAll = certificates === "files" || shown.trusted.every((ca) => bundle.includes(ca));
  const trustsMore = certificates === "self" && bundle.length > shown.trusted.length;
  return {
    faults: [
      ...(takes ? [] : ["clientConfig leads elsewhere, or to a path that is not taken."]),
      ...(isTrusted ? [] : ["caBundle does not hold the authority of the certificate that is shown."]),
    ],
    differs: !isThere || !trustsAll || trustsMore,
    carries: isThere && trustsAll,
  };
}

/** The same place, at another path. */
function moved(to: Webhook["clientConfig"], from: string, path: string): Webhook["clientConfig"] {
  const { service, url } = to;
  if (service !== undefined) return { service: { ...service, path: service.path.replace(from, path) } };
  return url === undefined ? {} : { url: url.replace(from, path) };
}

/** Types that are not reviewed, in each operation and with every subresource. */
function narrowingRules(entry: JsonObject, { rules: needed }: Webhook): readonly string[] {
  const rules = listOf(entry["rules"]).map(objectOf);
  const missing = needed.flatMap((rule) =>
    rule.resources.filter((resource) =>
      rule.operations.some((operation) => !rules.some((found) => reviews(found, rule, resource, operation))),
    ),
  );
  if (missing.length === 0) return [];
  const more = missing.length > maxNamed ? ` and ${missing.length - maxNamed} more` : "";
  return [`rules leave out ${missing.slice(0, maxNamed).join(", ")}${more}.`];
}
const maxNamed = 5;

function reviews(found: JsonObject, rule: WebhookRule, resource: string, operation: string): boolean {
  const names = (key: string, wanted: readonly string[]): boolean => {
    const values = textsOf(found[key]);
    return values.includes("*") || wanted.every((value) => values.includes(value));
  };
  const resources = textsOf(found["resources"]);
  const isNamed = resources.includes(resource) || resources.includes("*/*");
  return (
    (isNamed || (resources.includes("*") && !resource.includes("/"))) &&
    names("apiGroups", rule.apiGroups) &&
    names("apiVersions", rule.apiVersions) &&
    names("operations", [operation]) &&
    ["*", ""].includes(textOf(found["scope"]))
  );
}

/** What of an entry, beside its rules, keeps reviews of objects away that `wanted` asks for. Sentences. */
export function narrowingFields(entry: JsonObject, wanted: Selectors): readonly string[] {
  const selector = objectOf(entry["namespaceSelector"]);
  const isWider = Object.keys(selector).length === 0 || sameJson(selector, wanted.namespaceSelector);
  return [
    ...(isWider ? [] : ["namespaceSelector leaves out more namespaces than its own."]),
    ...(sameSelector(entry["objectSelector"], wanted.objectSelector) ? [] : ["objectSelector hides objects."]),
    ...(listOf(entry["matchConditions"]).length === 0 ? [] : ["matchConditions hide requests."]),
    ...(entry["matchPolicy"] === "Exact" ? ["matchPolicy Exact leaves out other versions of a type."] : []),
    ...(textsOf(entry["admissionReviewVersions"]).includes("v1") ? [] : ["admissionReviewVersions lacks v1."]),
  ];
}

function fieldsDiffer(entry: JsonObject, webhook: Webhook): boolean {
  const { failurePolicy, matchPolicy, sideEffects, timeoutSeconds, namespaceSelector, rules } = webhook;
  const isAsWanted = [
    entry["failurePolicy"] === failurePolicy,
    entry["matchPolicy"] === matchPolicy,
    entry["sideEffects"] === sideEffects,
    entry["timeoutSeconds"] === timeoutSeconds,
    textsOf(entry["admissionReviewVersions"]).includes("v1"),
    sameSelector(entry["objectSelector"], webhook.objectSelector),
    listOf(entry["matchConditions"]).length === 0,
    sameJson(entry["namespaceSelector"] ?? {}, namespaceSelector) ||
      isAddedTo(objectOf(entry["namespaceSelector"]), webhook),
    sameJson(entry["rules"], rules),
  ];
  return isAsWanted.includes(false);
}

function isEmptySelector(selector: unknown): boolean {
  return Object.values(objectOf(selector)).every(
    (terms) => Object.keys(objectOf(terms)).length + listOf(terms).length === 0,
  );
}

function sameSelector(found: unknown, wanted: Webhook["objectSelector"]): boolean {
  return isEmptySelector(wanted) ? isEmptySelector(found) : sameJson(found, wanted);
}

/** All of ours is in it, and more. */
function isAddedTo(selector: JsonObject, { namespaceSelector }: Webhook): boolean {
  if (isEmptySelector(selector)) return false;
  const terms = listOf(selector["matchExpressions"]);
  return (namespaceSelector.matchExpressions ?? []).every((term) => terms.some((each) => sameJson(each, term)));
}
