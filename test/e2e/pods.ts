/**
 * What a node does for the pods of one Deployment, without containers: starts them with the arguments, the environment and the mounts of the
 * applied Deployment, as its ServiceAccount, keeps mounted Secrets fresh, asks the readiness probe, and leads connections to the Service
 * to pods that are ready. Owns the processes, their directories and the Service's port on this machine.
 * 1. A pod has an address of its own of this machine's loopback network: what it listens at on all addresses, it listens at on that.
 * 2. Mounts are real, in a mount namespace of the process, at the paths that the Deployment names.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect, type Server, type Socket } from "node:net";
import { join } from "node:path";

import type { ControlPlane } from "../controlplane/control-plane.ts";
import { eventually } from "../controlplane/eventually.ts";

interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string; readonly optional?: boolean };
  readonly emptyDir?: object;
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

interface PodSpec {
  readonly serviceAccountName: string;
  readonly containers: readonly [
    {
      readonly args: readonly string[];
      readonly env: readonly {
        readonly name: string;
        readonly valueFrom: { readonly fieldRef: { readonly fieldPath: string } };
      }[];
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    },
  ];
  readonly volumes: readonly Volume[];
}

export interface PodsOptions {
  readonly namespace: string;
  readonly name: string;
  /** Added to the arguments of every pod. */
  readonly args?: readonly string[];
}

/** Of this checkout. */
export const root = join(import.meta.dirname, "../..");
const accountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const servicePort = 443;
const probeEveryMs = 250;
const syncEveryMs = 1000;

