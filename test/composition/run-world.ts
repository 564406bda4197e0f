/**
 * `kubescribe run`, a real process, beside a simulated API server with its webhook and people who write. Owns all of them, and a directory.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DemoClient } from "../../src/commands/demo-client.ts";
import { ALICE, BOB, CAROL, EVERYBODY, KUBESCRIBE, tokenOf } from "../../src/commands/demo-people.ts";
import { nodeClock as clock, nodeRandom as random } from "../../src/composition/node-clock.ts";
import { makeCertificate, type SelfMadeCertificate } from "../../src/simulator/certificate.ts";
import { SimulatedCluster } from "../../src/simulator/cluster.ts";
import { Front } from "../../src/simulator/front.ts";
import { kubeconfigOf } from "../../src/simulator/kubeconfig.ts";
import { Webhook } from "../../src/simulator/webhook.ts";
import { eventually } from "../controlplane/eventually.ts";
import { freePorts } from "../controlplane/ports.ts";
import { type Commit, doubled, readCommits } from "../e2e/history.ts";

const main = join(import.meta.dirname, "../../src/main.ts");
const configMaps = "/api/v1/namespaces/default/configmaps";
const users = [ALICE, BOB, CAROL];

export interface RunOptions {
  readonly dataDir: string;
  /** Of the target, as in the rules. */
  readonly url: string;
  /** Where its commits end: a path. */
  readonly repository: string;
  /** More options of `run`. */
  readonly args?: readonly string[];
}

interface Written {
  readonly name: string;
  readonly user: string;
  readonly resourceVersion: string;
}

export class RunWorld implements AsyncDisposable {
  /** Everything it said. */
  said = "";
  /** Its exit code. */
  #ended: number | string | null = null;
  readonly #stack: AsyncDisposableStack;
  readonly #client: DemoClient;
  readonly #options: RunOptions;
  readonly #metricsUrl: string;
  readonly #written: Written[] = [];

  private constructor(stack: AsyncDisposableStack, client: DemoClient, options: RunOptions, metricsUrl: string) {
    this.#stack = stack;
    this.#client = client;
    this.#options = options;
    this.#metricsUrl = metricsUrl;
  }

