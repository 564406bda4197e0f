/** dulwich's own HTTP server, over one repository. Owns the process. */

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";

import { eventually } from "../controlplane/eventually.ts";
import { freePorts } from "../controlplane/ports.ts";
import { findDulwich, required } from "./servers.ts";

export class Dulwich implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  #log = "";

  private constructor(repository: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    const args = ["-m", "dulwich.web", "-l", "127.0.0.1", "-p", String(port), repository];
    this.#child = spawn(required(findDulwich(), "dulwich"), args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
  }

  static async start(repository: string): Promise<Dulwich> {
    const [port = 0] = await freePorts(1);
    const server = new Dulwich(repository, port);
    await eventually(() => server.#isListening(port), { what: "dulwich" });
    return server;
  }

  /** A line for each request, among others. */
  get log(): string {
    return this.#log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #isListening(port: number): Promise<true | undefined> {
    if (this.#child.exitCode !== null) throw new Error(`dulwich ended: ${this.#log}`);
    const socket = connect(port, "127.0.0.1");
    try {
      return await new Promise((resolve) => {
        socket.once("connect", () => resolve(true));
        socket.once("error", () => resolve(undefined));
      });
    } finally {
      socket.destroy();
    }
  }
}