export class Pods implements AsyncDisposable {
  readonly #plane: ControlPlane;
  readonly #options: PodsOptions;
  readonly #pods: Pod[] = [];
  #count = 0;
  #turn = 0;
  /** Null: each that is ready has its turn. */
  #only: Pod | null = null;
  readonly #service: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(plane: ControlPlane, options: PodsOptions) {
    this.#plane = plane;
    this.#options = options;
    this.#service = createServer((socket) => this.#lead(socket));
  }

  /** The Service answers from now on, with whatever pods are ready. */
  static async open(plane: ControlPlane, options: PodsOptions): Promise<Pods> {
    const pods = new Pods(plane, options);
    await new Promise<void>((resolve, reject) => {
      pods.#service.once("error", reject);
      pods.#service.listen(servicePort, "127.0.0.1", resolve);
    });
    return pods;
  }

  /** As the Deployment is now, with the program of a checkout. Resolves when the process runs: `ready` waits for more. */
  async start(source = root): Promise<Pod> {
    const { namespace, name } = this.#options;
    await this.beFound();
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    const deployment = JSON.parse((await this.#plane.request("admin", "GET", path)).text) as {
      readonly spec: { readonly template: { readonly spec: PodSpec } };
    };
    this.#count += 1;
    const pod = new Pod(this.#plane, {
      namespace,
      name: `${name}-${this.#count}`,
      address: `127.0.0.${this.#count + 1}`,
      spec: deployment.spec.template.spec,
      args: this.#options.args ?? [],
      source,
    });
    this.#pods.push(pod);
    await pod.start();
    return pod;
  }

  /** There is no node: the API server finds the Service on this machine, until its manifest is applied again. */
  async beFound(): Promise<void> {
    const { namespace, name } = this.#options;
    const spec = { type: "ExternalName", externalName: "localhost", clusterIP: null, clusterIPs: null };
    const path = `/api/v1/namespaces/${namespace}/services/${name}`;
    const { status, text } = await this.#plane.request("admin", "PATCH", path, { spec });
    if (status !== 200) throw new Error(text);
  }

  /** Of all of them, in the order of their beginning. */
  get logs(): string {
    return this.#pods.map((pod) => `--- ${pod.name}\n${pod.logs}`).join("\n");
  }

  /** Connections through the Service end, and the next ones go to this pod alone. */
  leadTo(pod: Pod): void {
    this.#only = pod;
    this.#cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#pods.map((pod) => pod.kill()));
    this.#cut();
    await new Promise<void>((resolve) => this.#service.close(() => resolve()));
  }

  /** One connection, to one of the ready ones in turn. */
  #lead(socket: Socket): void {
    const ready = this.#pods.filter((pod) => pod.isReady && (this.#only ?? pod) === pod);
    const pod = ready[(this.#turn += 1) % Math.max(1, ready.length)];
    this.#keep(socket);
    if (pod === undefined) {
      socket.resetAndDestroy();
      return;
    }
    const onward = connect({ host: pod.address, port: pod.webhookPort });
    this.#keep(onward);
    socket.pipe(onward).pipe(socket);
    socket.on("close", () => onward.destroy());
    onward.on("close", () => socket.destroy());
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

interface PodOptions {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly spec: PodSpec;
  readonly args: readonly string[];
  readonly source: string;
}

export class Pod {
  readonly name: string;
  readonly address: string;
  readonly logPath: string;
  readonly #plane: ControlPlane;
  readonly #options: PodOptions;
  readonly #place: string;
  readonly #timers: NodeJS.Timeout[] = [];
  #child: ChildProcess | null = null;
  #exited: Promise<number | null> = Promise.resolve(null);
  #ready = false;

  constructor(plane: ControlPlane, options: PodOptions) {
    this.#plane = plane;
    this.#options = options;
    this.name = options.name;
    this.address = options.address;
    this.#place = join(plane.directory, "pods", options.name);
    mkdirSync(this.#place, { recursive: true });
    this.logPath = join(this.#place, "log");
  }

  /** As the Service sees it: the probe was answered, and it is not on its way out. */
  get isReady(): boolean {
    return this.#ready && this.#child !== null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get webhookPort(): number {
    return portOf(this.#options.spec, "--admission-address=");
  }

  get metricsUrl(): string {
    return `http://${this.address}:${portOf(this.#options.spec, "--metrics-address=")}`;
  }

  get logs(): string {
    return existsSync(this.logPath) ? readFileSync(this.logPath, "utf8") : "";
  }

  /** The directory of a volume, by its name. */
  volume(name: string): string {
    const volume = this.#options.spec.volumes.find((each) => each.name === name);
    const claim = volume?.persistentVolumeClaim?.claimName;
    return claim === undefined ? join(this.#place, name) : join(this.#plane.directory, "claims", claim);
  }

  async start(): Promise<void> {
    const { spec, namespace, source } = this.#options;
    const [container] = spec.containers;
    const account = join(this.#place, "account");
    mkdirSync(account, { recursive: true });
    const token = await this.#token();
    for (const [name, text] of [
      ["token", token],
      ["ca.crt", this.#plane.caPem],
      ["namespace", namespace],
    ] as const)
      writeFileSync(join(account, name), text);
    for (const volume of spec.volumes) {
      mkdirSync(this.volume(volume.name), { recursive: true });
      await this.#sync(volume);
      if (volume.secret !== undefined)
        this.#timers.push(setInterval(() => void this.#sync(volume).catch(() => undefined), syncEveryMs));
    }
    const mounts = [
      ...container.volumeMounts.map(({ name, mountPath }) => [this.volume(name), mountPath]),
      [account, accountPath],
    ];
    const binds = mounts
      .map(([from = "", to = ""]) => `mkdir -p '${to}' && mount --bind '${from}' '${to}'`)
      .join(" && ");
    const values = new Map(
      container.env.map(({ name, valueFrom }) => [name, this.#field(valueFrom.fieldRef.fieldPath)]),
    );
    const args = [...container.args, ...this.#options.args].map((arg) =>
      arg
        .replaceAll(/\$\(([A-Z_]+)\)/g, (whole, name: string) => values.get(name) ?? whole)
        .replace("=0.0.0.0:", `=${this.address}:`),
    );
    const server = new URL(this.#plane.urls[0] ?? "");
    const log = openSync(this.logPath, "a");
    const child = spawn(
      "unshare",
      [
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        `${binds} && exec "$0" "$@"`,
        process.execPath,
        join(source, "src/main.ts"),
        ...args,
      ],
      {
        cwd: source,
        stdio: ["ignore", log, log],
        env: {
          PATH: process.env["PATH"],
          ...Object.fromEntries(values),
          KUBERNETES_SERVICE_HOST: server.hostname,
          KUBERNETES_SERVICE_PORT: server.port,
        },
      },
    );
    closeSync(log);
    this.#child = child;
    const killWithUs = (): void => void child.kill("SIGKILL");
    process.on("exit", killWithUs);
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code) => {
        process.off("exit", killWithUs);
        this.#child = null;
        for (const timer of this.#timers) clearInterval(timer);
        resolve(code);
      });
    });
    this.#timers.push(setInterval(() => void this.#probe(), probeEveryMs));
  }

  /** Resolves when the probe says so. */
  async ready(): Promise<void> {
    await eventually(
      async () => {
        await this.#probe();
        if (this.#child === null) throw new Error(`${this.name} ended:\n${this.tail}`);
        return this.#ready ? true : undefined;
      },
      { timeoutMs: 60_000, what: `${this.name} to be ready:\n${this.tail}` },
    );
  }

  get tail(): string {
    return this.logs.trimEnd().split("\n").slice(-30).join("\n");
  }

  /** As a deleted pod: SIGTERM, and what is left after its grace period is killed. Resolves to the exit code. */
  async stop(graceMs = 60_000): Promise<number | null> {
    this.#child?.kill("SIGTERM");
    const timer = setTimeout(() => void this.#child?.kill("SIGKILL"), graceMs);
    const code = await this.#exited;
    clearTimeout(timer);
    return code;
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
    rmSync(join(this.#place, "account"), { recursive: true, force: true });
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  /** The sum over all label sets, or of those that contain `labels`. */
  async metric(name: string, labels = ""): Promise<number> {
    const text = await (await fetch(`${this.metricsUrl}/metrics`)).text();
    let sum = 0;
    for (const line of text.split("\n")) {
      const [, key = "", value = ""] = /^(\S+?(?:\{.*\})?) (\S+)/.exec(line) ?? [];
      if ((key === name || key.startsWith(`${name}{`)) && key.includes(labels)) sum += Number(value);
    }
    return sum;
  }

  async readiness(): Promise<string> {
    return await (await fetch(`${this.metricsUrl}/readyz?verbose`)).text();
  }

  async #probe(): Promise<void> {
    try {
      this.#ready = (await fetch(`${this.metricsUrl}/readyz`)).ok;
    } catch {
      this.#ready = false;
    }
  }

  #field(path: string): string {
    const { namespace, name, address } = this.#options;
    const fields = { "metadata.name": name, "metadata.namespace": namespace, "status.podIP": address };
    return fields[path as keyof typeof fields];
  }

  async #token(): Promise<string> {
    const { namespace, spec } = this.#options;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${spec.serviceAccountName}/token`;
    const answer = await this.#plane.request("admin", "POST", path, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 7200 },
    });
    return (JSON.parse(answer.text) as { readonly status: { readonly token: string } }).status.token;
  }

  /** A mounted Secret: each key a file, replaced whole. */
  async #sync({ name, secret }: Volume): Promise<void> {
    if (secret === undefined) return;
    const path = `/api/v1/namespaces/${this.#options.namespace}/secrets/${secret.secretName}`;
    const answer = await this.#plane.request("admin", "GET", path);
    if (answer.status !== 200) return;
    const { data = {} } = JSON.parse(answer.text) as { readonly data?: Readonly<Record<string, string>> };
    for (const [key, value] of Object.entries(data)) {
      const file = join(this.volume(name), key);
      writeFileSync(`${file}.new`, Buffer.from(value, "base64"));
      renameSync(`${file}.new`, file);
    }
  }
}

function portOf(spec: PodSpec, option: string): number {
  const arg = spec.containers[0].args.find((each) => each.startsWith(option)) ?? "";
  return Number(arg.slice(arg.lastIndexOf(":") + 1));
}
