/** The keys of an installation, on a real control plane: pods that begin with nothing go on with those of the pods before. */

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { InstallationKeys } from "../../src/composition/installation-keys.ts";
import { nodeClock } from "../../src/composition/node-clock.ts";
import { connectApiServer } from "../../src/kubernetes/api-server.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { createRecorder } from "../admission/recorder.ts";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { kubeconfigText } from "../controlplane/credentials.ts";
import { eventually } from "../controlplane/eventually.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { type Commit, git, readCommits } from "./history.ts";
import { install } from "./installation.ts";
import { type Pod, Pods, root } from "./pods.ts";

const namespace = "kubescribe-system";
const account = { name: "kubescribe", namespace };
const keysPath = `/api/v1/namespaces/${namespace}/secrets/kubescribe-keys`;
const secrets = "/api/v1/namespaces/default/secrets";
/** As docs/OPERATIONS.md has it. */
const inSecret = (verb: string): readonly string[] => ["-n", namespace, verb, "secret", "kubescribe-keys"];
const policies = ["omit", "encrypt"] as const;

describe("the keys of an installation", () => {
  let plane: ControlPlane;
  let backend: HttpBackend;
  let pods: Pods;
  let pod: Pod;
  let manifests = "";

  const apply = async (text: string, how: readonly string[] = []): Promise<void> => {
    const applied = await plane.kubectl("admin", ["apply", ...how, "-f", "-"], text);
    if (applied.code !== 0) throw new Error(applied.stderr);
  };
  const repository = (policy: string): string => join(plane.directory, "remotes", `${policy}.git`);
  const commits = (policy: string): Promise<readonly Commit[]> => readCommits(repository(policy));
  const formats = async (): Promise<number> =>
    (await Promise.all(policies.map(commits))).flat().filter(({ kind }) => kind === "format").length;
  const files = (): Promise<readonly string[]> =>
    Promise.all(
      policies.map((policy) => git(repository(policy), ["show", "main:cluster/default/core/secrets/token.yaml"])),
    );
  /** As they stand in the files, without labels, which change. */
  const values = async (): Promise<readonly string[]> =>
    (await files()).map((text) => text.replace(/^ {4}turn: .*\n/m, "").replace(/^ {2}mac: .*\n/m, ""));
  const data = async (): Promise<Readonly<Record<string, string>>> =>
    (JSON.parse((await plane.request("admin", "GET", keysPath)).text) as { data?: Record<string, string> }).data ?? {};
  const keep = async (data: Readonly<Record<string, string | null>>): Promise<void> => {
    const answer = await plane.request("admin", "PATCH", keysPath, { data });
    if (answer.status !== 200) throw new Error(answer.text);
  };
  const ready = async (): Promise<{ readonly reason: string; readonly message: string }> => {
    const found = await plane.kubectl("admin", ["get", "gitrepoconfig", "omit", "-n", "default", "-o", "json"]);
    const { status = {} } = JSON.parse(found.stdout) as {
      readonly status?: { readonly conditions?: readonly { type: string; reason: string; message: string }[] };
    };
    return status.conditions?.find(({ type }) => type === "Ready") ?? { reason: "none", message: "" };
  };
  const becomes = (reason: string): Promise<string> =>
    eventually(
      async () => {
        const found = await ready();
        return found.reason === reason ? found.message : undefined;
      },
      { timeoutMs: 120_000, everyMs: 500, what: `Ready: ${reason}` },
    ).catch(async (error: unknown) => {
      throw new Error(`${String(error)}, found ${JSON.stringify(await ready())}\n${pod.tail}`);
    });
  /** A change of both files that comes by itself alone, and is committed: whatever a pod rewrites at its start is then in the history. */
  const changeLabel = async (turn: string): Promise<void> => {
    const before = (await commits("encrypt")).length;
    await plane.request("alice", "PATCH", `${secrets}/token`, { metadata: { labels: { turn } } });
    await eventually(
      async () => ((await files()).every((text) => text.includes(`turn: ${turn}\n`)) ? true : undefined),
      {
        timeoutMs: 90_000,
        everyMs: 250,
        what: `the label ${turn}, after ${before} commits`,
      },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${pods.logs}`);
    });
  };

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, numberedUsers: 0 });
    const recipients = [await identityToRecipient(await generateX25519Identity())];
    for (const policy of policies) {
      await git("/", ["init", "-q", "--bare", "-b", "main", repository(policy)]);
      await git(repository(policy), ["config", "http.receivepack", "true"]);
    }
    backend = await HttpBackend.start({ root: join(plane.directory, "remotes") });
    manifests = install(["--watch", "secrets", "--", `--allow=${backend.url("")}`]).text;
    await apply(manifests);
    const documents = policies.flatMap((policy) => {
      const spec = { url: backend.url(`${policy}.git`), branch: "main", path: "cluster" };
      const apiVersion = "kubescribe.dev/v1alpha1";
      const metadata = { name: policy, namespace: "default" };
      return [
        {
          apiVersion,
          kind: "GitRepoConfig",
          metadata,
          spec: { ...spec, secrets: policy === "omit" ? { policy } : { policy, recipients } },
        },
        {
          apiVersion,
          kind: "WatchRule",
          metadata,
          spec: { repo: { name: policy }, rules: [{ apiGroups: [""], resources: ["secrets"] }] },
        },
      ];
    });
    await apply(documents.map((document) => JSON.stringify(document)).join("\n---\n"));
    pods = await Pods.open(plane, { namespace, name: "kubescribe" });
  });

  afterAll(async () => {
    await pods?.[Symbol.asyncDispose]();
    await backend?.[Symbol.asyncDispose]();
    await plane?.[Symbol.asyncDispose]();
  });

  test(
    "are made by one of two pods that begin at once, and the other goes on with them",
    { timeout: 240_000 },
    async () => {
      const both = await Promise.all([pods.start(), pods.start()]);
      await Promise.all(both.map((each) => each.ready()));
      const holder = await eventually(async () => {
        for (const each of both) if ((await each.metric("lease_held")) === 1) return each;
        return undefined;
      });
      const body = { metadata: { name: "token", labels: { turn: "first" } }, stringData: { a: "one", b: "two" } };
      await plane.request("alice", "POST", secrets, body);
      pod = both.find((each) => each !== holder) ?? holder;
      await eventually(async () => ((await files().catch(() => null)) === null ? undefined : true), {
        timeoutMs: 90_000,
        what: "the first files",
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${pods.logs}`);
      });
      const [before, held] = [await values(), await data()];
      expect(
        Object.keys(held)
          .map((name) => name.replace(/[0-9a-f]{32}/, "*"))
          .toSorted(),
      ).toEqual(["installation.key", "sops-*.json"]);
      await holder.kill();
      await eventually(async () => ((await pod.metric("lease_held")) === 1 ? true : undefined), { timeoutMs: 60_000 });
      await changeLabel("second");
      expect(await data()).toEqual(held);
      expect(await values()).toEqual(before);
      expect(await formats()).toBe(0);
    },
  );

  test("outlive pods without volumes, and being applied again", { timeout: 240_000 }, async () => {
    const [before, held] = [await values(), await data()];
    for (const how of [[], ["--server-side", "--force-conflicts"], []]) await apply(manifests, how);
    expect(await data()).toEqual(held);
    for (const turn of ["third", "fourth"]) {
      expect(await pod.stop()).toBe(0);
      pod = await pods.start();
      await pod.ready();
      await changeLabel(turn);
    }
    expect(await data()).toEqual(held);
    expect(await values()).toEqual(before);
    expect(await formats()).toBe(0);
  });

  test(
    "are what verify looks with, and what it asks for where it is not led to them",
    { timeout: 120_000 },
    async () => {
      // The remote is served by this process: it must not wait.
      const verify = (...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> => {
        const given = ["--kubeconfig", plane.kubeconfig("admin"), `--allow=${backend.url("")}`];
        return promisify(execFile)(process.execPath, [join(root, "src/main.ts"), "verify", ...given, ...args]);
      };
      const { stdout, stderr } = await verify();
      expect(stderr).toBe("");
      expect(stdout.match(/equal: \d+ files?/g)).toHaveLength(policies.length);
      await expect(verify("--namespace", "default")).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringContaining("Secret default/kubescribe-keys (there is none) or") as string,
      });
    },
  );

  test(
    "that somebody damaged are refused, and said to be, and are used again when they are put back",
    { timeout: 240_000 },
    async () => {
      const copy = await plane.kubectl("admin", [...inSecret("get"), "-o", "jsonpath={.data}"]);
      await keep({ "installation.key": Buffer.from("hunter2").toString("base64") });
      const message = await becomes("Unusable");
      expect(message).toContain("installation.key: expected 64 hex digits, found 7 other bytes");
      expect(message).not.toContain("hunter2");
      await changeLabel("fifth");
      expect(Buffer.from((await data())["installation.key"] ?? "", "base64").toString()).toBe("hunter2");
      await plane.kubectl("admin", [...inSecret("patch"), "-p", `{"data": ${copy.stdout}}`]);
      await becomes("Recording");
      expect(await formats()).toBe(0);
    },
  );

  test(
    "are others when a person puts another key in: one commit says so in each history",
    { timeout: 240_000 },
    async () => {
      const before = await values();
      const key = randomBytes(32).toString("hex");
      await plane.kubectl("admin", [...inSecret("patch"), "-p", `{"stringData": {"installation.key": "${key}"}}`]);
      await eventually(async () => ((await formats()) === 2 ? true : undefined), { timeoutMs: 150_000, everyMs: 500 });
      await changeLabel("sixth");
      expect(await formats()).toBe(2);
      for (const [index, text] of (await values()).entries()) expect(text).not.toBe(before[index]);
      expect(pods.logs).not.toContain(key);
    },
  );

  test(
    "that have no Secret, or may not be written, are a condition with what to add, which mends it",
    { timeout: 300_000 },
    async () => {
      const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/kubescribe`;
      const { rules } = JSON.parse((await plane.request("admin", "GET", role)).text) as {
        readonly rules: readonly { readonly resourceNames: readonly string[] }[];
      };
      // As an installation of before has it. That Secrets are watched lets the process read this one all the same.
      const fewer = rules.filter(({ resourceNames }) => !resourceNames.includes("kubescribe-keys"));
      expect(fewer).toHaveLength(rules.length - 1);
      expect((await plane.request("admin", "PATCH", role, { rules: fewer })).status).toBe(200);
      expect((await plane.request("admin", "DELETE", keysPath)).status).toBe(200);
      expect(await pod.stop()).toBe(0);
      pod = await pods.start();
      await pod.ready();
      // It goes on, with a key of its own.
      await changeLabel("seventh");
      const [own, count] = [await values(), await formats()];
      const message = await becomes("Missing");
      const yaml = message.slice(message.indexOf("\n") + 1);
      await apply(yaml.split("---\n", 1).join(""));
      expect(await becomes("Forbidden")).toContain(yaml);
      await apply(yaml);
      await becomes("Recording");
      expect(Object.keys(await data())).toHaveLength(2);
      await changeLabel("eighth");
      expect(await values()).toEqual(own);
      expect(await formats()).toBe(count);
    },
  );

  test(
    "are those of the faster one of two processes that both believe to hold the Lease",
    { timeout: 120_000 },
    async () => {
      await pods[Symbol.asyncDispose]();
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/kubescribe/token`;
      const { token } = (await plane.request("admin", "POST", path, {})).json()["status"] as { readonly token: string };
      const kubeconfig = join(plane.directory, "racers");
      const [url = ""] = plane.urls;
      writeFileSync(kubeconfig, kubeconfigText({ url, caPem: plane.caPem, user: "kubescribe", token }));
      const { meter, log } = createRecorder();
      for (let round = 0; round < 5; round += 1) {
        await keep(Object.fromEntries(Object.keys(await data()).map((name) => [name, null])));
        const racers = [1, 2, 3].map(async (byte) => {
          const files = new MemoryFileSystem(createSimulatedClock());
          await files.makeDirectory("/data");
          await using api = await connectApiServer({ kubeconfig, clock: nodeClock, files: { readFile }, meter, log });
          await using keys = new InstallationKeys({ api, clock: nodeClock, log, files, dataDir: "/data", account });
          keys.office = { holds: true, follow: () => undefined };
          const texts = await keys.begin(new AbortController().signal);
          return await texts.take("installation.key", () => Promise.resolve(`${String(byte).repeat(64)}\n`));
        });
        const [first = "", ...others] = await Promise.all(racers);
        for (const other of others) expect(other).toBe(first);
        expect(await data()).toEqual({ "installation.key": Buffer.from(first).toString("base64") });
      }
    },
  );
});
