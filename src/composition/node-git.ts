/** The git binary, for reading clones. */

import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { KubescribeError } from "../../machines/error.ts";
import type { Git } from "../git/clone/git.ts";

/** What a user's configuration could change of an answer. */
const settings = ["i18n.logOutputEncoding=UTF-8", "log.showSignature=false", "core.fsmonitor=false"];
const flags = [
  "--no-pager",
  "--no-replace-objects",
  "--no-optional-locks",
  "--literal-pathspecs",
  ...settings.flatMap((text) => ["-c", text]),
];

const environment = {
  // The directory that was asked for is meant, not the repository of a hook that this runs in.
  GIT_DIR: undefined,
  GIT_COMMON_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_OBJECT_DIRECTORY: undefined,
  GIT_ALTERNATE_OBJECT_DIRECTORIES: undefined,
  GIT_NAMESPACE: undefined,
  GIT_SHALLOW_FILE: undefined,
  GIT_GRAFT_FILE: undefined,
  // git refuses to take paths as they are beside these.
  GIT_GLOB_PATHSPECS: undefined,
  GIT_NOGLOB_PATHSPECS: undefined,
  GIT_ICASE_PATHSPECS: undefined,
  LC_ALL: "C",
  // No way to a remote.
  GIT_ALLOW_PROTOCOL: "",
  GIT_NO_LAZY_FETCH: "1",
  GIT_TERMINAL_PROMPT: "0",
  // Into a pipe, git log would write each commit for itself: twice the time.
  GIT_FLUSH: "0",
};

/** Runs git in a directory, with the caller's environment, but without a way to any remote: a partial clone would fetch by itself. */
export function nodeGit(directory: string): Git {
  return async (args, { input = "", onOutput } = {}) => {
    if (!isDirectory(directory)) throw noDirectory(directory);
    const child = spawn("git", [...flags, ...args], {
      cwd: directory,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", onOutput ?? ((chunk: Buffer) => output.push(chunk)));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    // It may end before it has read everything; its exit code says why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", (cause) => reject(missing(cause)));
      child.on("close", (exit) => resolve(exit ?? -1));
    });
    return { code, output: Buffer.concat(output), error: Buffer.concat(errors).toString() };
  };
}

/** Looked at first: the system has the same errors for a directory and for a command that are not there. */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function noDirectory(path: string): KubescribeError {
  return new KubescribeError("git-not-a-repository", `there is no directory ${path}`, { retry: "never" });
}

function missing(cause: NodeJS.ErrnoException): KubescribeError {
  const why = cause.code === "ENOENT" ? "there is no command git in the PATH" : cause.message;
  const message = `git does not start: ${why}. Install git 2.31 or newer`;
  return new KubescribeError("git-missing", message, { retry: "never", cause });
}
