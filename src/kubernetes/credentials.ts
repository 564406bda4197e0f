/**
 * Where the API server is and how to speak to it, from a kubeconfig or the pod's service account. Tokens and CAs rotate on
 * disk (K32): each `read` looks again; who calls it says how often. It owns the last kubeconfig, because plugins that fetch
 * tokens keep theirs in it.
 */

import type { Agent } from "node:http";
import type { RequestOptions } from "node:https";
import type { ConnectionOptions } from "node:tls";

import type { KubeConfig } from "@kubernetes/client-node";

import type { FileSystem } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";

export interface Connection {
  readonly server: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
  /** Client-node's agent, where the kubeconfig names a proxy. */
  readonly proxy: Agent | null;
}

export type TlsMaterial = Pick<ConnectionOptions, "ca" | "cert" | "key" | "servername" | "rejectUnauthorized">;

const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

export class Credentials {
  /** Path of a kubeconfig; null: the service account of the pod. */
  readonly #path: string | null;
  readonly #files: Pick<FileSystem, "readFile">;
  #text = "";
  #config: KubeConfig | null = null;

  constructor(path: string | null, files: Pick<FileSystem, "readFile">) {
    this.#path = path;
    this.#files = files;
  }

  /** Throws `kubeconfig-unreadable`, `kubeconfig-invalid`, `kubeconfig-absent` or `credentials-refused`. */
  async read(): Promise<Connection> {
    const config = this.#path === null ? await loadInCluster() : await this.#loadFile(this.#path);
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw this.#invalid("its current-context names a context and a cluster that it defines");
    const server = parseServer(cluster.server);
    if (server === null) throw this.#invalid("the cluster's server is an https:// URL");
    const options: RequestOptions = {};
    try {
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      throw new KubescribeError(
        "credentials-refused",
        `The credentials of ${this.#name()} cannot be used: ${reasonOf(error)}. Expected certificates, keys and tokens that can be read, and a login plugin that works (an http:// server needs insecure-skip-tls-verify). Try "kubectl --kubeconfig ... get --raw /version".`,
        { retry: "backoff", cause: error },
      );
    }
    const headers = headersOf(options);
    const viaProxy = typeof cluster.proxyUrl === "string" && cluster.proxyUrl !== "";
    const proxy = viaProxy && typeof options.agent === "object" ? options.agent : null;
    return { server, headers, tls: tlsOf(options), proxy };
  }

  /** Cheap: whether there is something to read. Throws `kubeconfig-unreadable` or `kubeconfig-absent`. */
  async look(): Promise<void> {
    if (this.#path !== null) await this.#readKubeconfig(this.#path);
    else await this.#files.readFile(serviceAccountToken).catch(() => Promise.reject(notInCluster()));
  }

  async #loadFile(path: string): Promise<KubeConfig> {
    const text = await this.#readKubeconfig(path);
    const config = this.#config;
    // A token file is read again at most once a minute by client-node itself; reading anew is what keeps it fresh here.
    if (config !== null && text === this.#text && hasPlugin(config)) return config;
    const loaded = await newKubeConfig();
    try {
      loaded.loadFromString(text);
      loaded.makePathsAbsolute(path.slice(0, Math.max(path.lastIndexOf("/"), 0)) || ".");
    } catch (error) {
      throw this.#invalid(`it is a kubeconfig in YAML or JSON`, error);
    }
    this.#text = text;
    this.#config = loaded;
    return loaded;
  }

  async #readKubeconfig(path: string): Promise<string> {
    try {
      return Buffer.from(await this.#files.readFile(path)).toString("utf8");
    } catch (error) {
      throw new KubescribeError(
        "kubeconfig-unreadable",
        `The kubeconfig ${path} cannot be read: ${reasonOf(error)}. Name a readable file with --kubeconfig, or leave the option out inside a cluster.`,
        { retry: "never", cause: error },
      );
    }
  }

  #invalid(expected: string, cause?: unknown): KubescribeError {
    return new KubescribeError(
      "kubeconfig-invalid",
      `${this.#name()} cannot be used: expected that ${expected}${cause === undefined ? "" : ` (${reasonOf(cause)})`}. Look at it with "kubectl config view" and mend it, or name another one with --kubeconfig.`,
      { retry: "never", ...(cause === undefined ? {} : { cause }) },
    );
  }

  #name(): string {
    return this.#path === null ? "The pod's service account" : `The kubeconfig ${this.#path}`;
  }
}

/** Client-node takes longer to load than all the rest: not before reviews are taken. */
async function newKubeConfig(): Promise<KubeConfig> {
  const clientNode = await import("@kubernetes/client-node");
  return new clientNode.KubeConfig();
}

async function loadInCluster(): Promise<KubeConfig> {
  const config = await newKubeConfig();
  try {
    config.loadFromCluster();
  } catch (error) {
    throw notInCluster(error);
  }
  // Without the pod's environment client-node makes a URL of nothing.
  if (config.getCurrentCluster()?.server.includes("undefined") !== false) throw notInCluster();
  return config;
}

function notInCluster(cause?: unknown): KubescribeError {
  return new KubescribeError(
    "kubeconfig-absent",
    "No --kubeconfig was given, and this process does not run in a pod with a service account. Name a kubeconfig with --kubeconfig FILE.",
    { retry: "never", ...(cause === undefined ? {} : { cause }) },
  );
}

/** A plugin is a process or a request of its own: its answer is kept as long as it says. */
function hasPlugin(config: KubeConfig): boolean {
  const user = config.getCurrentUser();
  return user?.exec !== undefined && user.exec !== null;
}

function parseServer(server: string): URL | null {
  const url = URL.canParse(server) ? new URL(server) : null;
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") ? url : null;
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    // A token file often ends in a line break, which a header must not.
    if (typeof value === "string" || typeof value === "number") plain[name.toLowerCase()] = String(value).trim();
  }
  if (typeof auth === "string") plain["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  return plain;
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): TlsMaterial {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

/** Errors of files carry a code and a path; none of these carries a secret. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n")[0]?.slice(0, 200) ?? "") : "unknown";
}
