import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { installHelp, printInstallation } from "../../src/commands/install.ts";
import { parseInstallOptions } from "../../src/commands/install-options.ts";
import { installOptionTable } from "../../src/config/install-option-table.ts";

const settings = { cwd: "/home/ada", version: "1.2.3" };

interface Printed {
  readonly text: string;
  readonly objects: readonly Readonly<Record<string, unknown>>[];
}

const deployFiles = {
  "alerts.yaml": "groups:\n- name: kubescribe\n  rules: []\n",
  "dashboard.json": '{"title": "<b>"}',
};

async function printed(...argv: readonly string[]): Promise<Printed> {
  let text = "";
  await printInstallation(parseInstallOptions(argv, settings).values, {
    out: (more) => void (text += more),
    version: settings.version,
    readDeployFile: (name) => Promise.resolve(deployFiles[name]),
  });
  const documents = parseAllDocuments(text, { version: "1.1" });
  return { text, objects: Array.isArray(documents) ? documents.map((document) => document.toJS() as never) : [] };
}

function titles({ objects }: Printed): readonly string[] {
  return objects.map(({ kind, metadata }) => {
    const { name, namespace } = metadata as { readonly name: string; readonly namespace?: string };
    return `${String(kind)} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
  });
}

describe("what install prints", () => {
  test("is all of an installation, in the order in which it can be applied", async () => {
    expect(titles(await printed())).toEqual([
      "Namespace kubescribe-system",
      "CustomResourceDefinition gitrepoconfigs.kubescribe.dev",
      "CustomResourceDefinition watchrules.kubescribe.dev",
      "CustomResourceDefinition clusterwatchrules.kubescribe.dev",
      "ServiceAccount kubescribe-system/kubescribe",
      "ClusterRole kubescribe",
      "ClusterRoleBinding kubescribe",
      "ClusterRole kubescribe-base",
      "Role kubescribe-system/kubescribe",
      "RoleBinding kubescribe-system/kubescribe",
      "Secret kubescribe-system/kubescribe-webhook",
      "Secret kubescribe-system/kubescribe-keys",
      "Lease kubescribe-system/kubescribe",
      "Service kubescribe-system/kubescribe",
      "ValidatingWebhookConfiguration kubescribe",
      "Deployment kubescribe-system/kubescribe",
    ]);
  });

  test.each([
    [["--watch", "configmaps"], ["ClusterRole kubescribe-watch-install"]],
    [
      ["--git-secrets", "a/b,c/d"],
      [
        "Role a/kubescribe-git-b",
        "Role c/kubescribe-git-d",
        "RoleBinding a/kubescribe-git-b",
        "RoleBinding c/kubescribe-git-d",
      ],
    ],
    [["--storage", "pvc"], ["PersistentVolumeClaim kubescribe-system/kubescribe-data"]],
    [["--replicas", "2"], ["PodDisruptionBudget kubescribe-system/kubescribe"]],
    [
      ["--certificates", "cert-manager"],
      ["Issuer kubescribe-system/kubescribe", "Certificate kubescribe-system/kubescribe"],
    ],
    [["--network-policy", "10.0.0.0/8"], ["NetworkPolicy kubescribe-system/kubescribe"]],
    [
      ["--service-monitor", "--prometheus-rule", "--dashboard"],
      [
        "ServiceMonitor kubescribe-system/kubescribe",
        "PrometheusRule kubescribe-system/kubescribe",
        "ConfigMap kubescribe-system/kubescribe-dashboard",
      ],
    ],
  ])("with %j also has %j", async (argv, more) => {
    const usual = titles(await printed());
    expect(titles(await printed(...argv)).filter((title) => !usual.includes(title))).toEqual(more);
  });

  test("grants what is named, by its group, and no Secrets of itself", async () => {
    const { objects, text } = await printed(
      "--watch",
      "apps/statefulsets,configmaps, apps/deployments,apps/deployments",
    );
    const role = objects.find(({ metadata }) => (metadata as { name: string }).name === "kubescribe-watch-install");
    const verbs = ["get", "list", "watch"];
    expect(role?.["rules"]).toEqual([
      { apiGroups: [""], resources: ["configmaps"], verbs },
      { apiGroups: ["apps"], resources: ["deployments", "statefulsets"], verbs },
    ]);
    expect(text).not.toMatch(/resources:\n *- secrets\n(?! *resourceNames)/);
  });

  test("is empty where the process fills it, so that applying it again undoes nothing", async () => {
    const { objects } = await printed();
    const of = (kind: string, name: string) =>
      objects.find((object) => object["kind"] === kind && (object["metadata"] as { name: string }).name === name);
    for (const name of ["kubescribe-webhook", "kubescribe-keys"])
      expect(Object.keys(of("Secret", name) ?? {})).toEqual(["apiVersion", "kind", "metadata", "type"]);
    expect(Object.keys(of("Lease", "kubescribe") ?? {})).toEqual(["apiVersion", "kind", "metadata"]);
    expect(Object.keys(of("ValidatingWebhookConfiguration", "kubescribe") ?? {})).toEqual([
      "apiVersion",
      "kind",
      "metadata",
    ]);
    expect(Object.keys(of("ClusterRole", "kubescribe") ?? {})).toEqual([
      "apiVersion",
      "kind",
      "metadata",
      "aggregationRule",
    ]);
  });

  test("gives the process more options", async () => {
    const { objects } = await printed("--", "--log-level=debug", "--journal-sync");
    expect(JSON.stringify(objects)).toContain('"--metrics-address=0.0.0.0:8080","--log-level=debug","--journal-sync"]');
  });

  test("has the image of this version, unless another one is named", async () => {
    expect((await printed()).text).toContain("image: kubescribe:1.2.3\n");
    expect((await printed("--image", "registry.example.com/k:2")).text).toContain("image: registry.example.com/k:2\n");
  });

  test("carries the alerts as they are, and the dashboard as text", async () => {
    const { objects } = await printed("--prometheus-rule", "--dashboard");
    expect(objects.find(({ kind }) => kind === "PrometheusRule")).toMatchObject({
      spec: { groups: [{ name: "kubescribe" }] },
    });
    expect(objects.find(({ kind }) => kind === "ConfigMap")).toMatchObject({
      data: { "kubescribe.json": '{"title": "<b>"}' },
    });
  });

  test("says so where a file is not there", async () => {
    const ports = { out: () => undefined, version: "1", readDeployFile: () => Promise.reject(new Error("ENOENT")) };
    const { values } = parseInstallOptions(["--dashboard"], settings);
    await expect(printInstallation(values, ports)).rejects.toThrow(
      "expected deploy/dashboard.json beside this program",
    );
  });
});

describe("options of install", () => {
  test.each<readonly [readonly string[], string]>([
    [
      ["--namespace", "Kube"],
      '--namespace expected a namespace\'s name (lower-case letters, digits and -), found "Kube"',
    ],
    [["--replicas", "2", "--storage", "pvc"], "--replicas expected 1 with --storage pvc, found 2"],
    [["--replicas", "0"], "--replicas expected a whole number of pods from 1 to 9"],
    [["--storage", "disk"], "--storage expected one of none, pvc"],
    [["--storage-size", "10GB"], '--storage-size expected a size such as 256Mi or 10Gi, found "10GB"'],
    [["--storage-class", "A"], "--storage-class expected a Kubernetes name"],
    [["--cpu", "one"], "--cpu expected CPUs such as 100m or 2"],
    [["--memory", "2Gi"], "--memory-limit expected at least what --memory requests (2Gi), found 1Gi"],
    [["--image", "a b"], "--image expected the reference of an image"],
    [["--watch", "*"], '--watch "*" would let it read every Secret: name the types'],
    [["--watch", "*/pods"], "--watch expected an API group before the slash"],
    [["--watch", "apps/v1/deployments"], "--watch expected GROUP/RESOURCE such as apps/deployments"],
    [["--watch", "v1/configmaps"], "without the version"],
    [
      ["--watch", "Deployment"],
      '--watch expected GROUP/RESOURCE such as apps/deployments, or RESOURCE of the core group such as configmaps, found "Deployment"',
    ],
    [["--git-secrets", "git"], '--git-secrets expected NAMESPACE/NAME of a Secret, found "git"'],
    [
      ["--network-policy", "10.0.0.1"],
      '--network-policy expected addresses of the API server as 10.0.0.1/32, found "10.0.0.1"',
    ],
    [["--network-policy", "10.0.0.1/33"], "--network-policy expected addresses"],
    [["--network-policy", "10.0.0.256/32"], "--network-policy expected addresses"],
    [["--network-policy", "fd00::/129"], "--network-policy expected addresses"],
    [["--network-policy", "nonsense:/8"], "--network-policy expected addresses"],
    [["--wach", "a"], 'unknown option "--wach". Did you mean "--watch"?'],
    [["--", "--log-levl=debug"], '"kubescribe run" knows no option "--log-levl". Did you mean "--log-level"?'],
    [["--", "debug"], 'expected options of "kubescribe run" as --NAME=VALUE, found "debug"'],
    [["--", "--data-dir=/x"], "found --data-dir, which the manifests set themselves"],
  ])("refuse %j", (argv, message) => {
    expect(() => parseInstallOptions(argv, settings)).toThrow(message);
  });

  test("are all complained about at once", () => {
    expect(() => parseInstallOptions(["--cpu", "x", "--memory", "y"], settings)).toThrow(/--cpu[^]*--memory/);
  });

  test("are taught, and stand in docs/INSTALL.md with their defaults", () => {
    const page = readFileSync(new URL("../../docs/INSTALL.md", import.meta.url), "utf8");
    for (const { name, fallback } of installOptionTable) {
      expect(installHelp).toContain(`--${name}`);
      const row = page.split("\n").find((line) => line.startsWith(`| \`--${name}`));
      expect(row, `--${name}`).toBeDefined();
      if (fallback !== null) expect(row).toContain(`\`${fallback}\``);
    }
  });
});
