/** `kubescribe install` and a real control plane: applied, applied again, filled by the process, asked about, and taken away. */

import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubernetesVersions, minorUnderTest } from "../controlplane/binaries.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { install, type ManifestObject, pathOf, type Printed, titleOf } from "./installation.ts";

const namespace = "kubescribe-system";
const account = `system:serviceaccount:${namespace}:kubescribe`;
const main = new URL("../../src/main.ts", import.meta.url).pathname;
const ways = [
  ["client side", []],
  ["server side", ["--server-side"]],
] as const;

describe.each(ways)("installed by kubectl apply, %s", (_name, how) => {
  let plane: ControlPlane;
  let printed: Printed;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, numberedUsers: 0 });
    printed = install(["--watch", "apps/deployments,configmaps", "--replicas", "2", "--git-secrets", "default/git"]);
  });

  afterAll(() => plane[Symbol.asyncDispose]());

  /** Types are there a moment after they were made: nothing in the manifest is of one. */
  function apply(text: string): ReturnType<ControlPlane["kubectl"]> {
    return plane.kubectl("admin", ["apply", ...how, "-f", "-"], text);
  }

  async function live(object: ManifestObject): Promise<ManifestObject> {
    const { status, text } = await plane.request("admin", "GET", pathOf(object));
    expect({ title: titleOf(object), status }).toEqual({ title: titleOf(object), status: 200 });
    return JSON.parse(text) as ManifestObject;
  }

  async function versions(objects: readonly ManifestObject[]): Promise<readonly string[]> {
    const found = await Promise.all(objects.map(live));
    return found.map((object) => `${titleOf(object)} ${String(object.metadata["resourceVersion" as never])}`);
  }

  test("everything is there as it was printed", async () => {
    expect(await apply(printed.text)).toMatchObject({ code: 0, stderr: "" });
    for (const object of printed.objects) expect(await live(object)).toMatchObject(object);
  });

  test("the process may do what it must, and nothing more", async () => {
    const may = async (...args: readonly string[]): Promise<boolean> =>
      (await plane.kubectl("admin", ["auth", "can-i", ...args, "--as", account])).stdout.trim() === "yes";
    // The sum of the roles is made by a controller.
    await eventually(async () => ((await may("watch", "deployments.apps")) ? true : undefined));
    const allowed = [
      ["list", "configmaps"],
      ["list", "gitrepoconfigs.kubescribe.dev"],
      ["patch", "clusterwatchrules.kubescribe.dev/sample", "--subresource=status"],
      ["get", "namespaces/kube-system"],
      ["update", "validatingwebhookconfigurations/kubescribe"],
      ["update", "secrets/kubescribe-webhook", "-n", namespace],
      ["get", "secrets/kubescribe-keys", "-n", namespace],
      ["update", "secrets/kubescribe-keys", "-n", namespace],
      ["update", "leases/kubescribe", "-n", namespace],
      ["get", "secrets/git", "-n", "default"],
      ["patch", "leases/kubescribe", "-n", namespace],
    ];
    const refused = [
      ["list", "secrets"],
      ["list", "secrets", "-n", "default"],
      ["create", "leases", "-n", namespace],
      ["get", "secrets/other", "-n", namespace],
      ["delete", "secrets/kubescribe-keys", "-n", namespace],
      ["get", "secrets/other", "-n", "default"],
      ["update", "configmaps"],
      ["update", "gitrepoconfigs.kubescribe.dev"],
      ["create", "validatingwebhookconfigurations"],
      ["update", "validatingwebhookconfigurations/other"],
      ["get", "namespaces/default"],
      ["create", "clusterroles"],
      ["update", "clusterroles/kubescribe"],
      ["list", "pods"],
    ];
    for (const right of allowed) expect({ right, may: await may(...right) }).toEqual({ right, may: true });
    for (const right of refused) expect({ right, may: await may(...right) }).toEqual({ right, may: false });
  });

  test("applied again, it changes nothing, whatever the process has filled in", async () => {
    const filled = {
      Secret: { data: { path: Buffer.from("/correlate/secret").toString("base64") } },
      Lease: { spec: { holderIdentity: "kubescribe-1", leaseDurationSeconds: 15 } },
      ValidatingWebhookConfiguration: { webhooks: [webhookWith(plane.caPem)] },
    } as const;
    for (const object of printed.objects) {
      const fill = filled[object.kind as keyof typeof filled];
      if (fill === undefined) continue;
      const patch = [
        "patch",
        object.kind,
        object.metadata.name,
        "--type=merge",
        "-p",
        JSON.stringify(fill),
        // It updates its keys, and may not patch them.
        ...(object.metadata.name === "kubescribe-keys" ? [] : ["--as", account]),
      ];
      const scope = object.metadata.namespace === undefined ? [] : ["-n", object.metadata.namespace];
      expect(await plane.kubectl("admin", [...patch, ...scope])).toMatchObject({ code: 0, stderr: "" });
    }
    const watched = printed.objects.filter(({ kind }) => kind !== "Deployment" && kind !== "PodDisruptionBudget");
    const before = await versions(watched);
    expect(await plane.kubectl("admin", ["diff", ...how, "-f", "-"], printed.text)).toMatchObject({
      code: 0,
      stdout: "",
    });
    expect(await apply(printed.text)).toMatchObject({ code: 0 });
    expect(await versions(watched)).toEqual(before);
  });

  test("other options, and back: what is no longer printed can be pruned by hand", async () => {
    const other = install([
      "--watch",
      "apps/deployments",
      "--storage",
      "pvc",
      "--certificates",
      "files",
      "--",
      "--log-level=debug",
    ]);
    expect(await apply(other.text)).toMatchObject({ code: 0, stderr: "" });
    for (const object of other.objects) expect(await live(object)).toMatchObject(object);
    expect(await apply(printed.text)).toMatchObject({ code: 0, stderr: "" });
    for (const object of printed.objects) expect(await live(object)).toMatchObject(object);
  });

  test("upgrades the types from older ones, and rolls them back, and the rules outlive both", async () => {
    const older = printed.text.replace("- wr\n", "- old\n");
    expect(older).not.toBe(printed.text);
    const names = async (): Promise<string> =>
      (
        await plane.kubectl("admin", [
          "get",
          "crd",
          "watchrules.kubescribe.dev",
          "-o",
          "jsonpath={.spec.names.shortNames}",
        ])
      ).stdout;
    expect(await plane.kubectl("admin", ["apply", ...how, "-f", "-"], rules)).toMatchObject({ code: 0, stderr: "" });
    for (const [text, expected] of [
      [older, '["old"]'],
      [printed.text, '["wr"]'],
      [older, '["old"]'],
      [printed.text, '["wr"]'],
    ] as const) {
      expect(await apply(text)).toMatchObject({ code: 0, stderr: "" });
      expect(await names()).toBe(expected);
    }
    expect(await plane.kubectl("admin", ["diff", ...how, "-f", "-"], rules)).toMatchObject({ code: 0, stdout: "" });
  });

  test("its pods pass the Pod Security level restricted, and a looser one would not", async () => {
    const variants = [[], ["--storage", "pvc"], ["--certificates", "cert-manager"]].map(
      (args) => install(args).objects.find(({ kind }) => kind === "Deployment") as ManifestObject,
    );
    for (const { spec } of variants) {
      const { template } = spec as { readonly template: { readonly spec: object } };
      const pod = (podSpec: object): object => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "probe" },
        spec: podSpec,
      });
      const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
      const good = await plane.request("admin", "POST", path, pod(template.spec));
      expect({ status: good.status, warning: good.headers["warning"] }).toEqual({ status: 201, warning: undefined });
      const bad = await plane.request("admin", "POST", path, pod({ ...template.spec, securityContext: {} }));
      expect(bad.text).toContain("violates PodSecurity");
    }
  });

  test("names that YAML could take for something else are names to kubectl", async () => {
    const names = ["on", "no", "null", "true", "1", "1e3", "0x1", "2026-01-02"];
    const texts = names.map((name) => {
      const { text } = install(["--namespace", name]);
      return text.slice(0, text.indexOf("---", text.indexOf("kind: Namespace")));
    });
    const { code, stdout } = await plane.kubectl(
      "admin",
      ["create", "--dry-run=server", "-o", "name", "-f", "-"],
      texts.join(""),
    );
    expect({ code, named: stdout.trim().split("\n") }).toEqual({
      code: 0,
      named: names.map((name) => `namespace/${name}`),
    });
  });

  test("deleted, it leaves nothing that blocks a write", async () => {
    const { code, stderr } = await plane.kubectl(
      "admin",
      ["delete", "--ignore-not-found", "--timeout=60s", "-f", "-"],
      printed.text,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const object of printed.objects)
      expect((await plane.request("admin", "GET", pathOf(object))).status).toBe(404);
    expect(await plane.kubectl("alice", ["create", "configmap", "after"])).toMatchObject({ code: 0 });
  });
});

