/**
 * Owns one kube-apiserver: its process, its audit log and the client that talks to it.
 * 1. Its port, its audit log and its credentials stay the same over restarts.
 */

import { join } from "node:path";

import { ApiClient } from "./api-client.ts";
import { binaryPath } from "./binaries.ts";
import type { Credentials } from "./credentials.ts";
import { eventually } from "./eventually.ts";
import { ServerProcess } from "./server-process.ts";

export interface ApiServerOptions {
  readonly directory: string;
  readonly index: number;
  readonly port: number;
  readonly etcdUrl: string;
  readonly credentials: Credentials;
  readonly auditPolicyFile: string;
  /** Appended to the command line: later flags win. */
  readonly args: readonly string[];
  /** Admission plugins that need controllers are off without them. */
  readonly controllers: boolean;
}

const startTimeoutMs = 90_000;

export class ApiServer implements AsyncDisposable {
  readonly url: string;
  readonly auditLog: string;
  readonly client: ApiClient;
  readonly #options: ApiServerOptions;
  #process: ServerProcess | undefined;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.url = `https://127.0.0.1:${options.port}`;
    this.auditLog = join(options.directory, `audit-${options.index}.log`);
    this.client = new ApiClient(this.url, options.credentials.caPem);
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async start(): Promise<void> {
    if (this.#process?.running === true) return;
    const { directory, index, credentials } = this.#options;
    const started = new ServerProcess({
      name: `kube-apiserver ${index}`,
      binary: binaryPath("kube-apiserver"),
      logPath: join(directory, `kube-apiserver-${index}.log`),
      args: this.#args(),
    });
    this.#process = started;
    const token = credentials.token("admin");
    await eventually(
      async () => {
        started.assertRunning();
        return (await this.client.send({ method: "GET", path: "/readyz", token })).status === 200 ? true : undefined;
      },
      { timeoutMs: startTimeoutMs, what: `${this.url}/readyz` },
    );
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.client[Symbol.dispose]();
  }

  #args(): readonly string[] {
    const { port, etcdUrl, credentials, auditPolicyFile, controllers, directory, index, args } = this.#options;
    return [
      `--etcd-servers=${etcdUrl}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      // A documentation address: with no endpoint reconciler nobody is told of it, and the host needs no network of its own.
      "--advertise-address=192.0.2.1",
      "--endpoint-reconciler-type=none",
      `--tls-cert-file=${credentials.caFile}`,
      `--tls-private-key-file=${credentials.keyFile}`,
      `--cert-dir=${join(directory, `certificates-${index}`)}`,
      `--token-auth-file=${credentials.tokenFile}`,
      "--authorization-mode=RBAC",
      "--anonymous-auth=false",
      "--service-cluster-ip-range=10.0.0.0/16",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${credentials.serviceAccountPublicKeyFile}`,
      `--service-account-signing-key-file=${credentials.serviceAccountKeyFile}`,
      `--audit-policy-file=${auditPolicyFile}`,
      `--audit-log-path=${this.auditLog}`,
      "--audit-log-maxsize=0",
      // Without its controller no namespace has a service account, and no pod could be made.
      ...(controllers ? [] : ["--disable-admission-plugins=ServiceAccount"]),
      "--v=1",
      ...args,
    ];
  }
}
