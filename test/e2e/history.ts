/** Reads a repository as a user would: with the git binary, and git's own idea of what a trailer is. */

import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const maxOutputBytes = 1024 ** 3;

export interface Commit {
  readonly sha: string;
  readonly authorName: string;
  readonly authorEmail: string;
  /** Seconds since 1970. */
  readonly authoredAt: number;
  readonly subject: string;
  readonly trailers: ReadonlyMap<string, readonly string[]>;
  /** `A path`, `M path`, `D path`. */
  readonly changes: readonly string[];
  /** The files of `changes`; one for a change, any number for a snapshot. */
  readonly paths: readonly string[];
  /** Of the trailers, the ones that tests ask for; empty where there is none. */
  readonly user: string;
  readonly resource: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly epoch: string;
  readonly operation: string;
  readonly tier: string;
  readonly candidates: readonly string[];
  readonly fieldManager: string;
  readonly causedBy: string;
  /** `snapshot`, ...: not a change. */
  readonly kind: string;
}

export async function git(repository: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run("git", ["-C", repository, "-c", "core.quotePath=false", ...args], {
    maxBuffer: maxOutputBytes,
  });
  return stdout;
}

const fields = ["%H", "%an", "%ae", "%at", "%s", "%(trailers:only=true,unfold=true)"];

/** Oldest first; empty before the first commit. */
export async function readCommits(repository: string, branch = "main"): Promise<readonly Commit[]> {
  const known = await git(repository, ["for-each-ref", `refs/heads/${branch}`]).catch(() => "");
  if (known === "") return [];
  const format = `--format=%x1e${fields.join("%x1f")}%x1f`;
  const text = await git(repository, ["log", "--reverse", "--no-renames", "--name-status", format, branch, "--"]);
  return text.split("\u001e").slice(1).map(commitOf);
}

/** Bytes of a file at a commit. */
export async function readFileAt(repository: string, commit: string, path: string): Promise<string> {
  return git(repository, ["cat-file", "blob", `${commit}:${path}`]);
}

/** Texts of many files, in the order of `specs` (`COMMIT:path`), by one process. Throws where one is missing. */
export async function readFilesAt(repository: string, specs: readonly string[]): Promise<readonly string[]> {
  const child = spawn("git", ["-C", repository, "cat-file", "--batch"], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(specs.map((spec) => `${spec}\n`).join(""));
  const output = Buffer.concat(await Array.fromAsync(child.stdout as AsyncIterable<Buffer>));
  const texts: string[] = [];
  for (let at = 0; at < output.length;) {
    const lineEnd = output.indexOf(0x0a, at);
    const header = output.toString("utf8", at, lineEnd);
    const [, size] = /^[0-9a-f]+ blob (\d+)$/.exec(header) ?? [];
    if (size === undefined) throw new Error(`git cat-file: ${header}`);
    const end = lineEnd + 1 + Number(size);
    texts.push(output.toString("utf8", lineEnd + 1, end));
    at = end + 1;
  }
  return texts;
}

/** Rejects, with what git says, when anything is wrong. */
export async function fsck(repository: string): Promise<string> {
  const { stdout, stderr } = await run("git", ["-C", repository, "fsck", "--strict", "--full", "--no-dangling"], {
    maxBuffer: maxOutputBytes,
  });
  return (stdout + stderr)
    .split("\n")
    .filter((line) => line !== "" && !/^(notice|Checking|dangling|Verifying)/.test(line))
    .join("\n");
}

/** I1: keys (cluster, epoch, uid, resourceVersion) that more than one commit stands for. */
export function doubled(commits: readonly Commit[]): readonly string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const { epoch, uid, resourceVersion, kind } of commits) {
    // Somebody else's commit has none of them.
    if (kind !== "" || uid === "") continue;
    const key = `${epoch} ${uid} ${resourceVersion}`;
    if (seen.has(key)) twice.push(key);
    seen.add(key);
  }
  return twice;
}

function commitOf(text: string): Commit {
  const [sha = "", authorName = "", authorEmail = "", authoredAt = "", subject = "", block = "", status = ""] =
    text.split("\u001f");
  const trailers = new Map<string, string[]>();
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon < 0) continue;
    const key = line.slice(0, colon);
    trailers.set(key, [...(trailers.get(key) ?? []), line.slice(colon + 2)]);
  }
  const first = (key: string): string => trailers.get(key)?.[0] ?? "";
  const changes = status
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace("\t", " "));
  return {
    sha,
    authorName,
    authorEmail,
    authoredAt: Number(authoredAt),
    subject,
    trailers,
    changes,
    paths: changes.map((line) => line.slice(2)),
    user: first("Changed-By"),
    resource: first("Kubescribe-Resource"),
    uid: first("Kubescribe-Uid"),
    resourceVersion: first("Kubescribe-Resource-Version"),
    epoch: first("Kubescribe-Epoch"),
    operation: first("Kubescribe-Operation"),
    tier: first("Kubescribe-Attribution"),
    candidates: trailers.get("Kubescribe-Candidate") ?? [],
    fieldManager: first("Kubescribe-Field-Manager"),
    causedBy: first("Kubescribe-Caused-By"),
    kind: first("Kubescribe-Kind"),
  };
}
