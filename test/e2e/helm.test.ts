/** The chart and `kubescribe install` make equal objects, for every set of options; and helm installs, upgrades and takes away. */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { manifests } from "../../src/manifests/manifest-text.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { type HelmResult, runHelm } from "../controlplane/helm.ts";
import { drawnValues } from "../manifests/drawn-values.ts";
import { check, suite } from "../property/check.ts";
import { documentedCommands } from "./documented.ts";
import { install, type ManifestObject, objectsIn, pathOf, titleOf } from "./installation.ts";
import { configMaps, Installed } from "./installed.ts";
import { Shell } from "./typed.ts";

const chart = new URL("../../deploy/chart", import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), "kubescribe-helm-"));
const valuesFile = join(directory, "values.yaml");

afterAll(() => rmSync(directory, { recursive: true }));

function helm(args: readonly string[], values: object, kubeconfig?: string): HelmResult {
  // JSON leaves no reader of YAML a choice.
  writeFileSync(valuesFile, JSON.stringify(values));
  return runHelm([...args, "--values", valuesFile], {
    home: directory,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  });
}

interface Variant {
  readonly args: readonly string[];
  readonly values: object;
  readonly namespace?: string;
}

/** What they show and warn of is written by others. */
const monitored: readonly Variant[] = ["alerts.yaml", "dashboard.json"].every((name) =>
  existsSync(join(chart, "files", name)),
)
  ? [{ args: ["--prometheus-rule", "--dashboard"], values: { prometheusRule: true, dashboard: true } }]
  : [];

const variants: readonly Variant[] = [
  { args: [], values: {} },
  { args: ["--namespace", "elsewhere"], values: {}, namespace: "elsewhere" },
  {
    args: ["--watch", "apps/*,configmaps,services,secrets", "--image", "registry.example.com/kubescribe:1.0@sha256:ab"],
    values: {
      watch: [
        { apiGroups: [""], resources: ["configmaps", "secrets", "services"] },
        { apiGroups: ["apps"], resources: ["*"] },
      ],
      image: "registry.example.com/kubescribe:1.0@sha256:ab",
    },
  },
  {
    args: ["--replicas", "3", "--memory-limit", "4Gi", "--cpu", "2"],
    values: { replicas: 3, memoryLimit: "4Gi", cpu: "2" },
  },
  { args: ["--storage", "pvc"], values: { storage: "pvc" } },
  {
    args: ["--storage", "pvc", "--storage-size", "1Ti", "--storage-class", "fast"],
    values: { storage: "pvc", storageSize: "1Ti", storageClass: "fast" },
  },
  { args: ["--certificates", "cert-manager"], values: { certificates: "cert-manager" } },
  { args: ["--certificates", "files"], values: { certificates: "files" } },
  {
    args: ["--git-secrets", "default/git,team-a/git.b"],
    values: {
      gitSecrets: [
        { namespace: "default", name: "git" },
        { namespace: "team-a", name: "git.b" },
      ],
    },
  },
  { args: ["--network-policy", "10.0.0.1/32,fd00::/8"], values: { networkPolicy: ["10.0.0.1/32", "fd00::/8"] } },
  { args: ["--service-monitor"], values: { serviceMonitor: true } },
  ...monitored,
  { args: ["--", "--log-level=debug", "--journal-sync"], values: { args: ["--log-level=debug", "--journal-sync"] } },
];

