/** The spec of a WatchRule or a ClusterWatchRule. */

import type { Operation } from "../../machines/messages.ts";
import type { LabelExpression } from "../../machines/selection.ts";
import type { Metadata, ResourceRule, RuleConfig } from "./documents.ts";
import type { Field } from "./field.ts";
import { isLabelKey, isLabelValue, isName, isNamespace, nameExpected, namespaceExpected } from "./kubernetes-names.ts";
import { quoted } from "./problem.ts";

const defaultNamespace = "default";
const operations: readonly Operation[] = ["CREATE", "UPDATE", "DELETE"];

export function decodeRule(spec: Field, metadata: Metadata, kind: RuleConfig["kind"]): RuleConfig | null {
  const cluster = kind === "ClusterWatchRule";
  const own = cluster ? "" : metadata.namespace === "" ? defaultNamespace : metadata.namespace;
  if (cluster && metadata.namespace !== "") {
    return spec.problem("a ClusterWatchRule has no metadata.namespace: remove it, or make this a WatchRule");
  }
  const fields = spec.fields({
    known: cluster ? ["repo", "rules", "selector", "namespaces"] : ["repo", "rules", "selector"],
    refused: {
      ...(cluster
        ? {}
        : {
            namespaces: "a WatchRule watches its own namespace only: use a ClusterWatchRule for others",
          }),
      namespaceSelector: "not yet: name the namespaces in `namespaces`",
    },
  });
  const repo = decodeRepo(spec, fields.get("repo"), own);
  const rulesField = fields.get("rules");
  const rules = rulesField?.strings("rules {apiGroups, resources}").map(decodeResourceRule) ?? [];
  if (rulesField === undefined) spec.problem("rules is missing: expected a list of {apiGroups, resources}");
  const namespaces = decodeNamespaces(fields.get("namespaces"));
  const selector = decodeSelector(fields.get("selector"));
  if (repo === null) return null;
  return {
    kind,
    place: spec.place,
    name: metadata.name,
    namespace: own,
    repo,
    namespaces: cluster ? namespaces : [own],
    rules,
    ...selector,
  };
}

function decodeRepo(spec: Field, field: Field | undefined, own: string): RuleConfig["repo"] | null {
  const expected = "{name, namespace} of a GitRepoConfig";
  if (field === undefined) return spec.problem(`repo is missing: expected ${expected}`);
  const fields = field.fields({ known: ["name", "namespace"] });
  const nameField = fields.get("name");
  if (nameField === undefined) return field.problem(`name is missing: expected ${expected}`);
  const name = checked(nameField, nameExpected, isName);
  const namespaceField = fields.get("namespace");
  if (namespaceField === undefined && own === "") {
    return field.problem("namespace is missing: a ClusterWatchRule says in which namespace its GitRepoConfig is");
  }
  const namespace = namespaceField === undefined ? own : checked(namespaceField, namespaceExpected, isNamespace);
  return name === null || namespace === null ? null : { place: field.place, name, namespace };
}

function decodeResourceRule(field: Field): ResourceRule {
  const fields = field.fields({
    known: ["apiGroups", "apiVersions", "resources", "operations"],
    refused: { scope: "unknown field: a WatchRule takes namespaced types, a ClusterWatchRule all" },
  });
  const groups = fields.get("apiGroups");
  if (groups === undefined)
    field.problem('apiGroups is missing: expected a list such as ["", apps] ("" is the core group, "*" all)');
  const resources = fields.get("resources");
  if (resources === undefined) field.problem("resources is missing: expected a list such as [configmaps, deployments]");
  const isGroup = (text: string) => text === "" || text === "*" || isName(text);
  const isVersion = (text: string) =>
    text === "*" || /^v[0-9]+(?:(?:alpha|beta)[0-9]+)?$/.test(text) || isNamespace(text);
  return {
    place: field.place,
    apiGroups: texts(groups, 'API groups such as apps ("" is the core group, "*" all)', isGroup),
    apiVersions: fields.has("apiVersions")
      ? texts(fields.get("apiVersions"), 'versions such as v1, or "*"', isVersion)
      : ["*"],
    resources: resources?.strings("resources").flatMap(decodeResource) ?? [],
    operations: decodeOperations(fields.get("operations")),
  };
}

