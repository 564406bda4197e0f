/** Real processes: a data directory and a target have one `kubescribe run` at a time, and the second one says who holds them. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EVERYBODY, tokenOf } from "../../src/commands/demo-people.ts";
import { placeAt, writePlace } from "../../src/commands/demo-place.ts";
import { nodeClock as clock, nodeRandom as random } from "../../src/composition/node-clock.ts";
import { createNodeFileSystem } from "../../src/composition/node-file-system.ts";
import { makeCertificate } from "../../src/simulator/certificate.ts";
import { SimulatedCluster } from "../../src/simulator/cluster.ts";
import { Front } from "../../src/simulator/front.ts";

const main = join(import.meta.dirname, "../../src/main.ts");

/** `run` with ports of its own, below `directory`. */
class Run implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  #said = "";

  constructor(directory: string, dataDir: string) {
    const place = placeAt(directory);
    const flags = [
      ["--kubeconfig", place.kubeconfigFile],
      ["--config", place.rulesFile],
      ["--tls-cert-file", place.tlsCertFile],
      ["--tls-key-file", place.tlsKeyFile],
      ["--data-dir", dataDir],
      ["--admission-address", "127.0.0.1:0"],
      ["--metrics-address", "127.0.0.1:0"],
    ];
    this.#child = spawn(process.execPath, [main, "run", ...flags.flat()], { stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = once(this.#child, "close");
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (text: Buffer) => (this.#said += text.toString()));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when it has said so; at its end at the latest. */
  async says(what: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.#said.includes(what)) resolve();
    };
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on("data", look);
    look();
    await Promise.race([promise, this.#ended]);
    expect(this.#said).toContain(what);
  }

  async end(): Promise<{ readonly code: unknown; readonly said: string }> {
    const [code] = await this.#ended;
    return { code, said: this.#said };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

test("a second process exits 2 and names the first; after kill -9 the place is free", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-two-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const serverCertificate = await makeCertificate("API server", clock);
  const webhookCertificate = await makeCertificate("webhook", clock);
  const front = stack.use(
    await Front.listen({
      cluster: new SimulatedCluster({ clock, random, firstRevision: 1000 }),
      clock,
      certificate: serverCertificate,
      users: new Map(EVERYBODY.map((user) => [tokenOf(user), user])),
      ask: () => Promise.resolve({ answered: false, allowed: true, message: "" }),
      bookmarkMs: 1000,
    }),
  );
  const contents = { serverUrl: front.url, serverCertificate, webhookCertificate };
  await writePlace(createNodeFileSystem(), placeAt(directory), contents);
  const { dataDirectory, gitDirectory } = placeAt(directory);

  const first = stack.use(new Run(directory, dataDirectory));
  await first.says("Ready");
  const sameData = stack.use(new Run(directory, dataDirectory));
  const sameRepository = stack.use(new Run(directory, join(directory, "other")));
  for (const [run, what] of [
    [sameData, `the data directory ${dataDirectory} is in use by process ${first.pid}`],
    [sameRepository, `target default/history in the repository ${gitDirectory} is in use by process ${first.pid}`],
  ] as const) {
    const { code, said } = await run.end();
    expect(said).toContain(what);
    expect(said).toContain("stop that one, or give this one a place of its own");
    expect(code).toBe(2);
  }
  await first[Symbol.asyncDispose]();
  const next = stack.use(new Run(directory, dataDirectory));
  await next.says("Ready");
});
