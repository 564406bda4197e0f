import { spawn } from "node:child_process";

import { binaryPath } from "./binaries.ts";

export interface KubectlResult {
  /** 0 when it went well. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl to its end, whatever that is. `home` keeps its cache out of the user's own. */
export function runKubectl(options: {
  readonly kubeconfig: string;
  readonly home: string;
  readonly args: readonly string[];
  readonly stdin: string;
}): Promise<KubectlResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(binaryPath("kubectl"), ["--kubeconfig", options.kubeconfig, ...options.args], {
      env: { ...process.env, HOME: options.home, KUBECONFIG: options.kubeconfig },
      stdio: "pipe",
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code: code ?? 1, ...output });
    });
    // A kubectl that fails early does not read its input.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.stdin);
  });
}
