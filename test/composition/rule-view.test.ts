import { expect, test } from "vitest";
import type { TypeKey } from "../../machines/messages.ts";
import { RuleView } from "../../src/composition/rule-view.ts";
import { decodeDocuments } from "../../src/config/decode-documents.ts";
import type { Served } from "../../src/kubernetes/discovery.ts";
import { clusterRule, repository } from "../config/samples.ts";
import { FakeLog } from "../fakes/branch-world.ts";

const target = "default/history";
const never = new AbortController().signal;

function served(resources: readonly string[], silent = ""): Served {
  const types = resources.map((name) => {
    const [group = "", resource = ""] = name.split("/");
    const version = {
      version: "v1",
      kind: resource,
      namespaced: true,
      scalable: false,
      subresources: [],
      verbs: ["list", "watch"],
    };
    return { group, resource, versions: [version] };
  });
  return { types, uncertain: (group) => group === silent };
}

function viewOf(...answers: readonly Served[]) {
  const left = [...answers];
  const rule = clusterRule('  rules: [{apiGroups: ["", apps, example.com], apiVersions: ["*"], resources: ["*"]}]');
  const { documents, problems } = decodeDocuments([repository(), rule].join("\n---\n"), "rules.yaml");
  expect(problems).toEqual([]);
  const read = (): Promise<Served> => Promise.resolve(left.shift() ?? served([]));
  const view = new RuleView({ documents, discovery: { read }, log: new FakeLog() });
  return { view, selected: () => view.selectionsOf(target).map(({ typeKey }) => typeKey) };
}

test("selections follow what the cluster serves, and stay the very same list while nothing changes", async () => {
  const { view, selected } = viewOf(
    served(["/configmaps"]),
    served(["/configmaps"]),
    served(["/configmaps", "example.com/widgets"]),
  );
  await view.refresh(never);
  const first = view.selectionsOf(target);
  expect(selected()).toEqual(["core/configmaps"]);
  await view.refresh(never);
  expect(view.selectionsOf(target)).toBe(first);
  expect(view.wants(target, "example.com/widgets" as TypeKey)).toBe(false);
  await view.refresh(never);
  expect(selected()).toEqual(["core/configmaps", "example.com/widgets"]);
  expect(view.wants(target, "example.com/widgets" as TypeKey)).toBe(true);
});

test("what was seen of a type before it vanished is still wanted; it is no longer watched", async () => {
  const { view, selected } = viewOf(served(["/configmaps", "example.com/widgets"]), served(["/configmaps"]));
  await view.refresh(never);
  const first = view.selectionsOf(target);
  const { types } = await view.refresh(never);
  expect(types.map(({ key }) => key)).toEqual(["core/configmaps"]);
  expect(view.selectionsOf(target)).toBe(first);
  expect(selected()).toContain("example.com/widgets");
  expect(view.wants(target, "example.com/widgets" as TypeKey)).toBe(true);
  expect(view.typeOf("example.com/widgets" as TypeKey)).toBeUndefined();
});

test("a type whose group's server is silent stays as it was", async () => {
  const { view } = viewOf(served(["/configmaps", "example.com/widgets"]), served(["/configmaps"], "example.com"));
  await view.refresh(never);
  const known = view.typeOf("example.com/widgets" as TypeKey);
  const { uncertain } = await view.refresh(never);
  expect(uncertain("example.com")).toBe(true);
  expect(view.typeOf("example.com/widgets" as TypeKey)).toBe(known);
  expect(view.wants(target, "example.com/widgets" as TypeKey)).toBe(true);
});