function decodeResource(field: Field): readonly string[] {
  const expected = 'a plural, lower-case resource name such as deployments, or "*"';
  const text = field.string(expected);
  if (text === null) return [];
  if (text.includes("/")) {
    field.problem(
      `expected ${expected}, found the subresource ${quoted(text)}: a subresource writes the same object, so name the resource alone`,
    );
    return [];
  }
  if (text !== "*" && !isName(text)) {
    const lower = text.toLowerCase();
    field.problem(`expected ${expected}, found ${quoted(text)}${isName(lower) ? `; did you mean "${lower}"?` : ""}`);
    return [];
  }
  return [text];
}

function decodeOperations(field: Field | undefined): readonly Operation[] {
  if (field === undefined) return operations;
  const named = field.strings('operations CREATE, UPDATE, DELETE, or "*"').flatMap((item) => {
    const text = item.string("an operation");
    if (text === null) return [];
    if (text === "CONNECT") {
      item.problem("CONNECT changes no object: expected CREATE, UPDATE, DELETE");
      return [];
    }
    return text === "*" ? operations : [item.oneOf(operations) ?? "UPDATE"];
  });
  return operations.filter((operation) => named.includes(operation));
}

function decodeNamespaces(field: Field | undefined): readonly string[] | null {
  return field === undefined ? null : texts(field, "namespaces (leave `namespaces` out for all)", isNamespace);
}

function decodeSelector(field: Field | undefined): Pick<RuleConfig, "matchLabels" | "matchExpressions"> {
  if (field === undefined) return { matchLabels: {}, matchExpressions: [] };
  const fields = field.fields({ known: ["matchLabels", "matchExpressions"] });
  const matchLabels: [string, string][] = [];
  for (const [key, value] of fields.get("matchLabels")?.entries("a map of labels") ?? []) {
    if (!isLabelKey(key)) value.problemAtKey(`expected the key of a label, found ${quoted(key)}`);
    const text = checked(value, "the value of a label", isLabelValue);
    if (text !== null) matchLabels.push([key, text]);
  }
  const expressions = fields.get("matchExpressions")?.items("a list of {key, operator, values}") ?? [];
  return {
    matchLabels: Object.fromEntries(matchLabels),
    matchExpressions: expressions.flatMap(decodeExpression),
  };
}

function decodeExpression(field: Field): readonly LabelExpression[] {
  const fields = field.fields({ known: ["key", "operator", "values"] });
  const keyField = fields.get("key");
  const operatorField = fields.get("operator");
  if (keyField === undefined) field.problem("key is missing: expected the key of a label");
  if (operatorField === undefined) field.problem("operator is missing: expected In, NotIn, Exists or DoesNotExist");
  const key = keyField === undefined ? null : checked(keyField, "the key of a label", isLabelKey);
  const operator = operatorField?.oneOf(["In", "NotIn", "Exists", "DoesNotExist"]) ?? null;
  const valuesField = fields.get("values");
  if (key === null || operator === null) return [];
  const setBased = operator === "In" || operator === "NotIn";
  if (!setBased && valuesField !== undefined) valuesField.problemAtKey(`${operator} takes no values: remove them`);
  if (setBased && valuesField === undefined) field.problem(`values is missing: ${operator} needs at least one`);
  return [
    {
      key,
      operator,
      values: setBased ? texts(valuesField, "values of the label", isLabelValue) : [],
    },
  ];
}

function texts(field: Field | undefined, expected: string, valid: (text: string) => boolean): readonly string[] {
  return (field?.strings(expected) ?? []).flatMap((item) => checked(item, expected, valid) ?? []);
}

function checked(field: Field, expected: string, valid: (text: string) => boolean): string | null {
  const text = field.string(expected);
  if (text === null || valid(text)) return text;
  return field.problem(`expected ${expected}, found ${quoted(text)}`);
}
