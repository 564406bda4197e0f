/** The git binary as a port: it reads a clone in any state, whoever packed it. */

import { KubescribeError } from "../../../machines/error.ts";

export interface GitAnswer {
  readonly code: number;
  /** What it printed; empty where `onOutput` took it. */
  readonly output: Buffer;
  readonly error: string;
}

export interface GitRequest {
  readonly input?: string;
  /** Takes the output as it comes. */
  readonly onOutput?: (chunk: Buffer) => void;
}

/**
 * Runs one git command in the directory that the port was made for. Never asks a remote, follows no replaced objects, and takes
 * paths as they are. Rejects with a
 * KubescribeError (`git-missing`) where there is no git.
 */
export type Git = (args: readonly string[], request?: GitRequest) => Promise<GitAnswer>;

/** What it printed. Throws a KubescribeError (`git-failed`) with what git said. */
export async function askGit(git: Git, args: readonly string[], request?: GitRequest): Promise<Buffer> {
  const { code, output, error } = await git(args, request);
  if (code === 0) return output;
  const said = error.trim() === "" ? `it ended with ${code}` : error.trim();
  throw new KubescribeError("git-failed", `git ${args[0] ?? ""} failed: ${said}`, { retry: "never" });
}
