/** The life of an installation: what `kubescribe install` prints, applied by kubectl, and its pods started from the applied Deployment. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { type Commit, doubled, fsck, git, readCommits } from "./history.ts";
import { Load } from "./load.ts";
import { type Pod, Pods } from "./pods.ts";

const namespace = "kubescribe-system";
const configMaps = "/api/v1/namespaces/default/configmaps";
const users = ["alice", "bob", "carol", "dave"];
const root = join(import.meta.dirname, "../..");

describe("an installation", () => {
  let plane: ControlPlane;
  let backend: HttpBackend;
  let pods: Pods;
  let repository: string;
  let pod: Pod;

  const install = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [join(root, "src/main.ts"), "install", ...args])).stdout;
  const apply = async (manifests: string): Promise<void> => {
    const applied = await plane.kubectl("admin", ["apply", "-f", "-"], manifests);
    if (applied.code !== 0) throw new Error(applied.stderr);
  };
  const rules = (resources: readonly string[]): string =>
    [
      {
        apiVersion: "kubescribe.dev/v1alpha1",
        kind: "GitRepoConfig",
        metadata: { name: "history", namespace: "default" },
        spec: { url: backend.url("history.git"), branch: "main", path: "cluster" },
      },
      {
        apiVersion: "kubescribe.dev/v1alpha1",
        kind: "ClusterWatchRule",
        metadata: { name: "everything" },
        spec: { repo: { name: "history", namespace: "default" }, rules: [{ apiGroups: [""], resources }] },
      },
    ]
      .map((document) => JSON.stringify(document))
      .join("\n---\n");
  const commits = (): Promise<readonly Commit[]> => readCommits(repository);
  const of = async (resource: string): Promise<readonly Commit[]> =>
    (await commits()).filter((commit) => commit.resource.endsWith(` ${resource}`));
  const waitForCommits = (resource: string, count: number): Promise<readonly Commit[]> =>
    eventually(
      async () => {
        const found = await of(resource);
        return found.length >= count ? found : undefined;
      },
      { timeoutMs: 60_000, everyMs: 250, what: `${count} commits of ${resource}` },
    ).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${pod.tail}\n${await pod.readiness()}`);
    });
  const status = async (kind: string, name: string): Promise<Record<string, unknown>> => {
    const found = await plane.kubectl("admin", ["get", kind, name, "-n", "default", "-o", "json"]);
    return (JSON.parse(found.stdout) as { readonly status?: Record<string, unknown> }).status ?? {};
  };
  const condition = async (kind: string, name: string, type: string): Promise<string> => {
    const { conditions = [] } = await status(kind, name);
    const found = (conditions as { readonly type: string; readonly status: string; readonly reason: string }[]).find(
      (each) => each.type === type,
    );
    return found === undefined ? "none" : `${found.status} ${found.reason}`;
  };
  const watches = (secrets: boolean): Promise<true> =>
    eventually(
      async () => {
        const { watchedTypes = [], conditions = [] } = await status("clusterwatchrule", "everything");
        const synced = (conditions as { readonly type: string; readonly status: string }[]).some(
          (each) => each.type === "Synced" && each.status === "True",
        );
        return synced && (watchedTypes as string[]).includes("secrets.v1") === secrets ? true : undefined;
      },
      { what: `Secrets to be ${secrets ? "watched" : "left alone"}` },
    );
  /** Writes come with their author, and by the webhook of the installation. */
  const reviewed = (): Promise<number> =>
    eventually(
      async () => {
        await plane.request("admin", "POST", `${configMaps}?dryRun=All`, { metadata: { generateName: "probe-" } });
        const requests = await pod.metric("webhook_requests_total");
        return requests > 0 ? requests : undefined;
      },
      { timeoutMs: 60_000, everyMs: 250, what: "a review" },
    );

  /** As text; empty where there is none. */
  const configuration = async (): Promise<string> => {
    const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/kubescribe";
    const answer = await plane.request("admin", "GET", path);
    if (answer.status === 404) return "";
    const { webhooks } = JSON.parse(answer.text) as { readonly webhooks: object };
    return JSON.stringify(webhooks);
  };

  beforeAll(async () => {
    plane = await startControlPlane({ controllers: true, numberedUsers: 0 });
    const remotes = join(plane.directory, "remotes");
    repository = join(remotes, "history.git");
    await git("/", ["init", "-q", "--bare", "-b", "main", repository]);
    await git(repository, ["config", "http.receivepack", "true"]);
    backend = await HttpBackend.start({ root: remotes });
  }, 120_000);

  afterAll(async () => {
    await pods?.[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  test("is made by three commands, and its process makes the first commit", { timeout: 180_000 }, async () => {
    await apply(
      await install(
        "--watch",
        "configmaps,secrets",
        "--",
        "--log-level=debug",
        "--renewal-wait-seconds=4",
        `--allow=${backend.url("")}`,
      ),
    );
    await apply(rules(["configmaps"]));
    pods = await Pods.open(plane, { namespace, name: "kubescribe" });
    pod = await pods.start();
    await eventually(async () => ((await commits()).length > 0 ? true : undefined), {
      timeoutMs: 60_000,
      what: `a commit\n${pod.tail}`,
    });
    await pod.ready();
    expect((await commits())[0]).toMatchObject({ kind: "snapshot" });
  });

  test("commits changes by their authors, and says in its status how it goes", { timeout: 120_000 }, async () => {
    await reviewed();
    await plane.request("alice", "POST", configMaps, { metadata: { name: "first" }, data: { by: "alice" } });
    await plane.request("bob", "PATCH", `${configMaps}/first`, { data: { by: "bob" } });
    expect(await waitForCommits("default/first", 2)).toMatchObject([
      { user: "alice", tier: "exact", operation: "CREATE" },
      { user: "bob", tier: "exact", operation: "UPDATE" },
    ]);
    await eventually(
      async () => ((await condition("gitrepoconfig", "history", "Pushed")) === "True Pushed" ? true : undefined),
      { timeoutMs: 40_000 },
    );
    expect(await condition("gitrepoconfig", "history", "Ready")).toBe("True Recording");
    await eventually(
      async () =>
        /^[0-9a-f]{40}$/.test(String((await status("gitrepoconfig", "history"))["lastCommit"])) ? true : undefined,
      { timeoutMs: 60_000, what: "the last commit in the status" },
    );
    expect(await status("clusterwatchrule", "everything")).toMatchObject({
      watchedTypes: expect.arrayContaining(["configmaps.v1"]) as unknown,
    });
  });

  test(
    "follows rules that change under load: nothing is lost or doubled, every author stays",
    { timeout: 240_000 },
    async () => {
      const load = await Load.start(plane, ["rules-a", "rules-b"], users);
      await load.acknowledged(20);
      await apply(rules(["configmaps", "secrets"]));
      await watches(true);
      await plane.request("alice", "POST", "/api/v1/namespaces/default/secrets", { metadata: { name: "new" } });
      expect((await waitForCommits("default/new", 1)).at(-1)).toMatchObject({ user: "alice", tier: "exact" });
      await apply(rules(["configmaps"]));
      await watches(false);
      await plane.request("bob", "PATCH", "/api/v1/namespaces/default/secrets/new", { data: { a: "YQ==" } });
      await load.acknowledged(20);
      await load.stop();
      expect(await load.judge({ repository, commits }, { gaps: false })).toEqual([]);
      // Nobody deleted it, and its type is recorded no more.
      expect(await of("default/new")).toHaveLength(1);
      expect(await git(repository, ["ls-tree", "-r", "--name-only", "main"])).toContain("secrets/new.yaml");
      expect(await configuration()).not.toContain("secrets");
    },
  );

  test("refuses a wrong rule, says why in its status, and goes on with the others", { timeout: 120_000 }, async () => {
    await apply(
      JSON.stringify({
        apiVersion: "kubescribe.dev/v1alpha1",
        kind: "GitRepoConfig",
        metadata: { name: "inner", namespace: "default" },
        spec: { url: "https://10.0.0.1/secret.git" },
      }),
    );
    await eventually(async () =>
      (await condition("gitrepoconfig", "inner", "Ready")) === "False Forbidden" ? true : undefined,
    );
    await plane.request("carol", "PATCH", `${configMaps}/first`, { data: { by: "carol" } });
    expect((await waitForCommits("default/first", 3)).at(-1)).toMatchObject({ user: "carol" });
    await plane.kubectl("admin", ["delete", "gitrepoconfig", "inner", "-n", "default"]);
  });

  test(
    "says which right it lacks, and what to add, and has it as soon as that is added",
    { timeout: 120_000 },
    async () => {
      const forbidden = async (): Promise<string | undefined> => {
        const { conditions = [] } = await status("clusterwatchrule", "everything");
        const found = (
          conditions as { readonly type: string; readonly reason: string; readonly message: string }[]
        ).find(({ type, reason }) => type === "Synced" && reason === "Forbidden");
        return found?.message;
      };
      await apply(rules(["configmaps", "services"]));
      const message = await eventually(forbidden, { timeoutMs: 40_000, what: "the condition" });
      expect(message).toMatch(/^This process may not watch services\.v1; add:\n/);
      await plane.request("carol", "PATCH", `${configMaps}/first`, { data: { by: "carol", n: "2" } });
      expect((await waitForCommits("default/first", 4)).at(-1)).toMatchObject({ user: "carol" });
      await apply(message.slice(message.indexOf("\n") + 1));
      await eventually(async () => ((await forbidden()) === undefined ? true : undefined), {
        timeoutMs: 60_000,
        what: "its end",
      });
      await plane.request("dave", "POST", "/api/v1/namespaces/default/services", {
        metadata: { name: "allowed" },
        spec: { ports: [{ port: 80 }] },
      });
      expect((await waitForCommits("default/allowed", 1)).at(-1)).toMatchObject({ user: "dave", tier: "exact" });
      await apply(rules(["configmaps"]));
    },
  );

  test("is updated under load: the newer pod takes over, and no author is missed", { timeout: 240_000 }, async () => {
    const load = await Load.start(plane, ["rolling-a", "rolling-b"], users);
    await load.acknowledged(30);
    for (let update = 0; update < 2; update += 1) {
      const older = pod;
      pod = await pods.start();
      await pod.ready();
      await load.acknowledged(20);
      expect(await older.stop()).toBe(0);
      await load.acknowledged(30);
    }
    await load.stop();
    expect(await load.judge({ repository, commits }, { gaps: false })).toEqual([]);
    expect(doubled(await commits())).toEqual([]);
    expect(await fsck(repository)).toBe("");
  });

  test(
    "renews its certificates under load: every write is reviewed, old and new are trusted meanwhile",
    { timeout: 240_000 },
    async () => {
      const secret = `/api/v1/namespaces/${namespace}/secrets/kubescribe-webhook`;
      const held = async (): Promise<Record<string, string>> =>
        (JSON.parse((await plane.request("admin", "GET", secret)).text) as { readonly data: Record<string, string> })
          .data;
      const before = await held();
      const load = await Load.start(plane, ["renewal-a", "renewal-b"], users);
      await plane.request("admin", "PATCH", secret, { metadata: { annotations: { "kubescribe.dev/rotate": "1" } } });
      await eventually(
        async () => {
          const now = await held();
          return now["tls.crt"] !== before["tls.crt"] &&
            now["path"] !== before["path"] &&
            (await configuration()).includes(now["ca.crt"] ?? "?")
            ? true
            : undefined;
        },
        { timeoutMs: 90_000, everyMs: 500, what: "the renewal" },
      );
      await load.acknowledged(30);
      await load.stop();
      expect(await load.judge({ repository, commits }, { gaps: false })).toEqual([]);
    },
  );

  test(
    "goes on with another replica where the holder is killed: nothing lost or doubled, and the history says so",
    { timeout: 240_000 },
    async () => {
      const load = await Load.start(plane, ["killed-a", "killed-b"], users);
      await load.acknowledged(20);
      const older = pod;
      pod = await pods.start();
      await pod.ready();
      await load.acknowledged(20);
      // What is not pushed yet goes with its disk, and so do the authors in its journal.
      load.reviewing = false;
      await load.acknowledged(80);
      await older.kill();
      await load.acknowledged(100);
      await eventually(async () => ((await pod.metric("lease_held")) === 1 ? true : undefined), {
        timeoutMs: 60_000,
        what: "a new holder",
      });
      load.reviewing = true;
      await load.acknowledged(40);
      await load.stop();
      expect(await load.judge({ repository, commits }, { gaps: false })).toEqual([]);
      expect(doubled(await commits())).toEqual([]);
      expect((await commits()).filter(({ kind }) => kind === "coverage").at(-1)?.subject).toMatch(/blind/i);
    },
  );

  test("is left behind by nothing that blocks a write", { timeout: 120_000 }, async () => {
    const removed = await plane.kubectl(
      "admin",
      ["delete", "-f", "-", "--wait=false"],
      await install("--watch", "configmaps,secrets"),
    );
    expect(removed.code).toBe(0);
    expect(await pod.stop()).toBe(0);
    expect((await plane.request("dave", "PATCH", `${configMaps}/first`, { data: { by: "dave" } })).status).toBe(200);
    expect(await configuration()).toBe("");
  });
});