suite("the chart", () => {
  test.each(variants)("makes what `install $args` prints", ({ args, values, namespace = "kubescribe-system" }) => {
    const { code, stdout, stderr } = helm(["template", "kubescribe", chart, "--namespace", namespace], values);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const printed = install(args).objects.filter(({ kind }) => kind !== "Namespace");
    expect(sorted(objectsIn(stdout).map(withoutPolicy))).toEqual(sorted(printed));
  });

  test("makes the same of any values", () => {
    const same = fc.property(drawnValues, ({ namespace, ...values }) => {
      const { code, stdout, stderr } = helm(["template", "kubescribe", chart, "--namespace", namespace], values);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const filled = manifests({ values: { namespace, ...values }, file: () => null }) as readonly ManifestObject[];
      const wanted = filled.filter(({ kind }) => kind !== "Namespace");
      expect(sorted(objectsIn(stdout).map(withoutPolicy))).toEqual(sorted(wanted));
    });
    check(same, { runs: 40 });
  });

  test("keeps its types when it goes, and only them", () => {
    const objects = objectsIn(helm(["template", "kubescribe", chart], {}).stdout);
    const kept = objects.filter((object) => JSON.stringify(object.metadata).includes("helm.sh/resource-policy"));
    expect(kept.map(({ kind }) => kind)).toEqual(Array.from({ length: 3 }, () => "CustomResourceDefinition"));
  });

  test("passes helm's own lint", () => {
    const { code, stdout } = helm(["lint", "--strict", chart], {});
    expect({ code, complaints: /\[(?:WARNING|ERROR)\]/.test(stdout) }).toEqual({ code: 0, complaints: false });
  });

  test.each([
    [{ replicas: 0 }, "replicas"],
    [{ replicas: 2, storage: "pvc" }, "replicas"],
    [{ watch: ["apps/deployments"] }, "watch"],
    [{ storage: "disk" }, "storage"],
    [{ memmory: "1Gi" }, "memmory"],
    [{ pod: { containers: [] } }, "containers"],
  ])("refuses %j", (values, word) => {
    const { code, stderr } = helm(["template", "kubescribe", chart], values);
    expect(code).not.toBe(0);
    expect(stderr).toContain(word);
  });

  test("adds fields to the Pod's spec", () => {
    const pod = { nodeSelector: { disk: "ssd" }, tolerations: [{ key: "a", operator: "Exists" }], hostNetwork: true };
    const objects = objectsIn(helm(["template", "kubescribe", chart], { pod }).stdout);
    const deployment = objects.find(({ kind }) => kind === "Deployment");
    expect(deployment).toMatchObject({ spec: { template: { spec: { ...pod, serviceAccountName: "kubescribe" } } } });
  });
});

describe("helm", () => {
  const place = ["--namespace", "kubescribe-system"];
  const release = ["kubescribe", chart, ...place];
  const crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/watchrules.kubescribe.dev";
  const values = { watch: [{ apiGroups: [""], resources: ["configmaps"] }] };
  let plane: ControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, numberedUsers: 0 });
  });

  afterAll(() => plane[Symbol.asyncDispose]());

  const run = (args: readonly string[], given: object = values): HelmResult =>
    helm(args, given, plane.kubeconfig("admin"));
  const at = (): { readonly home: string; readonly kubeconfig: string } => ({
    home: directory,
    kubeconfig: plane.kubeconfig("admin"),
  });
  const read = async (object: ManifestObject): Promise<ManifestObject | null> => {
    const { status, text } = await plane.request("admin", "GET", pathOf(object));
    return status === 200 ? (JSON.parse(text) as ManifestObject) : null;
  };

  test("installs, and an upgrade to the same leaves what the process has filled in", async () => {
    expect(run(["install", ...release, "--create-namespace"])).toMatchObject({ code: 0, stderr: "" });
    const secrets = ["kubescribe-webhook", "kubescribe-keys"].map(
      (name) => `/api/v1/namespaces/kubescribe-system/secrets/${name}`,
    );
    const data = { path: Buffer.from("/correlate/secret").toString("base64") };
    const held = (): Promise<readonly unknown[]> =>
      Promise.all(secrets.map(async (secret) => (await plane.request("admin", "GET", secret)).json()));
    for (const secret of secrets) await plane.request("admin", "PATCH", secret, { data });
    expect(run(["upgrade", ...release])).toMatchObject({ code: 0, stderr: "" });
    expect(await held()).toMatchObject([{ data }, { data }]);
    expect(runHelm(["rollback", "kubescribe", "1", ...place], at())).toMatchObject({ code: 0 });
    expect(await held()).toMatchObject([{ data }, { data }]);
    expect(run(["upgrade", ...release])).toMatchObject({ code: 0, stderr: "" });
    for (const object of objectsIn(run(["template", ...release]).stdout))
      expect(await read(object)).toMatchObject(object);
  });

  test("upgrades the types from those of an older chart, and rolls them back, and the rules outlive both", async () => {
    const names = async (): Promise<readonly unknown[]> => {
      const { spec } = JSON.parse((await plane.request("admin", "GET", crd)).text) as {
        readonly spec: { readonly names: { readonly shortNames: readonly unknown[] } };
      };
      return spec.names.shortNames;
    };
    expect((await plane.request("admin", "POST", rules, kept)).status).toBe(201);
    expect(run(["upgrade", "kubescribe", olderChart(), ...place])).toMatchObject({ code: 0, stderr: "" });
    expect(await names()).toEqual(["old"]);
    expect(run(["upgrade", ...release])).toMatchObject({ code: 0, stderr: "" });
    expect(await names()).toEqual(["wr"]);
    expect(runHelm(["rollback", "kubescribe", "5", ...place], at())).toMatchObject({ code: 0 });
    expect(await names()).toEqual(["old"]);
    expect(run(["upgrade", ...release])).toMatchObject({ code: 0, stderr: "" });
    expect((await plane.request("admin", "GET", `${rules}/kept`)).json()).toMatchObject({ spec: kept.spec });
  });

  test("goes, and leaves the rules and their types, and nothing that blocks a write", async () => {
    const objects = objectsIn(run(["template", ...release]).stdout);
    expect(runHelm(["uninstall", "kubescribe", ...place], at())).toMatchObject({ code: 0 });
    for (const object of objects) {
      const found = (await read(object)) !== null;
      expect({ title: titleOf(object), found }).toEqual({
        title: titleOf(object),
        found: object.kind === "CustomResourceDefinition",
      });
    }
    expect((await plane.request("admin", "GET", `${rules}/kept`)).status).toBe(200);
    expect(await plane.kubectl("alice", ["create", "configmap", "after"])).toMatchObject({ code: 0 });
    expect(run(["install", ...release])).toMatchObject({ code: 0, stderr: "" });
  });
});

