import { describe, expect, test } from "vitest";
import { typeKeyOf } from "../../machines/messages.ts";
import {
  asksForLabels,
  selectedOperations,
  selects,
  type LabelExpression,
  type Selection,
} from "../../machines/selection.ts";

const configMaps = typeKeyOf("", "configmaps");
const everything: Selection = {
  typeKey: configMaps,
  namespaces: null,
  matchLabels: {},
  matchExpressions: [],
  operations: ["CREATE", "UPDATE", "DELETE"],
};
const resource = { typeKey: configMaps, namespace: "default", labels: { app: "web", tier: "" } };

function withExpression(key: string, operator: LabelExpression["operator"], ...values: string[]): Selection {
  return { ...everything, matchExpressions: [{ key, operator, values }] };
}

describe("a selection", () => {
  test.each<readonly [string, Selection, boolean]>([
    ["of the type selects", everything, true],
    ["of another type does not", { ...everything, typeKey: typeKeyOf("apps", "deployments") }, false],
    ["with the namespace selects", { ...everything, namespaces: ["other", "default"] }, true],
    ["without the namespace does not", { ...everything, namespaces: ["other"] }, false],
    ["of no namespace selects nothing", { ...everything, namespaces: [] }, false],
    ["with an equal label selects", { ...everything, matchLabels: { app: "web" } }, true],
    ["with a different label does not", { ...everything, matchLabels: { app: "db" } }, false],
    ["asks for every label", { ...everything, matchLabels: { app: "web", zone: "a" } }, false],
    ["takes an empty value for a value", { ...everything, matchLabels: { tier: "" } }, true],
    ["does not find members of Object.prototype", { ...withExpression("constructor", "Exists") }, false],
    ["In with the value", withExpression("app", "In", "db", "web"), true],
    ["In without the value", withExpression("app", "In", "db"), false],
    ["In where the label is missing", withExpression("zone", "In", "a"), false],
    ["NotIn with the value", withExpression("app", "NotIn", "web"), false],
    ["NotIn without the value", withExpression("app", "NotIn", "db"), true],
    ["NotIn where the label is missing", withExpression("zone", "NotIn", "a"), true],
    ["Exists", withExpression("tier", "Exists"), true],
    ["Exists where it is missing", withExpression("zone", "Exists"), false],
    ["DoesNotExist", withExpression("app", "DoesNotExist"), false],
    ["DoesNotExist where it is missing", withExpression("zone", "DoesNotExist"), true],
  ])("%s", (_name, selection, expected) => {
    expect(selects(selection, resource)).toBe(expected);
  });

  test("operations of all selections that fit come together", () => {
    const selections: Selection[] = [
      { ...everything, operations: ["CREATE"] },
      { ...everything, matchLabels: { app: "web" }, operations: ["UPDATE"] },
      { ...everything, namespaces: ["other"], operations: ["DELETE"] },
    ];
    expect([...selectedOperations(selections, resource)]).toEqual(["CREATE", "UPDATE"]);
    expect([...selectedOperations([], resource)]).toEqual([]);
  });

  test("says whether labels matter", () => {
    expect(asksForLabels(everything)).toBe(false);
    expect(asksForLabels({ ...everything, matchLabels: { app: "web" } })).toBe(true);
    expect(asksForLabels(withExpression("app", "Exists"))).toBe(true);
  });
});
