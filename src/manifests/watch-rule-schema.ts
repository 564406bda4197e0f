/** The specs of a WatchRule and a ClusterWatchRule, as src/config/decode-rule.ts reads them. */

import type { Schema } from "./schema.ts";
import {
  isLabelKey,
  isLabelValue,
  isName,
  isNamespace,
  labelKeyLength,
  labelLength,
  list,
  map,
  name,
  nameLength,
  namespace,
  namespaceLength,
  text,
} from "./schema.ts";

export const watchRuleSpec: Schema = map(
  "What is watched in the namespace of this rule, and where it goes.",
  {
    repo: map(
      "The GitRepoConfig that it goes to.",
      { name: name("Its name."), namespace: namespace("Its namespace; that of this rule when it is left out.") },
      { required: ["name"] },
    ),
    rules: rulesSchema("The types. Only namespaced ones are watched."),
    selector: selectorSchema(),
  },
  { required: ["repo", "rules"] },
);

export const clusterWatchRuleSpec: Schema = map(
  "What is watched in the whole cluster, and where it goes.",
  {
    repo: map(
      "The GitRepoConfig that it goes to.",
      { name: name("Its name."), namespace: namespace("Its namespace.") },
      { required: ["name", "namespace"] },
    ),
    rules: rulesSchema("The types."),
    selector: selectorSchema(),
    namespaces: list(
      "Only these namespaces; types that have none are then left out. All of the cluster when this is left out.",
      namespace("A namespace."),
      { minItems: 1, maxItems: 1000 },
    ),
  },
  { required: ["repo", "rules"] },
);

function rulesSchema(description: string): Schema {
  const group = {
    rule: `self == '' || self == '*' || ${isName("self")}`,
    message: 'expected an API group such as apps ("" is the core group, "*" all)',
  };
  const version = { rule: `self == '*' || ${isNamespace("self")}`, message: 'expected a version such as v1, or "*"' };
  const operation = [
    { rule: "self != 'CONNECT'", message: "CONNECT changes no object: expected CREATE, UPDATE, DELETE" },
    {
      rule: "self in ['CREATE', 'UPDATE', 'DELETE', '*', 'CONNECT']",
      message: 'expected one of CREATE, UPDATE, DELETE, or "*"',
    },
  ];
  const rule = map(
    "Types, each by its API group and its plural name.",
    {
      apiGroups: list(
        'API groups: "" is the core group, "*" all.',
        text("A group.", [group], { maxLength: nameLength }),
        {
          minItems: 1,
          maxItems: 100,
        },
      ),
      apiVersions: list(
        "Of each type one version is watched: the preferred one among these.",
        text("A version.", [version], { maxLength: namespaceLength }),
        { minItems: 1, maxItems: 32, default: ["*"] },
      ),
      resources: list('Plural names such as deployments; "*" is all.', resourceSchema(), {
        minItems: 1,
        maxItems: 200,
      }),
      operations: list(
        "A change by an operation that is not named makes no commit.",
        text("An operation.", operation, { maxLength: 16 }),
        { minItems: 1, maxItems: 16, default: ["*"] },
      ),
    },
    { required: ["apiGroups", "resources"] },
  );
  return list(description, rule, { minItems: 1, maxItems: 64 });
}

function resourceSchema(): Schema {
  const subresource = {
    rule: "!self.contains('/')",
    message: "a subresource writes the same object: name the resource alone",
  };
  const resource = {
    rule: `self.contains('/') || self == '*' || ${isName("self")}`,
    message: 'expected a plural, lower-case resource name such as deployments, or "*"',
  };
  return text("A resource.", [subresource, resource], { maxLength: 128 });
}

function selectorSchema(): Schema {
  const value = { rule: isLabelValue("self"), message: "expected the value of a label" };
  const matchLabels: Schema = {
    type: "object",
    description: "Labels that an object has.",
    maxProperties: 32,
    additionalProperties: text("A label's value.", [value], { maxLength: labelLength }),
    "x-kubernetes-validations": [
      {
        rule: `self.all(key, ${isLabelKey("key")})`,
        message: "expected keys of labels, such as app.kubernetes.io/name",
      },
    ],
  };
  const key = { rule: isLabelKey("self"), message: "expected the key of a label" };
  const setBased = "self.operator in ['In', 'NotIn']";
  const expression = map(
    "What must hold of a label.",
    {
      key: text("The key of the label.", [key], { maxLength: labelKeyLength }),
      operator: {
        type: "string",
        description: "How it is held against the values.",
        enum: ["In", "NotIn", "Exists", "DoesNotExist"],
      },
      values: list("For In and NotIn.", text("A value.", [value], { maxLength: labelLength }), { maxItems: 100 }),
    },
    {
      required: ["key", "operator"],
      rules: [
        {
          rule: `!(${setBased}) || (has(self.values) && self.values.size() > 0)`,
          message: "values is missing: In and NotIn need at least one",
        },
        { rule: `${setBased} || !has(self.values)`, message: "Exists and DoesNotExist take no values: remove them" },
      ],
    },
  );
  return map("Only objects with these labels. One that leaves the selector loses its file.", {
    matchLabels,
    matchExpressions: list("Expressions that all hold.", expression, { maxItems: 32 }),
  });
}
