/** The git binary, for reading clones. */

import { spawn } from "node:child_process";
import { KubescribeError } from "../../machines/error.ts";
import type { Git } from "../git/clone/git.ts";

/** What a user's configuration could change of an answer. */
const settings = [
  "i18n.logOutputEncoding=UTF-8",
  "log.showSignature=false",
  "trailer.separators=:",
  "core.fsmonitor=false",
];
const flags = [
  "--no-pager",
  "--no-replace-objects",
  "--no-optional-locks",
  ...settings.flatMap((text) => ["-c", text]),
];

/** Runs git in a directory, with the caller's environment, but without a way to any remote: a partial clone would fetch by itself. */
export function nodeGit(directory: string): Git {
  return async (args, { input = "", onOutput } = {}) => {
    const child = spawn("git", [...flags, ...args], {
      cwd: directory,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C", GIT_ALLOW_PROTOCOL: "", GIT_NO_LAZY_FETCH: "1", GIT_TERMINAL_PROMPT: "0" },
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", onOutput ?? ((chunk: Buffer) => output.push(chunk)));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    // It may end before it has read everything; its exit code says why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", (cause) => reject(missing(directory, cause)));
      child.on("close", (exit) => resolve(exit ?? -1));
    });
    return { code, output: Buffer.concat(output), error: Buffer.concat(errors).toString() };
  };
}

function missing(directory: string, cause: NodeJS.ErrnoException): KubescribeError {
  const message =
    cause.code === "ENOENT"
      ? `expected the command git and a directory ${directory}, and one of them is not there: install git 2.31 or newer, or name a clone`
      : `git does not start: ${cause.message}`;
  return new KubescribeError("git-missing", message, { retry: "never", cause });
}