test("what helm installs, as INSTALL tells, makes commits by their authors", async () => {
  await using here = await Installed.open();
  const shell = new Shell(here.plane);
  const args = ["--log-level=debug", here.allow];
  shell.write("values.yaml", JSON.stringify({ watch: [{ apiGroups: [""], resources: ["configmaps"] }], args }));
  shell.write("rules.yaml", here.rules());
  const [command = ""] = documentedCommands("docs/INSTALL.md", "With Helm");
  await shell.type(command);
  await shell.type("kubectl apply -f rules.yaml");
  const pod = await here.start();
  expect((await here.waitForCommits("", 1, pod))[0]).toMatchObject({ kind: "snapshot" });
  await pod.ready();
  await here.recorded(pod);
  await here.plane.request("alice", "POST", configMaps, { metadata: { name: "hers" } });
  expect(await here.waitForCommits("default/hers", 1, pod)).toMatchObject([{ user: "alice", tier: "exact" }]);
});

const rules = "/apis/kubescribe.dev/v1alpha1/clusterwatchrules";
const kept = {
  apiVersion: "kubescribe.dev/v1alpha1",
  kind: "ClusterWatchRule",
  metadata: { name: "kept" },
  spec: { repo: { name: "a", namespace: "b" }, rules: [{ apiGroups: [""], resources: ["configmaps"] }] },
};

/** As a release of before could have been: a type has another short name. */
function olderChart(): string {
  const older = join(directory, "older");
  cpSync(chart, older, { recursive: true });
  const file = join(older, "templates/custom-resources.yaml");
  const text = readFileSync(file, "utf8");
  expect(text).toContain("- wr\n");
  writeFileSync(file, text.replace("- wr\n", "- old\n"));
  return older;
}

function sorted(objects: readonly ManifestObject[]): readonly ManifestObject[] {
  return objects.toSorted((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));
}

/** Of the chart alone: custom resources outlive a release. */
function withoutPolicy(object: ManifestObject): ManifestObject {
  const { annotations = {}, ...metadata } = object.metadata as ManifestObject["metadata"] & {
    readonly annotations?: Readonly<Record<string, string>>;
  };
  const others = Object.entries(annotations).filter(([key]) => key !== "helm.sh/resource-policy");
  return {
    ...object,
    metadata: others.length === 0 ? metadata : { ...metadata, annotations: Object.fromEntries(others) },
  } as never;
}