describe("install --check", () => {
  let plane: ControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, numberedUsers: 0 });
  });

  afterAll(() => plane[Symbol.asyncDispose]());

  function check(): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
    const argv = [main, "install", "--check", "--kubeconfig", plane.kubeconfig("admin")];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8", timeout: 60_000 });
    return { code: status, stdout, stderr };
  }

  test("says of an empty cluster that all of it lacks", () => {
    const { code, stdout, stderr } = check();
    expect(stderr).toBe("");
    expect(stdout).toContain(`ok      API server        v${kubernetesVersions[minorUnderTest()]} (tested`);
    expect(stdout).toMatch(/^ok +your rights +you may install/m);
    expect(stdout).toMatch(/^LACKS +custom resources +gitrepoconfigs\.kubescribe\.dev is not there/m);
    expect(stdout).toMatch(/^LACKS +process +there is no Deployment kubescribe/m);
    expect(stdout).toMatch(/^LACKS +webhook +there is no ValidatingWebhookConfiguration/m);
    expect(code).toBe(1);
  });

  test("prints the YAML of the rights that its rules need, and is content when they are given", async () => {
    await plane.kubectl("admin", ["apply", "-f", "-"], install(["--watch", "configmaps"]).text);
    const applied = await eventually(async () => {
      const answer = await plane.kubectl("admin", ["apply", "-f", "-"], rules);
      return answer.code === 0 ? answer : undefined;
    });
    expect(applied.code).toBe(0);
    const before = await eventually(() => {
      const found = check();
      return found.stdout.includes("may not watch apps/deployments, which") ? found : undefined;
    });
    expect(before.stdout).toMatch(/^ok +custom resources +3, of this version/m);
    expect(before.stdout).toMatch(/^ok +rights +kubescribe may keep its rules/m);
    expect(before.stdout).toMatch(/^LACKS +rights +kubescribe may not read Secret default\/git/m);
    expect(before.stdout).toMatch(/^LACKS +credentials +there is no Secret default\/git/m);
    expect(before.stdout).toMatch(/^LACKS +process +0 of 1 pods ready/m);
    expect(before.stdout).toMatch(/^LACKS +webhook +no write is reviewed/m);
    const yaml = before.stdout.slice(before.stdout.indexOf("apiVersion:"));
    expect(await plane.kubectl("admin", ["apply", "-f", "-"], yaml)).toMatchObject({ code: 0, stderr: "" });
    const made = await plane.kubectl("admin", ["create", "secret", "generic", "git", "--from-literal=password=hidden"]);
    expect(made).toMatchObject({ code: 0 });
    const after = await eventually(() => {
      const found = check();
      return found.stdout.includes("may watch all 2 types") ? found : undefined;
    });
    expect(after.stdout).toMatch(/^ok +rights +kubescribe may read Secret default\/git/m);
    expect(after.stdout).not.toMatch(/credentials|hidden/);
  });

  test("sees a webhook that somebody altered, and types that are not of this version", async () => {
    const altered = { ...webhookWith(plane.caPem), failurePolicy: "Fail", timeoutSeconds: 30 };
    const patch = (kind: string, name: string, change: object): ReturnType<ControlPlane["kubectl"]> =>
      plane.kubectl("admin", ["patch", kind, name, "--type=merge", "-p", JSON.stringify(change)]);
    await patch("validatingwebhookconfiguration", "kubescribe", { webhooks: [altered] });
    await patch("crd", "watchrules.kubescribe.dev", { spec: { versions: [olderVersion] } });
    const { code, stdout } = check();
    expect(stdout).toMatch(/^LACKS +webhook +changes\.kubescribe\.dev does not fail open/m);
    expect(stdout).toMatch(/changes\.kubescribe\.dev waits for 30 s: expected 2/);
    expect(stdout).toMatch(/^LACKS +custom resources +watchrules\.kubescribe\.dev is of another version/m);
    expect(code).toBe(1);
  });

  test("ends with 2 where there is no cluster to ask", () => {
    const argv = [main, "install", "--check", "--kubeconfig", "/nowhere/config"];
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
    expect(stderr).toContain("The kubeconfig /nowhere/config cannot be read");
    expect(status).toBe(2);
  });
});

/** As the process writes it, in essence. */
function webhookWith(caPem: string): object {
  return {
    name: "changes.kubescribe.dev",
    admissionReviewVersions: ["v1"],
    sideEffects: "NoneOnDryRun",
    failurePolicy: "Ignore",
    timeoutSeconds: 2,
    clientConfig: {
      service: { namespace, name: "kubescribe", port: 443, path: "/correlate/secret" },
      caBundle: Buffer.from(caPem).toString("base64"),
    },
    rules: [{ apiGroups: ["example.com"], apiVersions: ["v1"], resources: ["things"], operations: ["CREATE"] }],
  };
}

const olderVersion = {
  name: "v1alpha1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
};

const rules = `apiVersion: kubescribe.dev/v1alpha1
kind: GitRepoConfig
metadata: {name: history, namespace: default}
spec: {url: "https://git.example.com/history.git", secretRef: {name: git}}
---
apiVersion: kubescribe.dev/v1alpha1
kind: ClusterWatchRule
metadata: {name: workloads}
spec:
  repo: {name: history, namespace: default}
  rules:
  - {apiGroups: ["", apps], resources: [configmaps, deployments]}
`;
