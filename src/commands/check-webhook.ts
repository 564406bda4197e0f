/** Looks at the webhook configuration: is it filled, does it fail open, is every object reviewed whose type rules name. */

import type { ResourceType } from "../../machines/messages.ts";
import { installation } from "../manifests/names.ts";
import { selectorsFor } from "../webhook/configuration.ts";
import { narrowingFields } from "../webhook/configuration-judge.ts";
import { objectOf } from "../webhook/json-value.ts";
import type { Inquiry, Json } from "./cluster-inquiry.ts";
import type { Finding } from "./finding.ts";
import { applyAgain } from "./finding.ts";

const about = "webhook";

/** `types`: what the rules of the cluster name. */
export async function checkConfiguration(
  { get }: Inquiry,
  { namespace, types }: { readonly namespace: string; readonly types: readonly ResourceType[] },
): Promise<Finding> {
  const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${installation}`;
  const { status, body } = await get(path);
  const missing = `there is no ValidatingWebhookConfiguration ${installation}`;
  if (status === 404) return { state: "lacks", about, detail: missing, advice: applyAgain };
  if (status !== 200) return { state: "note", about, detail: `it cannot be read (status ${status})` };
  const webhooks = body.at("webhooks").items;
  if (webhooks.length === 0) {
    const advice = "The process writes the webhooks once it runs and commits. Until then, changes have no author.";
    return { state: "lacks", about, detail: "no write is reviewed: the configuration is empty", advice };
  }
  const rules = webhooks.flatMap((webhook) => webhook.at("rules").items);
  const faults = [
    ...webhooks.flatMap((webhook) => webhookFaults(webhook, namespace)),
    ...webhooks.flatMap((webhook) => hidings(webhook, namespace)),
    ...types.filter((type) => !rules.some((rule) => covers(rule, type))).map(uncovered),
  ];
  if (faults.length === 0) return { state: "ok", about, detail: "writes are reviewed, and it fails open" };
  const advice = "Somebody else wrote that. The process mends what it may, and does not fight over the rest.";
  return { state: "lacks", about, detail: faults.join("\n"), advice };
}

/** The process asks for 2. */
const longestTimeoutSeconds = 3;

function webhookFaults(webhook: Json, namespace: string): readonly string[] {
  const name = webhook.at("name").text;
  const service = webhook.at("clientConfig", "service");
  const timeoutSeconds = webhook.at("timeoutSeconds").number;
  const faults: string[] = [];
  if (webhook.at("failurePolicy").text !== "Ignore")
    faults.push(`${name} does not fail open: expected failurePolicy Ignore`);
  if (timeoutSeconds > longestTimeoutSeconds) faults.push(`${name} waits for ${timeoutSeconds} s: expected 2`);
  if (service.value !== undefined && service.at("namespace").text !== namespace)
    faults.push(`${name} calls a Service in ${service.at("namespace").text}: expected ${namespace}`);
  if (webhook.at("clientConfig", "caBundle").text === "")
    faults.push(`${name} trusts what the API server's machine trusts, and no more: expected a caBundle`);
  return faults;
}

/** By the same rules as the process judges it. Entries of other names are somebody else's. */
function hidings(webhook: Json, namespace: string): readonly string[] {
  const name = webhook.at("name").text;
  const wanted = selectorsFor(namespace).get(name);
  if (wanted === undefined) return [];
  return narrowingFields(objectOf(webhook.value), wanted).map((sentence) => `${name}: ${sentence}`);
}

/** Each operation, in just the version that is watched, or in all (K22); `TYPE/*` are its subresources (K16, K17). */
function covers(rule: Json, { group, version, resource }: ResourceType): boolean {
  const names = (key: string, ...words: readonly string[]): boolean =>
    rule.at(key).items.some(({ text }) => words.includes(text));
  return (
    names("apiGroups", group, "*") &&
    names("apiVersions", version, "*") &&
    names("resources", resource, "*", "*/*") &&
    names("resources", `${resource}/*`, "*/*") &&
    ["CREATE", "UPDATE", "DELETE"].every((operation) => names("operations", operation, "*")) &&
    ["*", ""].includes(rule.at("scope").text)
  );
}

function uncovered({ key, version }: ResourceType): string {
  return `writes to ${key} (${version}) are not reviewed: they have no author`;
}
