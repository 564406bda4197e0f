import { describe, expect, test } from "vitest";

import type { Generation } from "../../machines/webhook-credentials.ts";
import { advanced, shownOf } from "../../machines/webhook-credentials.ts";
import { type ReviewedType, type Webhook, webhooksFor } from "../../src/webhook/configuration.ts";
import { judgeConfiguration, mendedWebhooks, type Wanted } from "../../src/webhook/configuration-judge.ts";
import type { JsonObject } from "../../src/webhook/json-value.ts";

const types: readonly ReviewedType[] = [
  { group: "apps", version: "v1", resource: "statefulsets" },
  { group: "", version: "v1", resource: "configmaps" },
  { group: "apps", version: "v1", resource: "deployments" },
  { group: "kubescribe.dev", version: "v1alpha1", resource: "watchrules" },
];

function generation(name: string): Generation {
  const caPem = `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;
  return { caPem, certPem: "", keyPem: "", path: `/correlate/${name}`, notAfterMs: 0 };
}
const wide = { phase: "widened", current: generation("A"), next: generation("B") } as const;
const steady = shownOf({ phase: "steady", current: generation("A") });

function wantedFor(shown = steady, certificates: Wanted["certificates"] = "self"): Wanted {
  const target = { service: "kubescribe" };
  return { webhooks: webhooksFor({ namespace: "home", target, types, shown, certificates }), shown, certificates };
}
const wanted = wantedFor();
const found: JsonObject = { webhooks: wanted.webhooks };

type Entry = Record<string, unknown>;

/** The entry of what is watched, changed. */
function changed(change: (entry: Entry) => Entry): JsonObject {
  return { webhooks: wanted.webhooks.map((each, index) => (index === 0 ? change({ ...each }) : each)) };
}
function rules(change: (rule: Webhook["rules"][number]) => Entry): JsonObject {
  return changed((entry) => ({ ...entry, rules: (entry["rules"] as Webhook["rules"]).map(change) }));
}
function client(change: Entry): JsonObject {
  return changed((entry) => ({ ...entry, clientConfig: { ...(entry["clientConfig"] as Entry), ...change } }));
}
const ours = { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["home"] };
const others = { key: "control-plane", operator: "DoesNotExist" };

test("what is asked for: each type with its subresources, in its version, rule documents apart", () => {
  expect(wanted.webhooks.map(({ name, rules: each }) => [name, each.map((rule) => rule.resources.join())])).toEqual([
    ["changes.kubescribe.dev", ["configmaps,configmaps/*", "deployments,deployments/*,statefulsets,statefulsets/*"]],
    [
      "configuration.kubescribe.dev",
      ["clusterwatchrules,clusterwatchrules/*,gitrepoconfigs,gitrepoconfigs/*,watchrules,watchrules/*"],
    ],
    ["reach.kubescribe.dev", ["leases,leases/*"]],
  ]);
  expect(wanted.webhooks[1]?.namespaceSelector).toEqual({});
});

describe("what is found", () => {
  const bundle = (...names: readonly string[]): string =>
    Buffer.from(names.map((name) => generation(name).caPem).join("")).toString("base64");
  test.each<[string, JsonObject | null, readonly string[], boolean]>([
    ["as wanted", found, [], false],
    ["nothing", null, ["missing"], true],
    ["no webhooks", { webhooks: [] }, ["missing", "missing"], true],
    ["one without the other", { webhooks: wanted.webhooks.slice(1) }, ["missing"], true],
    ["webhooks in another order", { webhooks: [...wanted.webhooks].reverse() }, [], false],
    ["somebody else's beside ours", { webhooks: [...wanted.webhooks, { name: "theirs.example.com" }] }, [], false],
    ["one of ours from before", { webhooks: [...wanted.webhooks, { name: "old.kubescribe.dev" }] }, [], true],
    ["fields that nobody here knows", changed((entry) => ({ ...entry, novel: 1 })), [], false],

    [
      "another path",
      client({ service: { name: "kubescribe", namespace: "home", port: 443, path: "/x" } }),
      ["misdirected"],
      true,
    ],
    [
      "another service",
      client({ service: { name: "k", namespace: "home", port: 443, path: "/correlate/A" } }),
      ["misdirected"],
      true,
    ],
    ["a url", client({ service: undefined, url: "https://elsewhere/correlate/A" }), ["misdirected"], true],
    ["another authority", client({ caBundle: bundle("C") }), ["misdirected"], true],
    ["no authority", client({ caBundle: undefined }), ["misdirected"], true],
    ["one authority too many", client({ caBundle: bundle("A", "C") }), [], true],

    [
      "a rule less",
      changed((entry) => ({ ...entry, rules: (entry["rules"] as Webhook["rules"]).slice(1) })),
      ["narrowed"],
      true,
    ],
    ["no rules", changed((entry) => ({ ...entry, rules: [] })), ["narrowed"], true],
    ["an operation less", rules((rule) => ({ ...rule, operations: ["CREATE", "UPDATE"] })), ["narrowed"], true],
    [
      "no subresources",
      rules((rule) => ({ ...rule, resources: rule.resources.filter((each) => !each.endsWith("/*")) })),
      ["narrowed"],
      true,
    ],
    ["another version", rules((rule) => ({ ...rule, apiVersions: ["v1beta1"] })), ["narrowed"], true],
    ["namespaced objects alone", rules((rule) => ({ ...rule, scope: "Namespaced" })), ["narrowed"], true],
    ["a star without subresources", rules((rule) => ({ ...rule, resources: ["*"] })), ["narrowed"], true],
    [
      "every type",
      rules((rule) => ({ ...rule, resources: ["*/*"], apiGroups: ["*"], apiVersions: ["*"], operations: ["*"] })),
      [],
      true,
    ],
    [
      "a rule more",
      changed((entry) => ({ ...entry, rules: [...(entry["rules"] as Webhook["rules"]), { resources: ["x"] }] })),
      [],
      true,
    ],
    [
      "rules in another order",
      changed((entry) => ({ ...entry, rules: [...(entry["rules"] as Webhook["rules"])].reverse() })),
      [],
      false,
    ],
    [
      "operations in another order",
      rules((rule) => ({ ...rule, operations: ["DELETE", "UPDATE", "CREATE"] })),
      [],
      false,
    ],

    ["no own namespace left out", changed((entry) => ({ ...entry, namespaceSelector: {} })), [], true],
    [
      "a namespace more left out, by a provider",
      changed((entry) => ({ ...entry, namespaceSelector: { matchExpressions: [ours, others] } })),
      ["narrowed"],
      false,
    ],
    [
      "labels that namespaces must have",
      changed((entry) => ({ ...entry, namespaceSelector: { matchExpressions: [ours], matchLabels: { a: "b" } } })),
      ["narrowed"],
      false,
    ],
    [
      "other namespaces than our own",
      changed((entry) => ({ ...entry, namespaceSelector: { matchExpressions: [others] } })),
      ["narrowed"],
      true,
    ],
    [
      "objects with a label alone",
      changed((entry) => ({ ...entry, objectSelector: { matchLabels: { a: "b" } } })),
      ["narrowed"],
      true,
    ],
    [
      "an empty selector of objects",
      changed((entry) => ({ ...entry, objectSelector: { matchExpressions: [] } })),
      [],
      false,
    ],
    [
      "conditions",
      changed((entry) => ({ ...entry, matchConditions: [{ name: "n", expression: "false" }] })),
      ["narrowed"],
      true,
    ],
    ["exact versions alone", changed((entry) => ({ ...entry, matchPolicy: "Exact" })), ["narrowed"], true],
    [
      "reviews in a version that is not read",
      changed((entry) => ({ ...entry, admissionReviewVersions: ["v1beta1"] })),
      ["narrowed"],
      true,
    ],
    ["another failurePolicy", changed((entry) => ({ ...entry, failurePolicy: "Fail" })), [], true],
    ["another timeout", changed((entry) => ({ ...entry, timeoutSeconds: 30 })), [], true],
  ])("%s", (_name, document, codes, differs) => {
    const judgement = judgeConfiguration(document, wanted);
    expect(judgement.reasons.map(({ code }) => code)).toEqual(codes);
    expect(judgement.differs).toBe(differs);
    if (document === null) return;
    // What is written instead is right, but for what a provider adds; and writing it again would change nothing.
    const mended = { webhooks: mendedWebhooks(document, wanted) };
    expect(judgeConfiguration(mended, wanted).differs).toBe(false);
    expect(judgeConfiguration(mended, wanted).reasons.length).toBe(differs ? 0 : codes.length);
  });
});

describe("during a renewal", () => {
  const phases = {
    steady,
    widened: shownOf(wide),
    moved: shownOf(advanced(wide)),
    after: shownOf({ phase: "steady", current: wide.next }),
  };
  test.each<[keyof typeof phases, keyof typeof phases, readonly string[], boolean]>([
    ["steady", "widened", [], false],
    ["widened", "widened", [], true],
    ["widened", "moved", [], false],
    ["moved", "moved", [], true],
    ["moved", "after", [], true],
    ["after", "after", [], true],
    ["steady", "after", ["misdirected", "misdirected", "misdirected", "misdirected"], false],
  ])("a configuration of %s, while %s is shown", (written, shown, codes, carries) => {
    const judgement = judgeConfiguration({ webhooks: wantedFor(phases[written]).webhooks }, wantedFor(phases[shown]));
    expect(judgement.reasons.map(({ code }) => code)).toEqual(codes);
    expect(judgement.carries).toBe(carries);
    expect(judgement.differs).toBe(written !== shown);
  });
});

test("with certificates of somebody else, whom he has trusted stays trusted", () => {
  const files = wantedFor(steady, "files");
  const document = client({ caBundle: "aW5qZWN0ZWQ=" });
  expect(judgeConfiguration(document, files)).toEqual({ reasons: [], differs: false, carries: true });
  const [mended] = mendedWebhooks(document, files);
  expect(mended?.["clientConfig"]).toMatchObject({ caBundle: "aW5qZWN0ZWQ=" });
});
