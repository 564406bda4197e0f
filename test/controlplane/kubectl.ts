import { spawn } from "node:child_process";

import { binaryPath } from "./binaries.ts";
import { answerOf, type ChildAnswer } from "./child-answer.ts";

/** Runs kubectl to its end, whatever that is. `home` keeps its cache out of the user's own. */
export function runKubectl(options: {
  readonly kubeconfig: string;
  readonly home: string;
  readonly args: readonly string[];
  readonly stdin: string;
}): Promise<ChildAnswer> {
  const child = spawn(binaryPath("kubectl"), ["--kubeconfig", options.kubeconfig, ...options.args], {
    env: { ...process.env, HOME: options.home, KUBECONFIG: options.kubeconfig },
    stdio: "pipe",
  });
  // A kubectl that fails early does not read its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin);
  return answerOf(child);
}
