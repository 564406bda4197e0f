/** OpenSSH's server on a port of 127.0.0.1, for the user who runs the test, with keys of its own. Owns the process and its files. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";

import { eventually } from "../controlplane/eventually.ts";
import { freePorts } from "../controlplane/ports.ts";
import { findSshd, required } from "./servers.ts";

export class Sshd implements AsyncDisposable {
  readonly port: number;
  readonly user = userInfo().username;
  readonly #directory: string;
  readonly #child: ChildProcess;
  #log = "";

  private constructor(directory: string, port: number, options: readonly string[]) {
    this.#directory = directory;
    this.port = port;
    const config = join(directory, "sshd_config");
    const lines = [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${join(directory, "host_ed25519")}`,
      `HostKey ${join(directory, "host_rsa")}`,
      `AuthorizedKeysFile ${join(directory, "authorized_keys")}`,
      "PidFile none",
      "UsePAM no",
      "StrictModes no",
      "PermitRootLogin prohibit-password",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      ...options,
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    this.#child = spawn(required(findSshd(), "sshd"), ["-D", "-e", "-f", config], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
  }

  /** `options`: lines of sshd_config. */
  static async start(directory: string, options: readonly string[] = []): Promise<Sshd> {
    required(findSshd(), "sshd");
    mkdirSync(directory, { recursive: true });
    // Where root runs it, sshd wants this directory, which its package makes at boot.
    if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    for (const type of ["ed25519", "rsa"]) makeKey(join(directory, `host_${type}`), { type });
    writeFileSync(join(directory, "authorized_keys"), "");
    const [port = 0] = await freePorts(1);
    const server = new Sshd(directory, port, options);
    await eventually(() => server.#isListening(), { what: "sshd" });
    return server;
  }

  get log(): string {
    return this.#log;
  }

  get knownName(): string {
    return `[127.0.0.1]:${this.port}`;
  }

  /** A line of known_hosts, without the name. */
  hostKey(type: "ed25519" | "rsa"): string {
    return readFileSync(join(this.#directory, `host_${type}.pub`), "utf8").trim();
  }

  fingerprint(type: "ed25519" | "rsa"): string {
    const text = execFileSync("ssh-keygen", ["-lf", join(this.#directory, `host_${type}.pub`)], { encoding: "utf8" });
    return text.split(" ")[1] ?? "";
  }

  url(path: string): string {
    return `ssh://${this.user}@127.0.0.1:${this.port}${encodeURI(path)}`;
  }

  authorize(publicKey: string): void {
    writeFileSync(join(this.#directory, "authorized_keys"), publicKey, { flag: "a" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #isListening(): Promise<true | undefined> {
    if (this.#child.exitCode !== null) throw new Error(`sshd ended: ${this.#log}`);
    const socket = connect(this.port, "127.0.0.1");
    try {
      return await new Promise((resolve) => {
        socket.once("data", () => resolve(true));
        socket.once("error", () => resolve(undefined));
      });
    } finally {
      socket.destroy();
    }
  }
}

/** Returns the private key; the public one lies beside it. */
export function makeKey(path: string, { type = "ed25519", passphrase = "", format = "RFC4716" } = {}): string {
  const args = [
    "-q",
    "-t",
    type,
    "-N",
    passphrase,
    "-C",
    "test",
    "-f",
    path,
    ...(format === "RFC4716" ? [] : ["-m", format]),
  ];
  execFileSync("ssh-keygen", args);
  return readFileSync(path, "utf8");
}
