/**
 * A real control plane for one test: etcd, one or two kube-apiservers and, if asked for, kube-controller-manager, as plain
 * processes on 127.0.0.1. Owns them, their ports and a temporary directory.
 * 1. What it started it ends, by process id, and its directory goes with it.
 * 2. Ports, credentials and audit logs outlive every restart of a server.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ApiResponse } from "./api-client.ts";
import { ApiServer } from "./api-server.ts";
import { type AuditEvent, auditPolicy, readAuditLog } from "./audit.ts";
import { binaryPath } from "./binaries.ts";
import { type Credentials, kubeconfigText, makeCredentials } from "./credentials.ts";
import { Etcd } from "./etcd.ts";
import type { ChildAnswer } from "./child-answer.ts";
import { runKubectl } from "./kubectl.ts";
import { freePorts } from "./ports.ts";
import { ServerProcess } from "./server-process.ts";
import { defaultWebhookName, webhookConfiguration, type WebhookOptions, webhookPath } from "./webhook.ts";

export interface ControlPlaneOptions {
  /** On one etcd; default 1. */
  readonly apiServers?: 1 | 2;
  /** Runs kube-controller-manager; default false. */
  readonly controllers?: boolean;
  /** Beside `admin` and the numbered ones; default alice, bob, carol, dave. */
  readonly users?: readonly string[];
  /** How many of user-0, user-1, ...; default 20. */
  readonly numberedUsers?: number;
  /** More flags for each kube-apiserver, such as `--runtime-config=api/all=true`. */
  readonly apiServerArgs?: readonly string[];
}

/** A data directory put aside: what `restore` takes. */
export interface Snapshot {
  readonly path: string;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Which API server; default 0. */
  readonly server?: number;
  readonly signal?: AbortSignal;
}