  /** Resolves when it is ready. `place` makes what it needs below a new directory. */
  static async start(
    place: (directory: string, stack: AsyncDisposableStack) => Promise<RunOptions>,
  ): Promise<RunWorld> {
    await using stack = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), "kubescribe-run-"));
    stack.defer(() => rmSync(directory, { recursive: true, force: true }));
    const options = await place(directory, stack);
    const [admissionPort = 0, metricsPort = 0] = await freePorts(2);
    const certificate = await makeCertificate("127.0.0.1", clock);
    const webhook = stack.use(
      new Webhook({
        url: `https://127.0.0.1:${admissionPort}/correlate`,
        caBundlePem: certificate.certificatePem,
        timeoutMs: 10_000,
        clock,
      }),
    );
    const front = stack.use(
      await Front.listen({
        cluster: new SimulatedCluster({ clock, random, firstRevision: 1000 }),
        clock,
        certificate,
        users: new Map(EVERYBODY.map((user) => [tokenOf(user), user])),
        ask: (attempt) => webhook.ask(attempt),
        bookmarkMs: 1000,
      }),
    );
    const client = stack.use(new DemoClient({ serverUrl: front.url, caBundlePem: certificate.certificatePem }));
    const files = writeFiles(directory, { certificate, serverUrl: front.url, url: options.url });
    const args = [
      files,
      ["--admission-address", `127.0.0.1:${admissionPort}`],
      ["--metrics-address", `127.0.0.1:${metricsPort}`],
      ["--data-dir", options.dataDir],
      options.args ?? [],
    ].flat();
    const child = spawn(process.execPath, [main, "run", ...args], { stdio: ["ignore", "pipe", "pipe"] });
    stack.defer(() => endOf(child));
    const owned = new AsyncDisposableStack();
    const world = new RunWorld(owned, client, options, `http://127.0.0.1:${metricsPort}`);
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => (world.said += text.toString()));
    child.once("exit", (code) => (world.#ended = code ?? "a signal"));
    await world.readiness(200);
    owned.use(stack.move());
    return world;
  }

  /** Resolves once /readyz answers so; to what it says. */
  readiness(status: 200 | 503): Promise<string> {
    return this.#eventually(`${status} from /readyz`, async () => {
      const answer = await fetch(`${this.#metricsUrl}/readyz`);
      return answer.status === status ? await answer.text() : undefined;
    });
  }

  /** Resolves once it has said so, since `from`. */
  async says(what: string, from = 0): Promise<void> {
    await this.#eventually(`"${what}"`, () => (this.said.includes(what, from) ? true : undefined));
  }

  /** The sum over all labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.#metricsUrl}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  }

  async reaches(name: string, value: number): Promise<void> {
    await this.#eventually(`${name} of ${value}`, async () => ((await this.metric(name)) === value ? true : undefined));
  }

  /** So many changes of a few objects, by several people; resolves when the API server has them. */
  async write(count: number, bytes = 10): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const n = this.#written.length;
      const user = users[n % users.length] ?? ALICE;
      const name = `object-${n % 4}`;
      const data = { n: String(n), text: "x".repeat(bytes) };
      const isNew = n < 4;
      const { status, body } = await this.#client.call({
        user,
        method: isNew ? "POST" : "PATCH",
        path: isNew ? configMaps : `${configMaps}/${name}`,
        body: isNew ? { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data } : { data },
      });
      if (status !== (isNew ? 201 : 200)) throw new Error(`the API server answered ${status}: ${body}`);
      const { metadata } = JSON.parse(body) as { readonly metadata: { readonly resourceVersion: string } };
      this.#written.push({ name, user: user.name, resourceVersion: metadata.resourceVersion });
    }
  }

  /** Resolves once every write is a commit; to sentences about what is wrong with them: more than one, or another author. */
  async judge(): Promise<readonly string[]> {
    let commits: readonly Commit[] = [];
    const committed = (): readonly (readonly Commit[])[] =>
      this.#written.map(({ name, resourceVersion }) =>
        commits.filter(
          (each) => each.resourceVersion === resourceVersion && each.resource.endsWith(` default/${name}`),
        ),
      );
    await this.#eventually("every write", async () => {
      commits = await readCommits(this.#options.repository);
      return committed().every(({ length }) => length > 0) ? true : undefined;
    });
    const wrong = committed().flatMap(([commit], at) => {
      const { name = "", user = "", resourceVersion = "" } = this.#written[at] ?? {};
      if (commit?.user === user && commit.tier === "exact") return [];
      return [`${name} at ${resourceVersion} was written by ${user}, and is ${commit?.tier} by ${commit?.user}`];
    });
    return [...wrong, ...doubled(commits).map((key) => `two commits for ${key}`)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }

  async #eventually<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    let ended = this.#ended;
    const found = await eventually(() => ((ended = this.#ended) === null ? look() : null), {
      timeoutMs: 60_000,
      everyMs: 100,
      what,
    }).catch(() => null);
    if (found !== null) return found;
    throw new Error(
      `no ${what}${ended === null ? "" : `, it ended with ${ended}`}; it said:\n${this.said.slice(-4000)}`,
    );
  }
}

/** Returns the options of `run` that name them. */
function writeFiles(
  directory: string,
  options: { readonly certificate: SelfMadeCertificate; readonly serverUrl: string; readonly url: string },
): readonly string[] {
  const { certificate, serverUrl, url } = options;
  const { certificatePem: caBundlePem, keyPem } = certificate;
  const place = join(directory, "files");
  mkdirSync(place);
  const apiVersion = "kubescribe.dev/v1alpha1";
  const repository = {
    apiVersion,
    kind: "GitRepoConfig",
    metadata: { name: "history", namespace: "default" },
    spec: { url, branch: "main", path: "cluster", push: { intervalSeconds: 0 } },
  };
  const rule = {
    apiVersion,
    kind: "ClusterWatchRule",
    metadata: { name: "everything" },
    spec: {
      repo: { name: "history", namespace: "default" },
      rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
    },
  };
  const texts = {
    "--kubeconfig": kubeconfigOf({ serverUrl, caBundlePem, token: tokenOf(KUBESCRIBE) }),
    "--config": [repository, rule].map((document) => `${JSON.stringify(document)}\n`).join("---\n"),
    "--tls-cert-file": caBundlePem,
    "--tls-key-file": keyPem,
  };
  return Object.entries(texts).flatMap(([option, text]) => {
    const path = join(place, `${option.slice(2)}.yaml`);
    writeFileSync(path, text, { mode: 0o600 });
    return [option, path];
  });
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "close");
  child.kill("SIGKILL");
  await ended;
}
