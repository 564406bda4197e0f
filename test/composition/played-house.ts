/**
 * One `kubescribe run`, a real process, beside a simulated API server in this one: all that it writes and says is at hand.
 * Owns both, below a directory. The process is ended by its own id, at the latest when this is disposed of.
 */

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join, relative } from "node:path";

import { type Call, DemoClient } from "../../src/commands/demo-client.ts";
import { EVERYBODY, tokenOf } from "../../src/commands/demo-people.ts";
import { type DemoPlace, placeAt, writePlace } from "../../src/commands/demo-place.ts";
import { nodeClock as clock, nodeRandom as random } from "../../src/composition/node-clock.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { makeCertificate } from "../../src/simulator/certificate.ts";
import { SimulatedCluster } from "../../src/simulator/cluster.ts";
import { Front } from "../../src/simulator/front.ts";
import { Webhook } from "../../src/simulator/webhook.ts";
import { eventually } from "../controlplane/eventually.ts";

const main = join(import.meta.dirname, "../../src/main.ts");
const admissionPath = "/correlate";

export interface HouseOptions {
  /** More lines for the GitRepoConfig. */
  readonly spec?: string;
  readonly logLevel?: "debug" | "info";
  /** A command that becomes the one which is given to it, and keeps the process id: the words before that one's. */
  readonly through?: readonly string[];
  /** For what it has to say. */
  readonly patienceMs?: number;
}

interface Parts extends Required<Pick<HouseOptions, "logLevel" | "through" | "patienceMs">> {
  readonly place: DemoPlace;
  readonly cluster: SimulatedCluster;
  readonly client: DemoClient;
  /** Of the admission server's certificate. */
  readonly caPem: string;
  /** What the API server asks; none until reviews are taken. */
  readonly reviewing: { webhook: Webhook | null };
  readonly owned: AsyncDisposable;
}