/** Starts one and waits until every API server is ready: about 5 s each. Dispose of it: `await using plane = await startControlPlane()`. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-e2e-"));
  const numbered = Array.from({ length: options.numberedUsers ?? 20 }, (_, index) => `user-${index}`);
  const named = options.users ?? ["alice", "bob", "carol", "dave"];
  const credentials = await makeCredentials(directory, ["admin", ...named, ...numbered]);
  const ports = await freePorts(3 + (options.apiServers ?? 1));
  const plane = new ControlPlane({ directory, credentials, ports, options });
  try {
    await plane.start();
  } catch (error) {
    await plane[Symbol.asyncDispose]();
    throw error;
  }
  return plane;
}

export class ControlPlane implements AsyncDisposable {
  readonly directory: string;
  readonly caPem: string;
  readonly caFile: string;
  /** Everyone who has a token, `admin` first. */
  readonly users: readonly string[];
  readonly etcd: Etcd;
  readonly #credentials: Credentials;
  readonly #servers: readonly ApiServer[];
  readonly #controllersPort: number | undefined;
  readonly #kubeconfigs = new Map<string, string>();
  #controllers: ServerProcess | undefined;

  constructor(made: {
    readonly directory: string;
    readonly credentials: Credentials;
    readonly ports: readonly number[];
    readonly options: ControlPlaneOptions;
  }) {
    const { directory, credentials, options } = made;
    const [clientPort = 0, peerPort = 0, controllersPort = 0, ...serverPorts] = made.ports;
    this.directory = directory;
    this.caPem = credentials.caPem;
    this.caFile = credentials.caFile;
    this.users = credentials.users;
    this.#credentials = credentials;
    this.#controllersPort = options.controllers === true ? controllersPort : undefined;
    this.etcd = new Etcd({ directory, clientPort, peerPort });
    const auditPolicyFile = join(directory, "audit-policy.json");
    writeFileSync(auditPolicyFile, auditPolicy);
    mkdirSync(join(directory, "home"));
    this.#servers = serverPorts.map(
      (port, index) =>
        new ApiServer({
          directory,
          index,
          port,
          credentials,
          auditPolicyFile,
          etcdUrl: this.etcd.url,
          args: options.apiServerArgs ?? [],
          controllers: options.controllers === true,
        }),
    );
  }

  get urls(): readonly string[] {
    return this.#servers.map((server) => server.url);
  }

  /** One for each API server. */
  get auditLogs(): readonly string[] {
    return this.#servers.map((server) => server.auditLog);
  }

  async start(): Promise<void> {
    await this.etcd.start();
    await Promise.all(this.#servers.map((server) => server.start()));
    this.#startControllers();
  }

  token(user: string): string {
    return this.#credentials.token(user);
  }

  /** Path of a kubeconfig for this user at this API server. */
  kubeconfig(user: string, server = 0): string {
    const { url } = this.#server(server);
    const key = `${server}-${user}`;
    const known = this.#kubeconfigs.get(key);
    if (known !== undefined) return known;
    const path = join(this.directory, `kubeconfig-${this.#kubeconfigs.size}`);
    writeFileSync(path, kubeconfigText({ url, caPem: this.caPem, user, token: this.token(user) }), { mode: 0o600 });
    this.#kubeconfigs.set(key, path);
    return path;
  }

  /**
   * Any status is an answer; rejects only when the connection fails. A string or bytes are sent as they are, an object as
   * JSON; a PATCH is a merge patch unless `headers` name another content-type.
   */
  request(
    user: string,
    method: string,
    path: string,
    body?: string | Uint8Array | object,
    options: RequestOptions = {},
  ): Promise<ApiResponse> {
    const { client } = this.#server(options.server ?? 0);
    return client.send({
      method,
      path,
      body,
      token: this.token(user),
      headers: options.headers,
      signal: options.signal,
    });
  }

  /** Runs to its end; look at `code`. */
  kubectl(user: string, args: readonly string[], stdin = ""): Promise<ChildAnswer> {
    return runKubectl({ kubeconfig: this.kubeconfig(user), home: join(this.directory, "home"), args, stdin });
  }

  /** SIGKILL. */
  async stopApiServer(index = 0): Promise<void> {
    await this.#server(index).stop();
  }

  async startApiServer(index = 0): Promise<void> {
    await this.#server(index).start();
  }

  /**
   * Compacts etcd up to now. The watch cache of a running API server still knows what went before: restart it to see 410.
   * Answers with the revision.
   */
  compact(): Promise<string> {
    return this.etcd.compact();
  }

  /** Puts the present state of etcd aside; nothing is stopped. */
  snapshot(): Snapshot {
    return { path: this.etcd.snapshot() };
  }

  /** What an operator does with a backup: stops everything, puts the older state in its place, starts again (K48). */
  async restore(snapshot: Snapshot): Promise<void> {
    await this.#controllers?.stop();
    await Promise.all(this.#servers.map((server) => server.stop()));
    await this.etcd.stop();
    this.etcd.putBack(snapshot.path);
    await this.start();
  }

  /** What the API servers answered, so far, server after server; `Array.fromAsync` collects it. */
  async *auditEvents(): AsyncGenerator<AuditEvent> {
    for (const server of this.#servers) yield* readAuditLog(server.auditLog);
  }

  /** Creates or replaces it. The API server begins to call it some 100 ms later, and each API server in its own time. */
  async installWebhook(options: WebhookOptions): Promise<void> {
    const configuration = webhookConfiguration(options);
    const created = await this.request("admin", "POST", webhookPath, configuration);
    if (created.status === 201) return;
    const path = `${webhookPath}/${configuration.metadata.name}`;
    // A merge patch replaces the list of webhooks whole, and needs no resourceVersion.
    const replaced = created.status === 409 ? await this.request("admin", "PATCH", path, configuration) : created;
    if (replaced.status !== 200) throw new Error(`The webhook was refused: ${replaced.text}`);
  }

  async removeWebhook(name = defaultWebhookName): Promise<void> {
    const removed = await this.request("admin", "DELETE", `${webhookPath}/${name}`);
    if (removed.status !== 200 && removed.status !== 404) throw new Error(`The webhook stays: ${removed.text}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controllers?.stop();
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
    await this.etcd.stop();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  #server(index: number): ApiServer {
    const server = this.#servers[index];
    if (server === undefined) throw new Error(`No API server ${index}: ${this.#servers.length} were started.`);
    return server;
  }

  #startControllers(): void {
    if (this.#controllersPort === undefined) return;
    this.#controllers = new ServerProcess({
      name: "kube-controller-manager",
      binary: binaryPath("kube-controller-manager"),
      logPath: join(this.directory, "kube-controller-manager.log"),
      args: [
        `--kubeconfig=${this.kubeconfig("admin")}`,
        `--secure-port=${this.#controllersPort}`,
        "--bind-address=127.0.0.1",
        `--cert-dir=${join(this.directory, "certificates-controllers")}`,
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        `--service-account-private-key-file=${this.#credentials.serviceAccountKeyFile}`,
        `--root-ca-file=${this.caFile}`,
      ],
    });
  }
}
