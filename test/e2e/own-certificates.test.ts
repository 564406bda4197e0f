/** An installation whose certificate is not its own: what stands in caBundle, what `--check` says of it, and what replicas tell each other. */

import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { GivenCertificate } from "./given-certificate.ts";
import { git, readCommits } from "./history.ts";
import { install } from "./installation.ts";
import { configMaps, namespace } from "./installed.ts";
import { type Pod, Pods } from "./pods.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

describe("an installation with --certificates files", () => {
  let plane: ControlPlane;
  let backend: HttpBackend;
  let pods: Pods;
  let pod: Pod;
  let repository = "";
  let certificate: GivenCertificate;

  const apply = async (text: string): Promise<void> => {
    const applied = await plane.kubectl("admin", ["apply", "-f", "-"], text);
    if (applied.code !== 0) throw new Error(applied.stderr);
  };
  const check = (): string => {
    const args = [main, "install", "--check", "--certificates", "files", "--kubeconfig", plane.kubeconfig("admin")];
    return spawnSync(process.execPath, args, { encoding: "utf8" }).stdout;
  };
  const covered = (value: number): Promise<true> =>
    eventually(async () => ((await pod.metric("webhook_covered")) === value ? true : undefined), {
      timeoutMs: 90_000,
      everyMs: 500,
      what: `webhook_covered ${value}`,
    });

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, numberedUsers: 0 });
    repository = join(plane.directory, "remotes", "history.git");
    await git("/", ["init", "-q", "--bare", "-b", "main", repository]);
    await git(repository, ["config", "http.receivepack", "true"]);
    backend = await HttpBackend.start({ root: join(plane.directory, "remotes") });
    const args = ["--watch", "configmaps", "--certificates", "files", "--", `--allow=${backend.url("")}`];
    await apply(install(args).text);
    certificate = new GivenCertificate(plane);
    await certificate.make(1);
    const apiVersion = "kubescribe.dev/v1alpha1";
    const metadata = { name: "history", namespace: "default" };
    const repo = { apiVersion, kind: "GitRepoConfig", metadata, spec: { url: backend.url("history.git") } };
    const rules = [{ apiGroups: [""], resources: ["configmaps"] }];
    const rule = { apiVersion, kind: "WatchRule", metadata, spec: { repo: { name: "history" }, rules } };
    await apply([repo, rule].map((document) => JSON.stringify(document)).join("\n---\n"));
    pods = await Pods.open(plane, { namespace, name: "kubescribe" });
    pod = await pods.start();
    await pod.ready();
  });

  afterAll(async () => {
    await pods?.[Symbol.asyncDispose]();
    await backend?.[Symbol.asyncDispose]();
    await plane?.[Symbol.asyncDispose]();
  });

  test(
    "has no caBundle until somebody writes it, and nothing of ours takes it away",
    { timeout: 240_000 },
    async () => {
      await eventually(async () => ((await certificate.entries()).length === 3 ? true : undefined), {
        timeoutMs: 60_000,
      });
      expect((await certificate.entries()).every(({ clientConfig }) => clientConfig.caBundle === undefined)).toBe(true);
      await covered(0);
      expect(check()).toMatch(
        /^LACKS +certificate +caBundle does not lead to it, or is empty, in changes[^]*Write the authority/m,
      );
      await certificate.trust();
      await covered(1);
      expect(check()).toMatch(/^ok +certificate +it is for kubescribe\.kubescribe-system\.svc, and trusted$/m);
      // What somebody else changed is put right, and this stays.
      const [{ name } = { name: "" }] = await certificate.entries();
      expect(name).toBe("changes.kubescribe.dev");
      await certificate.patch({ op: "replace", path: "/webhooks/0/timeoutSeconds", value: 9 });
      await eventually(
        async () => (JSON.stringify(await certificate.entries()).includes('"timeoutSeconds":9') ? undefined : true),
        { timeoutMs: 60_000 },
      );
      const { caBundle } = certificate;
      const found = (await certificate.entries()).map(({ clientConfig }) => clientConfig.caBundle);
      expect(found).toEqual([caBundle, caBundle, caBundle]);
    },
  );

  test("hands reviews on to the replica that records", { timeout: 240_000 }, async () => {
    const other = await pods.start();
    await other.ready();
    pods.leadTo(other);
    // The first review may be on a connection that was cut.
    await plane.request("admin", "POST", configMaps, { metadata: { name: "first" } });
    const names = Array.from({ length: 10 }, (_, index) => `handed-${index}`);
    for (const name of names) await plane.request("alice", "POST", configMaps, { metadata: { name } });
    const tiers = await eventually(
      async () => {
        const commits = (await readCommits(repository)).filter(({ resource }) => / default\/handed-\d$/.test(resource));
        return commits.length === names.length ? commits.map(({ tier, user }) => `${tier} ${user}`) : undefined;
      },
      { timeoutMs: 60_000, what: "the commits" },
    );
    expect(await other.metric("webhook_handed_on_total", 'outcome="done"')).toBeGreaterThanOrEqual(names.length);
    expect(tiers).toEqual(names.map(() => "exact alice"));
  });

  test("is what verify finds, by the rules of the cluster", { timeout: 120_000 }, async () => {
    // The remote is served by this process: it must not wait.
    const verify = (...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> =>
      promisify(execFile)(process.execPath, [main, "verify", "--kubeconfig", plane.kubeconfig("admin"), ...args]);
    const equal = await verify(`--allow=${backend.url("")}`);
    expect(equal.stderr).toBe("");
    expect(equal.stdout).toMatch(/equal: \d+ files/);
    await expect(verify()).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /none that is followed[^]*GitRepoConfig default\/history is not followed/,
      ) as string,
    });
  });
});
