/** A control plane, a Git server, an installation and its pods. Owns them all, and what was measured of them. */

import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { git } from "../e2e/history.ts";
import { type Pod, Pods } from "../e2e/pods.ts";
import { HttpBackend } from "../remote/http-backend.ts";

/** Of one pod, in MiB, in the order of time. */
export interface Life {
  readonly pod: string;
  readonly rssMib: number[];
}

const namespace = "kubescribe-system";
const root = join(import.meta.dirname, "../..");
const ruleSets = [["configmaps"], ["configmaps", "secrets"], ["configmaps", "serviceaccounts"]];
const sampleSeconds = 5;

export class Household implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly repository: string;
  readonly lives: Life[] = [];
  readonly #backend: HttpBackend;
  readonly #pods: Pods;
  #pod: Pod;
  #ruleSet = 0;
  #rotations = 0;
  readonly #sampling: NodeJS.Timeout;

  static async start(): Promise<Household> {
    const plane = await startControlPlane({ controllers: true, numberedUsers: 0 });
    const remotes = join(plane.directory, "remotes");
    const repository = join(remotes, "history.git");
    await git("/", ["init", "-q", "--bare", "-b", "main", repository]);
    await git(repository, ["config", "http.receivepack", "true"]);
    const backend = await HttpBackend.start({ root: remotes });
    const args = [
      "--watch",
      "configmaps,secrets,serviceaccounts",
      "--",
      "--renewal-wait-seconds=4",
      `--allow=${backend.url("")}`,
    ];
    const manifests = await promisify(execFile)(process.execPath, [join(root, "src/main.ts"), "install", ...args]);
    await applied(plane, manifests.stdout);
    await applied(plane, rulesOf(backend, ruleSets[0] ?? []));
    const pods = await Pods.open(plane, { namespace, name: "kubescribe" });
    const pod = await pods.start();
    const made = new Household({ plane, repository, backend, pods, pod });
    await pod.ready();
    await made.#recording();
    return made;
  }

  private constructor(made: {
    readonly plane: ControlPlane;
    readonly repository: string;
    readonly backend: HttpBackend;
    readonly pods: Pods;
    readonly pod: Pod;
  }) {
    this.plane = made.plane;
    this.repository = made.repository;
    this.#backend = made.backend;
    this.#pods = made.pods;
    this.#pod = made.pod;
    this.#sampling = setInterval(() => this.#sample(), sampleSeconds * 1000);
  }

  rssMib(): number {
    return rssOf(this.#pod.pid);
  }

  async rest(seconds: number): Promise<void> {
    await delay(seconds * 1000);
  }

  async rotate(): Promise<void> {
    this.#rotations += 1;
    const path = `/api/v1/namespaces/${namespace}/secrets/kubescribe-webhook`;
    const annotations = { "kubescribe.dev/rotate": String(this.#rotations) };
    await this.plane.request("admin", "PATCH", path, { metadata: { annotations } });
  }

  async changeRules(): Promise<void> {
    this.#ruleSet += 1;
    await applied(this.plane, rulesOf(this.#backend, ruleSets[this.#ruleSet % ruleSets.length] ?? []));
  }

  async replacePod(): Promise<void> {
    const older = this.#pod;
    const newer = await this.#pods.start();
    await newer.ready();
    this.#pod = newer;
    const code = await older.stop();
    if (code !== 0) throw new Error(`${older.name} ended with ${String(code)}:\n${older.tail}`);
    await this.#recording();
  }

  /** Everything that was seen is committed and pushed. */
  async settled(patienceMs: number): Promise<void> {
    let head = "";
    await eventually(
      async () => {
        const next = await git(this.repository, ["rev-parse", "main"]);
        const same = next === head && (await this.#pod.metric("unpushed_commits")) === 0;
        head = next;
        return same ? true : undefined;
      },
      { timeoutMs: patienceMs, everyMs: 3_000, what: "the end of the pushes" },
    );
  }

  /** Copies the repository and what the pods said; returns the directory, which is the caller's from now on. */
  keep(): string {
    const directory = mkdtempSync(join(tmpdir(), "kubescribe-soak-"));
    cpSync(this.repository, join(directory, "history.git"), { recursive: true });
    for (const { pod } of this.lives) {
      cpSync(join(this.plane.directory, "pods", pod, "log"), join(directory, `${pod}.log`));
    }
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sampling);
    await this.#pods[Symbol.asyncDispose]();
    await this.#backend[Symbol.asyncDispose]();
    await this.plane[Symbol.asyncDispose]();
  }

  async #recording(): Promise<void> {
    const seen = async (): Promise<true | undefined> =>
      (await this.#pod.readiness()).includes("repository default/history") ? true : undefined;
    await eventually(seen, { timeoutMs: 60_000, everyMs: 250, what: `a recording:\n${this.#pod.tail}` });
  }

  #sample(): void {
    const { name, pid } = this.#pod;
    const last = this.lives.at(-1);
    const life = last?.pod === name ? last : { pod: name, rssMib: [] };
    if (life !== last) this.lives.push(life);
    const rss = rssOf(pid);
    if (rss > 0) life.rssMib.push(rss);
  }
}

async function applied(plane: ControlPlane, manifests: string): Promise<void> {
  const { code, stderr } = await plane.kubectl("admin", ["apply", "-f", "-"], manifests);
  if (code !== 0) throw new Error(stderr);
}

function rulesOf(backend: HttpBackend, resources: readonly string[]): string {
  const documents = [
    {
      kind: "GitRepoConfig",
      metadata: { name: "history", namespace: "default" },
      spec: { url: backend.url("history.git"), branch: "main", path: "cluster" },
    },
    {
      kind: "ClusterWatchRule",
      metadata: { name: "everything" },
      spec: { repo: { name: "history", namespace: "default" }, rules: [{ apiGroups: [""], resources }] },
    },
  ];
  return documents
    .map((document) => JSON.stringify({ apiVersion: "kubescribe.dev/v1alpha1", ...document }))
    .join("\n---\n");
}

/** 0: it is gone. */
function rssOf(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
    return Math.round(Number(kib) / 1024);
  } catch {
    return 0;
  }
}