export class PlayedHouse implements AsyncDisposable {
  readonly #parts: Parts;
  #child: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();
  #output = "";
  /** Where this life's begins. */
  #begins = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async open(directory: string, options: HouseOptions = {}): Promise<PlayedHouse> {
    const { spec = "", logLevel = "debug", through = [], patienceMs = 60_000 } = options;
    await using stack = new AsyncDisposableStack();
    const cluster = new SimulatedCluster({ clock, random, firstRevision: 1000 });
    const serverCertificate = await makeCertificate("API server", clock);
    const webhookCertificate = await makeCertificate("webhook", clock);
    const reviewing: Parts["reviewing"] = { webhook: null };
    const unanswered = { answered: false, allowed: true, message: "" };
    const front = stack.use(
      await Front.listen({
        cluster,
        clock,
        certificate: serverCertificate,
        users: new Map(EVERYBODY.map((user) => [tokenOf(user), user])),
        ask: (attempt) => reviewing.webhook?.ask(attempt) ?? Promise.resolve(unanswered),
        bookmarkMs: 1000,
      }),
    );
    const place = placeAt(directory);
    await writePlace(createNodeFileSystem(), place, { serverUrl: front.url, serverCertificate, webhookCertificate });
    const rules = readFileSync(place.rulesFile, "utf8");
    writeFileSync(place.rulesFile, rules.replace("  branch: main\n", `  branch: main\n${spec}`));
    const client = stack.use(new DemoClient({ serverUrl: front.url, caBundlePem: serverCertificate.certificatePem }));
    const { certificatePem: caPem } = webhookCertificate;
    return new PlayedHouse({
      place,
      cluster,
      client,
      caPem,
      reviewing,
      logLevel,
      through,
      patienceMs,
      owned: stack.move(),
    });
  }

  get place(): DemoPlace {
    return this.#parts.place;
  }

  /** Of the cluster, for policies. */
  get cluster(): SimulatedCluster {
    return this.#parts.cluster;
  }

  /** Of the process that runs. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Of all lives, both streams. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when it is ready, and the API server asks it. */
  async start(): Promise<void> {
    const { place, caPem, reviewing, logLevel, through } = this.#parts;
    const flags = [
      ["--kubeconfig", place.kubeconfigFile],
      ["--config", place.rulesFile],
      ["--tls-cert-file", place.tlsCertFile],
      ["--tls-key-file", place.tlsKeyFile],
      ["--data-dir", place.dataDirectory],
      ["--admission-address", "127.0.0.1:0"],
      ["--metrics-address", "127.0.0.1:0"],
      ["--log-level", logLevel],
    ];
    this.#begins = this.#output.length;
    const env = { ...process.env, KUBESCRIBE_DEBUG: "1" };
    const [command = "", ...args] = [...through, process.execPath, main, "run", ...flags.flat()];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
    this.#child = child;
    this.#exited = once(child, "close");
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text: Buffer) => (this.#output += text.toString()));
    }
    await this.says("Ready");
    reviewing.webhook?.[Symbol.dispose]();
    const url = `https://${this.#addressIn("Reviews are taken.")}${admissionPath}`;
    reviewing.webhook = new Webhook({ url, caBundlePem: caPem, timeoutMs: 5000, clock });
  }

  /** SIGKILL; the API server no longer asks it. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
    this.#child = null;
  }

  /** Resolves when this life has said so. */
  async says(what: string): Promise<void> {
    const said = (): string => this.#output.slice(this.#begins);
    const child = this.#child;
    const hasEnded = (): boolean => child !== null && (child.exitCode !== null || child.signalCode !== null);
    const { patienceMs: timeoutMs } = this.#parts;
    const waited = eventually(() => (said().includes(what) || hasEnded() ? true : undefined), { timeoutMs });
    const failure = await waited.then(
      () => null,
      (cause: unknown) => ({ cause }),
    );
    if (said().includes(what)) return;
    const end = hasEnded() ? ` before it ended (${child?.signalCode ?? child?.exitCode ?? ""})` : "";
    throw new Error(`kubescribe did not say "${what}"${end}:\n${said().slice(-4000)}`, failure ?? {});
  }

  /** Throws where the API server answers with another status. */
  async call(call: Call, status: number): Promise<void> {
    const answer = await this.#parts.client.call(call);
    if (answer.status === status) return;
    throw new Error(`${call.method} ${call.path}: expected ${status}, found ${answer.status} ${answer.body}`);
  }

  setReviewed(reviewed: boolean): void {
    this.#parts.reviewing.webhook?.setReachable(reviewed);
  }

  /** Sends a text where reviews are taken; resolves to what is answered. */
  review(text: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const url = `https://${this.#addressIn("Reviews are taken.")}${admissionPath}`;
    const headers = { "content-type": "application/json" };
    const outgoing = request(url, { method: "POST", ca: this.#parts.caPem, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => (body += part));
      response.once("end", () => resolve(`${response.statusCode ?? 0} ${body}`));
    });
    outgoing.once("error", reject);
    outgoing.end(text);
    return promise;
  }

  /** Of probes and metrics. */
  async answer(path: string): Promise<string> {
    return await (await fetch(`http://${this.#addressIn("Metrics and probes are served.")}${path}`)).text();
  }

  /** `kubescribe verify --json`, whatever it finds. */
  async verify(): Promise<string> {
    const { kubeconfigFile, rulesFile, dataDirectory } = this.place;
    const flags = ["--kubeconfig", kubeconfigFile, "--config", rulesFile, "--data-dir", dataDirectory, "--json"];
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile(process.execPath, [main, "verify", ...flags], (_error, stdout, stderr) => resolve(stdout + stderr));
    return await promise;
  }

  git(...args: readonly string[]): Buffer {
    const { gitDirectory: cwd } = this.place;
    return execFileSync("git", args, { cwd, maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Resolves when a file has so many commits, and the flush of the last one is over: its state ref comes after the branch. */
  async committed(path: string, count: number): Promise<void> {
    const text = (...args: readonly string[]): string =>
      this.git(...args)
        .toString()
        .trim();
    await eventually(
      () => {
        const state = text("cat-file", "blob", text("for-each-ref", "--format=%(refname)", "refs/kubescribe"));
        const { tip } = JSON.parse(state) as { readonly tip: string };
        const commits = Number(text("rev-list", "--count", "main", "--", path));
        return commits === count && tip === text("rev-parse", "main") ? true : undefined;
      },
      { what: `commit ${count} of ${path}` },
    );
  }

  /** Every file of the data directory and of the repository, and every object of it as it is when it is inflated. */
  left(): ReadonlyMap<string, Buffer> {
    const { dataDirectory, gitDirectory } = this.place;
    const files = [dataDirectory, gitDirectory].flatMap((root) =>
      readdirSync(root, { recursive: true, encoding: "utf8" }).map((name) => join(root, name)),
    );
    const found = new Map<string, Buffer>();
    for (const file of files) {
      if (statSync(file).isFile()) found.set(relative(this.place.directory, file), readFileSync(file));
    }
    const list = this.git("cat-file", "--batch-all-objects", "--batch-check").toString().trimEnd();
    for (const line of list.split("\n")) {
      const [id = "", type = ""] = line.split(" ");
      found.set(`${type} ${id}`, this.git("cat-file", type, id));
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#parts.reviewing.webhook?.[Symbol.dispose]();
    await this.#parts.owned[Symbol.asyncDispose]();
  }

  /** Of the newest line that says so. */
  #addressIn(message: string): string {
    const line = this.#output.split("\n").findLast((text) => text.includes(message)) ?? "";
    const { address } = JSON.parse(line) as { readonly address: string };
    return address;
  }
}
