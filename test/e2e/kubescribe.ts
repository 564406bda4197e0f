/**
 * Owns one `node src/main.ts run`, a real child process, beside a control plane: its rule documents, TLS files, ports, data
 * directory and repository, all below the control plane's directory.
 * 1. Addresses, data and repository outlive every kill and restart.
 * 2. It is ended by its own process id, at the latest with the test's process.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { makeCertificate } from "../../src/simulator/certificate.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";
import { freePorts } from "../controlplane/ports.ts";
import type { WebhookOptions } from "../controlplane/webhook.ts";
import { type Commit, doubled, fsck, readCommits } from "./history.ts";

/** Types that are watched and reviewed. */
export interface WatchedTypes {
  readonly apiGroups: readonly string[];
  /** Default `["*"]`; of a type with several versions name the one that is watched. */
  readonly apiVersions?: readonly string[];
  readonly resources: readonly string[];
}

export interface KubescribeOptions {
  readonly types: readonly WatchedTypes[];
  /** Appended to the command line of `run`. */
  readonly args?: readonly string[];
  /** Default: of the control plane's admin. */
  readonly kubeconfig?: string;
  /** Tells several in one control plane apart; default `kubescribe`. */
  readonly name?: string;
  /** Where commits are pushed, and where that lies on disk: tests read it there. Default: a repository beside the rules. */
  readonly remote?: { readonly url: string; readonly path: string };
  /** More fields for the GitRepoConfig's spec, such as `{secrets: "keep"}`. */
  readonly repositorySpec?: Readonly<Record<string, unknown>>;
}

export interface VerifyResult {
  readonly code: number;
  readonly output: string;
}

const root = join(import.meta.dirname, "../..");
const main = join(root, "src/main.ts");
const startTimeoutMs = 60_000;
const tailLines = 20;

/** Writes everything and starts it; resolves when /readyz says so. */
export async function startKubescribe(plane: ControlPlane, options: KubescribeOptions): Promise<Kubescribe> {
  const ports = await freePorts(2);
  const made = new Kubescribe(plane, options, ports);
  (await made.makeCertificate())();
  await made.start();
  return made;
}

