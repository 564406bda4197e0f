/** What a child process said until it ended. */

import type { ChildProcessWithoutNullStreams } from "node:child_process";

export interface ChildAnswer {
  /** 0 when it went well; 1 also where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Any end is an answer; rejects where it did not start. */
export function answerOf(child: ChildProcessWithoutNullStreams): Promise<ChildAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ChildAnswer>();
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  child.once("error", reject);
  child.once("close", (code) => resolve({ code: code ?? 1, ...output }));
  return promise;
}
