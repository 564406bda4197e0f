/** `kubescribe run` and `kubescribe verify` as processes: what a user types, against a real API server. */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { nodeClock } from "../../src/composition/node-clock.ts";
import { makeCertificate } from "../../src/simulator/certificate.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { freePorts } from "../controlplane/ports.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("run and verify", () => {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-verify-"));
  const repository = join(directory, "history.git");
  const rules = join(directory, "rules.yaml");
  let plane: ControlPlane;
  let metricsPort = 0;
  let child: ReturnType<typeof spawn> | null = null;

  beforeAll(async () => {
    plane = await startControlPlane();
    [metricsPort = 0] = await freePorts(1);
    const certificate = await makeCertificate("kubescribe", nodeClock);
    writeFileSync(join(directory, "tls.crt"), certificate.certificatePem);
    writeFileSync(join(directory, "tls.key"), certificate.keyPem);
    writeFileSync(rules, rulesFor(repository));
  });

  afterAll(async () => {
    child?.kill("SIGKILL");
    await plane[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  function start(): ReturnType<typeof spawn> {
    const files = ["--tls-cert-file", join(directory, "tls.crt"), "--tls-key-file", join(directory, "tls.key")];
    const places = ["--admission-address", "127.0.0.1:0", "--metrics-address", `127.0.0.1:${metricsPort}`];
    const cluster = [
      "--kubeconfig",
      plane.kubeconfig("admin"),
      "--config",
      rules,
      "--data-dir",
      join(directory, "data"),
    ];
    return spawn(process.execPath, [main, "run", ...cluster, ...files, ...places], { stdio: "inherit" });
  }

  function verify(...args: readonly string[]): Outcome {
    return verifyWith(join(directory, "data"), ...args);
  }

  function verifyWith(dataDir: string, ...args: readonly string[]): Outcome {
    const cluster = ["--kubeconfig", plane.kubeconfig("admin"), "--config", rules, "--data-dir", dataDir];
    const argv = [main, "verify", ...cluster, ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8", timeout: 60_000 });
    return { code: status, stdout, stderr };
  }

  async function stop(): Promise<number | null> {
    const stopped = new Promise<number | null>((resolve) => child?.once("exit", resolve));
    child?.kill("SIGTERM");
    return await stopped;
  }

  test("before anything ran, verify says what is missing", () => {
    const { code, stderr } = verify();
    expect(stderr).toContain(`expected a git repository at ${repository}, found none`);
    expect(code).toBe(2);
  });

  test("what run commits, verify finds equal; and it ends in an orderly way", async () => {
    await plane.kubectl("alice", ["create", "configmap", "greeting", "--from-literal=text=hello"]);
    await plane.kubectl("alice", ["create", "secret", "generic", "token", "--from-literal=a=b"]);
    child = start();
    await eventually(async () => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status === 200 || undefined);
    await plane.kubectl("bob", ["create", "configmap", "farewell", "--from-literal=text=bye"]);
    const { code, stdout, stderr } = verify();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/equal: \d+ files/);
    const lost = verifyWith(join(directory, "nowhere"));
    expect(lost.stderr).toContain(`${join(directory, "nowhere/installation.key")}: expected the installation key`);
    expect(lost.code).toBe(2);
    expect(await stop()).toBe(0);
  });

  test("what changes while nobody watches is a difference, each of its kind", async () => {
    await plane.kubectl("bob", ["delete", "configmap", "farewell"]);
    await plane.kubectl("bob", ["create", "configmap", "late"]);
    await plane.kubectl("bob", ["label", "configmap", "greeting", "mood=good"]);
    await plane.kubectl("bob", ["patch", "secret", "token", "--patch", '{"stringData":{"a":"c"}}']);
    const { code, stdout } = verify("--json");
    expect(code).toBe(1);
    const { targets } = JSON.parse(stdout) as { targets: { differences: { kind: string; path: string }[] }[] };
    expect(targets[0]?.differences.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "extra default/core/configmaps/farewell.yaml",
      "different default/core/configmaps/greeting.yaml",
      "missing default/core/configmaps/late.yaml",
      "different default/core/secrets/token.yaml",
    ]);
    expect(verify().stdout).toContain("4 differences in");
  });

  test("after a restart they are gone", async () => {
    child = start();
    await eventually(async () => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status === 200 || undefined);
    expect(verify().code).toBe(0);
    expect(await stop()).toBe(0);
  });
});

function rulesFor(repository: string): string {
  return `apiVersion: kubescribe.dev/v1alpha1
kind: GitRepoConfig
metadata: {name: history, namespace: default}
spec: {url: "file://${repository}"}
---
apiVersion: kubescribe.dev/v1alpha1
kind: ClusterWatchRule
metadata: {name: everything}
spec:
  repo: {name: history, namespace: default}
  rules:
  - {apiGroups: ["", rbac.authorization.k8s.io], resources: [configmaps, secrets, services, namespaces, clusterroles]}
`;
}