export class Kubescribe implements AsyncDisposable {
  readonly repository: string;
  readonly dataDir: string;
  readonly rulesFile: string;
  readonly logPath: string;
  readonly admissionUrl: string;
  readonly metricsUrl: string;
  readonly #plane: ControlPlane;
  readonly #options: KubescribeOptions;
  readonly #name: string;
  readonly #args: readonly string[];
  readonly #certFile: string;
  readonly #keyFile: string;
  readonly #caPems: string[] = [];
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  readonly #killWithUs = (): void => {
    this.#child?.kill("SIGKILL");
  };

  constructor(
    plane: ControlPlane,
    options: KubescribeOptions,
    [admissionPort = 0, metricsPort = 0]: readonly number[],
  ) {
    this.#plane = plane;
    this.#options = options;
    this.#name = options.name ?? "kubescribe";
    const place = join(plane.directory, this.#name);
    mkdirSync(place);
    this.repository = options.remote?.path ?? join(place, "history.git");
    this.dataDir = join(place, "data");
    this.rulesFile = join(place, "rules.yaml");
    this.logPath = join(place, "kubescribe.log");
    this.#certFile = join(place, "tls.crt");
    this.#keyFile = join(place, "tls.key");
    this.admissionUrl = `https://127.0.0.1:${admissionPort}/correlate`;
    this.metricsUrl = `http://127.0.0.1:${metricsPort}`;
    writeFileSync(this.rulesFile, rulesOf(this.repository, options));
    this.#args = [
      ["--kubeconfig", options.kubeconfig ?? plane.kubeconfig("admin")],
      ["--config", this.rulesFile],
      ["--admission-address", `127.0.0.1:${admissionPort}`],
      ["--tls-cert-file", this.#certFile],
      ["--tls-key-file", this.#keyFile],
      ["--metrics-address", `127.0.0.1:${metricsPort}`],
      ["--data-dir", this.dataDir],
      options.args ?? [],
    ].flat();
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Bundle of every certificate that it had, the newest last. */
  get caPem(): string {
    return this.#caPems.map((pem) => `${pem.trimEnd()}\n`).join("");
  }

  /** The newest alone. */
  get newestCaPem(): string {
    return this.#caPems.at(-1) ?? "";
  }

  /** Everything it said so far, over all restarts. */
  get logs(): string {
    return readFileSync(this.logPath, "utf8");
  }

  /** Starts it again after `kill9` or `stop`; resolves when /readyz says so, or with `ready: false` at once. */
  async start({
    ready = true,
    args = [],
  }: { readonly ready?: boolean; readonly args?: readonly string[] } = {}): Promise<void> {
    const log = openSync(this.logPath, "a");
    const child = spawn(process.execPath, [main, "run", ...this.#args, ...args], {
      cwd: root,
      stdio: ["ignore", log, log],
      env: { ...process.env, KUBESCRIBE_DEBUG: "1" },
    });
    closeSync(log);
    this.#child = child;
    process.on("exit", this.#killWithUs);
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code) => {
        process.off("exit", this.#killWithUs);
        this.#child = undefined;
        resolve(code);
      });
    });
    if (ready) await this.ready();
  }

  /** Resolves when /readyz answers 200; throws, with the end of its log, when the process ends or the time is over. */
  async ready(): Promise<void> {
    let last = "no answer";
    try {
      await eventually(
        async () => {
          if (this.#child === undefined) return true;
          const answer = await fetch(`${this.metricsUrl}/readyz`);
          last = await answer.text();
          return answer.ok ? true : undefined;
        },
        { timeoutMs: startTimeoutMs, what: "/readyz of kubescribe" },
      );
    } catch (cause) {
      throw new Error(`kubescribe is not ready: ${last}\n${this.#logTail()}`, { cause });
    }
    if (this.#child === undefined) throw new Error(`kubescribe ended\n${this.#logTail()}`);
  }

  /** SIGKILL, at once; `kill9` waits for the end. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async kill9(): Promise<void> {
    this.kill();
    await this.#exited;
  }

  /** SIGTERM; resolves to the exit code after its orderly end. */
  async stop(): Promise<number | null> {
    this.#child?.kill("SIGTERM");
    return await this.#exited;
  }

  async restart(): Promise<void> {
    await this.kill9();
    await this.start();
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  /** A new certificate, in `caPem` at once; put in the place of the old one, as a mounted Secret would change, by what it answers with. */
  async makeCertificate(): Promise<() => void> {
    const { certificatePem, keyPem } = await makeCertificate("127.0.0.1", { nowMs: () => Date.now() });
    this.#caPems.push(certificatePem);
    return () => {
      for (const [path, text] of [
        [this.#keyFile, keyPem],
        [this.#certFile, certificatePem],
      ] as const) {
        writeFileSync(`${path}.new`, text, { mode: 0o600 });
        renameSync(`${path}.new`, path);
      }
    };
  }

  /** Resolves when reviews really arrive. */
  async installWebhook(overrides: Partial<WebhookOptions> = {}): Promise<void> {
    const rules = this.#options.types.map(({ apiGroups, apiVersions = ["*"], resources }) => ({
      apiGroups,
      apiVersions,
      resources: resources.flatMap((resource) => (resource === "*" ? ["*/*"] : [resource, `${resource}/*`])),
    }));
    const name = this.#name;
    await this.#plane.installWebhook({ url: this.admissionUrl, caPem: this.caPem, rules, name, ...overrides });
    await this.reviewed();
  }

  async removeWebhook(): Promise<void> {
    await this.#plane.removeWebhook(this.#name);
    await eventually(async () => ((await this.#probe()) ? undefined : true), { what: "the end of reviews" });
  }

  /** Resolves when a dry run of a ConfigMap at this API server is reviewed here (so configmaps must be among the types). */
  async reviewed(server = 0): Promise<void> {
    await eventually(async () => ((await this.#probe(server)) ? true : undefined), { what: "a review" });
  }

  /** The sum over all label sets, or of those that contain `labels` (`tier="exact"`). */
  async metric(name: string, labels = ""): Promise<number> {
    let sum = 0;
    for (const [key, value] of await this.metrics()) {
      if ((key === name || key.startsWith(`${name}{`)) && key.includes(labels)) sum += value;
    }
    return sum;
  }

  /** By name and labels, as in the exposition. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`${this.metricsUrl}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      lines.map((line) => {
        const [, key = "", value = ""] = /^(\S+?(?:\{.*\})?) (\S+)/.exec(line) ?? [];
        return [key, Number(value)];
      }),
    );
  }

  /** Oldest first. */
  commits(): Promise<readonly Commit[]> {
    return readCommits(this.repository);
  }

  /** Commits of one resource, as in `Kubescribe-Resource` without the type: `default/web`. */
  async commitsOf(type: string, name: string): Promise<readonly Commit[]> {
    const commits = await this.commits();
    return commits.filter(({ resource }) => {
      const [path = "", found] = resource.split(" ");
      return found === name && path.split("/").at(-1) === type;
    });
  }

  /** Resolves to the commits of a resource when there are `count` of them; more are an error. */
  async waitForCommits(type: string, name: string, count: number, timeoutMs = 30_000): Promise<readonly Commit[]> {
    let found: readonly Commit[] = [];
    try {
      await eventually(
        async () => {
          found = await this.commitsOf(type, name);
          return found.length >= count ? true : undefined;
        },
        { timeoutMs, everyMs: 100 },
      );
    } catch {
      // Said below, with what is there.
    }
    if (found.length === count) return found;
    const said = found.map((commit) => `${commit.operation} ${commit.resourceVersion} ${commit.user} ${commit.tier}`);
    throw new Error(
      `expected ${count} commits of ${type} ${name}, found ${found.length}: ${said.join("; ")}\n${this.#logTail()}`,
    );
  }

  /** `kubescribe verify`: code 0 when HEAD equals the cluster. */
  verify(): Promise<VerifyResult> {
    const cluster = ["--kubeconfig", this.#plane.kubeconfig("admin"), "--config", this.rulesFile];
    const args = [...cluster, "--data-dir", this.dataDir];
    return new Promise((resolve) => {
      execFile(process.execPath, [main, "verify", ...args], { cwd: root }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, output: stdout + stderr });
      });
    });
  }

  /** What must hold after every test: throws with all that does not. */
  async assertSound(): Promise<void> {
    const [verified, checked, commits] = await Promise.all([this.verify(), fsck(this.repository), this.commits()]);
    const faults = [
      ...(verified.code === 0 ? [] : [`verify ended with ${verified.code}:\n${verified.output}`]),
      ...(checked === "" ? [] : [`git fsck --strict: ${checked}`]),
      ...doubled(commits).map((key) => `two commits for (epoch, uid, resourceVersion) ${key}`),
    ];
    if (faults.length > 0) throw new Error(`${faults.join("\n")}\n${this.#logTail()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
  }

  async #probe(server = 0): Promise<boolean> {
    const before = await this.metric("webhook_requests_total");
    const path = "/api/v1/namespaces/default/configmaps?dryRun=All";
    await this.#plane.request("admin", "POST", path, { metadata: { generateName: "probe-" } }, { server });
    return (await this.metric("webhook_requests_total")) > before;
  }

  #logTail(): string {
    return this.logs.trimEnd().split("\n").slice(-tailLines).join("\n");
  }
}

function rulesOf(repository: string, { types, remote, repositorySpec = {} }: KubescribeOptions): string {
  const url = remote?.url ?? `file://${encodeURI(repository)}`;
  const documents = [
    {
      apiVersion: "kubescribe.dev/v1alpha1",
      kind: "GitRepoConfig",
      metadata: { name: "history", namespace: "default" },
      spec: { url, branch: "main", path: "cluster", ...repositorySpec },
    },
    {
      apiVersion: "kubescribe.dev/v1alpha1",
      kind: "ClusterWatchRule",
      metadata: { name: "everything" },
      spec: {
        repo: { name: "history", namespace: "default" },
        rules: types.map(({ apiGroups, apiVersions = ["*"], resources }) => ({ apiGroups, apiVersions, resources })),
      },
    },
  ];
  return documents.map((document) => `${JSON.stringify(document, null, 2)}\n`).join("---\n");
}
