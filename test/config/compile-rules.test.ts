import { describe, expect, test } from "vitest";
import type { ResourceType } from "../../machines/messages.ts";
import { typeKeyOf } from "../../machines/messages.ts";
import { compileRules } from "../../src/config/compile-rules.ts";
import { decodeDocuments } from "../../src/config/decode-documents.ts";
import { problemLine } from "../../src/config/problem.ts";
import { clusterRule, repository, watchRule } from "./samples.ts";

function type(group: string, version: string, resource: string, kind: string, namespaced = true): ResourceType {
  return { key: typeKeyOf(group, resource), group, version, resource, kind, namespaced, scalable: false };
}

const served = [
  type("", "v1", "configmaps", "ConfigMap"),
  type("", "v1", "secrets", "Secret"),
  type("", "v1", "events", "Event"),
  type("events.k8s.io", "v1", "events", "Event"),
  type("", "v1", "namespaces", "Namespace", false),
  type("apps", "v1", "deployments", "Deployment"),
  type("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
  type("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
];

function compiled(...texts: string[]) {
  const { documents, problems } = decodeDocuments([repository(), ...texts].join("\n---\n"), "rules.yaml");
  expect(problems).toEqual([]);
  const { targets, watchedTypes, warnings } = compileRules(documents, served);
  const watched = watchedTypes.map(({ key, version }) => `${key} ${version}`);
  return { selections: targets[0]?.selections ?? [], watched, warnings: warnings.map(problemLine), watchedTypes };
}

function rule(text: string, extra = ""): string {
  return clusterRule(`  rules: [${text}]`, extra);
}

describe("compiling rules", () => {
  test("those of the design", () => {
    const { watched, selections, warnings, watchedTypes } = compiled(clusterRule());
    expect(watched).toEqual(["core/configmaps v1", "apps/deployments v1"]);
    expect(selections).toHaveLength(2);
    expect(selections[0]).toEqual({
      typeKey: "core/configmaps",
      namespaces: null,
      matchLabels: {},
      matchExpressions: [],
      operations: ["CREATE", "UPDATE", "DELETE"],
    });
    expect(warnings).toEqual([]);
    expect(watchedTypes[0]).toBe(served[0]);
  });

  test("of each type one version is watched: the preferred one among those named", () => {
    const hpa = (versions: string) => `{apiGroups: [autoscaling], apiVersions: ${versions}, resources: ["*"]}`;
    expect(compiled(rule(hpa("[v1]"))).watched).toEqual(["autoscaling/horizontalpodautoscalers v1"]);
    expect(compiled(rule(hpa('["*"]'))).watched).toEqual(["autoscaling/horizontalpodautoscalers v2"]);
    const both = compiled(rule(hpa("[v1]")), rule(hpa("[v2]")).replace("workloads", "others"));
    expect(both.watched).toEqual(["autoscaling/horizontalpodautoscalers v2"]);
    expect(both.selections).toHaveLength(1);
  });

  test("the events of both groups are one store: a rule that names both watches the core ones", () => {
    const events = (groups: string) => compiled(rule(`{apiGroups: ${groups}, resources: [events]}`));
    expect(compiled(rule('{apiGroups: ["*"], resources: ["*"]}')).watched).not.toContain("events.k8s.io/events v1");
    expect(events('["", events.k8s.io]')).toMatchObject({ watched: ["core/events v1"] });
    expect(events('["", events.k8s.io]').warnings.join()).toContain("the same objects as core/events");
    expect(events("[events.k8s.io]")).toMatchObject({ watched: ["events.k8s.io/events v1"], warnings: [] });
  });

  test("a WatchRule takes namespaced types of its namespace", () => {
    const all = watchRule().replace("configmaps, deployments", '"*"');
    const { watched, selections } = compiled(all);
    expect(watched).not.toContain("core/namespaces v1");
    expect(selections.every(({ namespaces }) => namespaces?.join() === "team-a")).toBe(true);
  });

  test.each<readonly [string, string, string]>([
    [
      "a group",
      '{apiGroups: [app], resources: ["*"]}',
      'no API group "app"; did you mean "apps"?; its watch starts when',
    ],
    [
      "a resource",
      "{apiGroups: [apps], resources: [deploymnets]}",
      'no resource "deploymnets" in API group "apps"; did you mean "deployments"?',
    ],
    ["a singular", "{apiGroups: [apps], resources: [deployment]}", 'did you mean "deployments"?'],
    [
      "a resource of another group",
      '{apiGroups: [""], resources: [deployments]}',
      'no resource "deployments" in API group "", but in "apps"',
    ],
    [
      "a version",
      "{apiGroups: [autoscaling], apiVersions: [v2beta2], resources: [horizontalpodautoscalers]}",
      "is served in v2, v1, and not in v2beta2",
    ],
    ["events by accident", '{apiGroups: ["*"], resources: ["*"]}', '"*" includes core/events'],
  ])("warns of %s", (_name, text, expected) => {
    const { warnings } = compiled(rule(text));
    expect(warnings.join("\n")).toContain(expected);
    expect(warnings[0]).toMatch(
      /^rules\.yaml:\d+:\d+: (?:apiGroups|apiVersions|resources): ClusterWatchRule workloads: /,
    );
  });

  test("warns of cluster-scoped types where namespaces are named", () => {
    const { watched, warnings } = compiled(
      rule('{apiGroups: [""], resources: [namespaces, secrets]}', "  namespaces: [a, b]"),
    );
    expect(watched).toEqual(["core/secrets v1"]);
    expect(warnings.join()).toContain("namespaces are cluster-scoped");
  });

  test("warns of a repository that no rule names", () => {
    expect(compiled().warnings.join()).toContain("no rule names GitRepoConfig default/history");
  });

  test("selectors and namespaces come along", () => {
    const { selections } = compiled(
      rule(
        '{apiGroups: [""], resources: [secrets], operations: [DELETE, CREATE]}',
        "  namespaces: [a]\n  selector: {matchLabels: {app: web}}",
      ),
    );
    expect(selections).toMatchObject([
      { namespaces: ["a"], matchLabels: { app: "web" }, operations: ["CREATE", "DELETE"] },
    ]);
  });
});
