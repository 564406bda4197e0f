/**
 * Owns one child process: a plain server of the control plane, its log file and its end.
 * 1. It is ended by SIGKILL, by its own process id (K46: a polite stop waits for open watches).
 * 2. Once `stop` resolves the process is gone, its ports are free and its files are still.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

const tailLines = 15;

export class ServerProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #logPath: string;
  readonly #killWithUs = (): void => {
    this.#child.kill("SIGKILL");
  };
  #failure = "";

  constructor(options: {
    readonly name: string;
    readonly binary: string;
    readonly args: readonly string[];
    readonly logPath: string;
  }) {
    this.name = options.name;
    this.#logPath = options.logPath;
    const log = openSync(options.logPath, "a");
    this.#child = spawn(options.binary, options.args, { stdio: ["ignore", log, log] });
    closeSync(log);
    process.on("exit", this.#killWithUs);
    this.#exited = new Promise((resolve) => {
      const ended = (failure: string): void => {
        this.#failure = failure;
        process.off("exit", this.#killWithUs);
        resolve();
      };
      this.#child.once("exit", (code, signal) => {
        ended(`ended with ${signal ?? `code ${code}`}`);
      });
      this.#child.once("error", (error) => {
        ended(`did not start: ${error.message}`);
      });
    });
  }

  /** Process id; 0 when it never started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#failure === "";
  }

  /** Throws, with the end of its log, if the process is gone. */
  assertRunning(): void {
    if (!this.running) throw new Error(`${this.name} ${this.#failure}\n${this.logTail()}`);
  }

  logTail(): string {
    return readFileSync(this.#logPath, "utf8").trimEnd().split("\n").slice(-tailLines).join("\n");
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.running) this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
