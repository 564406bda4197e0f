/**
 * What an installation needs that is not of it: a control plane, a Git server, rules, and a node for its pods. Owns them all. What is installed,
 * by which commands and from which checkout, is up to the test.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { HttpBackend } from "../remote/http-backend.ts";
import { type Commit, git, readCommits } from "./history.ts";
import { type Pod, Pods, root } from "./pods.ts";

export const namespace = "kubescribe-system";
export const configMaps = "/api/v1/namespaces/default/configmaps";

export class Installed implements AsyncDisposable {
  readonly plane: ControlPlane;
  /** Where the history is pushed to. */
  readonly repository: string;
  readonly #backend: HttpBackend;
  #pods: Pods | null = null;

  static async open(): Promise<Installed> {
    const plane = await startControlPlane({ controllers: true, numberedUsers: 0 });
    const remotes = join(plane.directory, "remotes");
    const repository = join(remotes, "history.git");
    await git("/", ["init", "-q", "--bare", "-b", "main", repository]);
    await git(repository, ["config", "http.receivepack", "true"]);
    return new Installed(plane, repository, await HttpBackend.start({ root: remotes }));
  }

  private constructor(plane: ControlPlane, repository: string, backend: HttpBackend) {
    this.plane = plane;
    this.repository = repository;
    this.#backend = backend;
  }

  get url(): string {
    return this.#backend.url("history.git");
  }

  /** For the process: its Git server is of this machine, which an address from a document may not name otherwise. */
  get allow(): string {
    return `--allow=${this.#backend.url("")}`;
  }

  /** Documents for `kubectl apply`. */
  rules(): string {
    const documents = [
      {
        kind: "GitRepoConfig",
        metadata: { name: "history", namespace: "default" },
        spec: { url: this.url, branch: "main", path: "cluster" },
      },
      {
        kind: "ClusterWatchRule",
        metadata: { name: "everything" },
        spec: {
          repo: { name: "history", namespace: "default" },
          rules: [{ apiGroups: [""], resources: ["configmaps"] }],
        },
      },
    ];
    return documents
      .map((document) => JSON.stringify({ apiVersion: "kubescribe.dev/v1alpha1", ...document }))
      .join("\n---\n");
  }

  /** A pod of the Deployment as it is now, with the program of `source`. Resolves when its process runs. */
  async start(source = root): Promise<Pod> {
    this.#pods ??= await Pods.open(this.plane, { namespace, name: "kubescribe" });
    return await this.#pods.start(source);
  }

  readonly commits = (): Promise<readonly Commit[]> => readCommits(this.repository);

  /** Resolves, when there are so many, to the commits of a resource such as `default/web`; of anything, when it is empty. */
  async waitForCommits(resource: string, count: number, pod: Pod): Promise<readonly Commit[]> {
    const of = (commit: Commit): boolean => resource === "" || commit.resource.endsWith(` ${resource}`);
    return await patiently(pod, `${count} commits of ${resource}`, async () => {
      const found = (await this.commits()).filter(of);
      return found.length >= count ? found : undefined;
    });
  }

  /** Resolves when this pod records what happens from now on, and writes come to it with their author. */
  async recorded(pod: Pod): Promise<void> {
    await patiently(pod, "a recording", async () => {
      const lines = (await pod.readiness()).split("\n");
      const told = ["[+] watch core/configmaps", "[+] repository default/history"];
      return told.every((line) => lines.includes(line)) ? true : undefined;
    });
    await this.reviewed(pod);
  }

  /** Resolves when a review came to this pod. */
  async reviewed(pod: Pod): Promise<void> {
    await patiently(pod, "a review", async () => {
      await this.plane.request("admin", "POST", `${configMaps}?dryRun=All`, { metadata: { generateName: "probe-" } });
      return (await pod.metric("webhook_requests_total")) > 0 ? true : undefined;
    });
  }

  /** What the API server says of reviews that it went on without. */
  failedOpen(): readonly string[] {
    const log = readFileSync(join(this.plane.directory, "kube-apiserver-0.log"), "utf8");
    return log.split("\n").filter((line) => line.includes("failing open"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pods?.[Symbol.asyncDispose]();
    await this.#backend[Symbol.asyncDispose]();
    await this.plane[Symbol.asyncDispose]();
  }
}

/** With the end of the pod's log, when it is in vain. */
async function patiently<Found>(pod: Pod, what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  try {
    return await eventually(look, { timeoutMs: 60_000, everyMs: 100, what });
  } catch (cause) {
    throw new Error(`${String(cause)}\n${pod.tail}`, { cause });
  }
}
