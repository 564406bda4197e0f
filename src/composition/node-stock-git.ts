/** The git binary as the simulation's reader: a repository is written out to a directory of its own, and read by few processes. */

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { CommittedFile, GitReader, HistoryCommit, ReadOptions } from "../simulation/checkers/git-reader.ts";

export const stockGit: GitReader = { read };

async function read({ disk, gitDirectory, branch, fsck, onCommit }: ReadOptions): Promise<readonly string[]> {
  const inside = `${gitDirectory}/`;
  const files = [...disk.files()].filter(([path]) => path.startsWith(inside));
  if (files.length === 0) return [];
  const copy = await mkdtemp(join(tmpdir(), "kubescribe-git-"));
  try {
    const directories = disk.directories().filter((path) => path.startsWith(inside));
    for (const path of new Set([...directories, ...files.map(([path]) => dirname(path))]))
      await mkdir(join(copy, path.slice(gitDirectory.length)), { recursive: true });
    for (const [path, bytes] of files) await writeFile(join(copy, path.slice(inside.length)), bytes);
    const packs = files.filter(([path]) => path.endsWith(".idx"));
    // Without it each object is looked for in one pack after the other.
    if (packs.length > manyPacks) await git(copy, ["multi-pack-index", "write"]);
    const complaints = await Promise.all([
      fsck ? complaintsOf(copy) : [],
      readLog(copy, `refs/heads/${branch}`, onCommit),
    ]);
    return complaints.flat();
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

const manyPacks = 20;

async function complaintsOf(repository: string): Promise<readonly string[]> {
  const said: Buffer[] = [];
  const args = ["fsck", "--strict", "--full", "--no-dangling", "--no-progress"];
  const answer = await git(repository, args, (chunk) => said.push(chunk));
  // What is missing is said on the standard output.
  return [...linesOf(Buffer.concat(said).toString()), ...failureOf("fsck", answer)];
}

function failureOf(command: string, { code, error }: GitAnswer): readonly string[] {
  const lines = linesOf(error);
  return code !== 0 && lines.length === 0 ? [`git ${command} ended with ${code}`] : lines;
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("notice: "));
}

const fields = ["%H", "%an", "%ae", "%at", "%cn", "%ce", "%ct", "%s", "%(trailers:only=true,unfold=true)"];

async function readLog(
  repository: string,
  ref: string,
  onCommit: (commit: HistoryCommit) => void,
): Promise<readonly string[]> {
  const shape = ["--raw", "-z", "--no-abbrev", "--no-renames", "--no-mailmap", "--reverse", "--topo-order"];
  // A merge is shown by what it did to its first parent.
  const format = `--format=%x01${fields.join("%x00")}`;
  // A pattern may match nothing; without a special character it would name what is below it.
  const pattern = `${ref.slice(0, -1)}[${ref.slice(-1)}]`;
  const args = ["log", ...shape, "--diff-merges=first-parent", format, `--glob=${pattern}`];
  const log = new LogReader(onCommit);
  const answer = await git(repository, args, (chunk) => log.push(chunk));
  log.end();
  return failureOf("log", answer);
}

/** Takes the log apart as it comes. Every field ends in a NUL, and nothing in a commit can hold one. */
class LogReader {
  readonly #onCommit: (commit: HistoryCommit) => void;
  #rest: Buffer = Buffer.alloc(0);
  #header: string[] = [];
  #files: CommittedFile[] = [];
  #raw = "";

  constructor(onCommit: (commit: HistoryCommit) => void) {
    this.#onCommit = onCommit;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
      this.#field(bytes.toString("utf8", start, end));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
  }

  end(): void {
    if (this.#rest.length > 0) this.#field(this.#rest.toString("utf8"));
    this.#rest = Buffer.alloc(0);
    this.#finish();
  }

  #field(text: string): void {
    if (this.#header.length > 0 && this.#header.length < fields.length) this.#header.push(text);
    else if (this.#raw !== "") this.#file(text);
    else if (text.startsWith("\u0001")) {
      this.#finish();
      this.#header = [text.slice(1)];
    } else this.#raw = text.trimStart();
  }

  #file(path: string): void {
    const [, , before = "", after = "", status = ""] = this.#raw.split(" ");
    this.#raw = "";
    this.#files.push({ status, path, before: before === absent ? "" : before, after: after === absent ? "" : after });
  }

  #finish(): void {
    const [id = "", authorName = "", authorEmail = "", authored = "", ...others] = this.#header;
    const [committerName = "", committerEmail = "", committed = "", subject = "", block = ""] = others;
    if (id === "") return;
    this.#onCommit({
      id,
      authorName,
      authorEmail,
      authoredAt: Number(authored),
      committerName,
      committerEmail,
      committedAt: Number(committed),
      subject,
      trailers: trailersOf(block),
      files: this.#files,
    });
    this.#header = [];
    this.#files = [];
  }
}

const absent = "0".repeat(40);

function trailersOf(block: string): ReadonlyMap<string, readonly string[]> {
  const trailers = new Map<string, string[]>();
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon < 0) continue;
    const key = line.slice(0, colon);
    const values = trailers.get(key);
    if (values === undefined) trailers.set(key, [line.slice(colon + 2)]);
    else values.push(line.slice(colon + 2));
  }
  return trailers;
}

interface GitAnswer {
  readonly code: number;
  readonly error: string;
}

async function git(
  repository: string,
  args: readonly string[],
  onOutput: (chunk: Buffer) => void = () => undefined,
): Promise<GitAnswer> {
  const settings = ["-c", "i18n.logOutputEncoding=UTF-8", "-c", "log.showRoot=true", "-c", "log.showSignature=false"];
  const child = spawn("git", [`--git-dir=${repository}`, ...settings, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", LC_ALL: "C" },
  });
  const errors: Buffer[] = [];
  child.stdout.on("data", onOutput);
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit) => resolve(exit ?? -1));
  });
  return { code, error: Buffer.concat(errors).toString() };
}
