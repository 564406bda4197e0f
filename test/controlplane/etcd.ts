/**
 * Owns one etcd: its process and its data directory.
 * 1. The ports stay the same over restarts, so that the API servers find it again.
 */

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";

import { binaryPath } from "./binaries.ts";
import { eventually } from "./eventually.ts";
import { ServerProcess } from "./server-process.ts";

export class Etcd {
  readonly url: string;
  readonly #peerUrl: string;
  readonly #directory: string;
  #process: ServerProcess | undefined;
  #snapshots = 0;

  constructor(options: { readonly directory: string; readonly clientPort: number; readonly peerPort: number }) {
    this.#directory = options.directory;
    this.url = `http://127.0.0.1:${options.clientPort}`;
    this.#peerUrl = `http://127.0.0.1:${options.peerPort}`;
  }

  async start(): Promise<void> {
    const started = new ServerProcess({
      name: "etcd",
      binary: binaryPath("etcd"),
      logPath: join(this.#directory, "etcd.log"),
      args: [
        `--data-dir=${this.#data}`,
        `--listen-client-urls=${this.url}`,
        `--advertise-client-urls=${this.url}`,
        `--listen-peer-urls=${this.#peerUrl}`,
        `--initial-advertise-peer-urls=${this.#peerUrl}`,
        `--initial-cluster=default=${this.#peerUrl}`,
        // Thrown away after the test. What a killed process has written stays in the page cache.
        "--unsafe-no-fsync",
        "--quota-backend-bytes=4294967296",
        "--log-level=error",
      ],
    });
    this.#process = started;
    await eventually(
      async () => {
        started.assertRunning();
        return (await fetch(`${this.url}/health`)).ok ? true : undefined;
      },
      { what: "etcd's health" },
    );
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  /** Forgets every revision but the newest. Answers with that revision. */
  async compact(): Promise<string> {
    const { header } = await this.#call("/v3/kv/range", { key: Buffer.from("kubescribe").toString("base64") });
    await this.#call("/v3/kv/compaction", { revision: header.revision, physical: true });
    return header.revision;
  }

  /** A crash image of the data directory, taken while the process is held still. Answers with its path. */
  snapshot(): string {
    this.#snapshots += 1;
    const copy = join(this.#directory, `snapshot-${this.#snapshots}`);
    this.#process?.signal("SIGSTOP");
    try {
      cpSync(this.#data, copy, { recursive: true });
    } finally {
      this.#process?.signal("SIGCONT");
    }
    return copy;
  }

  /** Only while it is stopped. */
  putBack(snapshot: string): void {
    rmSync(this.#data, { recursive: true, force: true });
    cpSync(snapshot, this.#data, { recursive: true });
  }

  get #data(): string {
    return join(this.#directory, "etcd");
  }

  async #call(path: string, body: object): Promise<{ readonly header: { readonly revision: string } }> {
    const response = await fetch(`${this.url}${path}`, { method: "POST", body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`etcd refused ${path}: ${text}`);
    return JSON.parse(text) as { readonly header: { readonly revision: string } };
  }
}
