/**
 * Somebody at a shell, with kubescribe, kubectl and helm on the PATH, and a kubeconfig of the cluster's administrator. Owns the directory
 * that he sits in, where deploy/ is as in a checkout.
 */

import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { binaryPath, toolPath } from "../controlplane/binaries.ts";
import { answerOf, type ChildAnswer } from "../controlplane/child-answer.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { root } from "./pods.ts";

export class Shell {
  readonly directory: string;
  readonly #env: NodeJS.ProcessEnv;

  /** `source`: the checkout that its `kubescribe` is of; this one when it is left out. */
  constructor(plane: ControlPlane, { name = "shell", source = root } = {}) {
    this.directory = join(plane.directory, name);
    const programs = join(this.directory, "bin");
    mkdirSync(programs, { recursive: true });
    const words = {
      kubescribe: [process.execPath, join(source, "src/main.ts")],
      kubectl: [binaryPath("kubectl")],
      helm: [toolPath("helm")],
    };
    for (const [program, command] of Object.entries(words)) {
      const path = join(programs, program);
      writeFileSync(path, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(" ")} "$@"\n`);
      chmodSync(path, 0o755);
    }
    symlinkSync(join(source, "deploy"), join(this.directory, "deploy"));
    this.#env = {
      PATH: `${programs}:${process.env["PATH"] ?? ""}`,
      HOME: this.directory,
      KUBECONFIG: plane.kubeconfig("admin"),
    };
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.directory, file), text);
  }

  /** Any end is an answer. A pipe fails with any of its commands. */
  run(command: string): Promise<ChildAnswer> {
    return answerOf(spawn("bash", ["-o", "pipefail", "-c", command], { cwd: this.directory, env: this.#env }));
  }

  /** Throws where it does not end well. */
  async type(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(command);
    if (code !== 0) throw new Error(`${command}\nended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }
}
