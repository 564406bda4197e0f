/**
 * Commits that are on disk already, in the packs of flushes, to a remote over HTTP on this machine: our receive-pack client, read back
 * included, beside `git push` of the same commits from the same repository to a copy of the same remote in the same run. Rounds in
 * turns; trust the ratio. The server is stock git in another thread, its time is in both; it is checked by `git fsck --strict`.
 *
 *     node bench/push.ts [--smoke] [--json]
 */

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import type { FlushEntry } from "../actors/ports.ts";
import type { ResourceVersion } from "../machines/messages.ts";
import { nodeClock } from "../src/composition/node-clock.ts";
import { createNodeFileSystem } from "../src/composition/node-file-system.ts";
import { stateRefOf } from "../src/git/state.ts";
import { openRemote } from "../src/remote/open-remote.ts";
import { packFile } from "../src/remote/pack-file.ts";
import { digestOf, environment, median, print, randomFrom, seed, smoke } from "./environment.ts";
import { changeOf, poolOf, type PreparedFile, snapshotOf, targetOf, typeOf, yamlOf } from "./prepared-files.ts";

const rounds = smoke ? 1 : 7;
const files = smoke ? 200 : 20_000;
const commits = smoke ? 50 : 1000;
const branch = "refs/heads/main";
const type = typeOf("apps", "deployments");
const random = randomFrom(seed);
const directory = mkdtempSync(join(tmpdir(), "kubescribe-bench-"));
const local = join(directory, "local.git");
const target = targetOf("bench", local);
const stateRef = stateRefOf(target);

const git = (repository: string, ...args: readonly string[]): string =>
  execFileSync("git", args, { cwd: repository, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
const tipsOf = (repository: string): readonly string[] =>
  [branch, stateRef].map((ref) => git(repository, "rev-parse", ref));
const packsOf = (repository: string): readonly string[] =>
  readdirSync(join(repository, "objects/pack")).filter((name) => name.endsWith(".pack"));

const times = { ours: new Array<number>(), git: new Array<number>(), ratios: new Array<number>() };
let hash = "";
let packBytes = 0;
try {
  await run();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

const where = `${environment}, ${files} files, ${commits} commits, ${rounds} rounds`;
const [ours, theirs, ratio] = [median(times.ours), median(times.git), median(times.ratios)];
const spread = [Math.min(...times.ratios), Math.max(...times.ratios)].map((value) => Number(value.toPrecision(3)));
print({ bench: "push", environment: where, hash, packBytes, oursMs: ours, gitMs: theirs, ratio, spread }, [
  `${where}; ${execFileSync("git", ["--version"], { encoding: "utf8" }).trim()}; fsck clean; hash ${hash}`,
  `kubescribe: ${ours} ms for a pack of ${(packBytes / 1e6).toPrecision(3)} MB, refs read back`,
  `git push: ${theirs} ms`,
  `${ratio} of git push (${spread.join(" to ")})`,
]);

async function run(): Promise<void> {
  const base = join(directory, "base.git");
  const before = await build(base);
  const pack = packsOf(local).find((name) => !packsOf(base).includes(name)) ?? "";
  const after = tipsOf(local);
  hash = digestOf(after);
  const server = new Worker(new URL("push-server.ts", import.meta.url), { workerData: directory });
  const [port] = (await once(server, "message")) as [number];
  try {
    for (let round = 0; round < rounds; round++) {
      const ours = await timed(base, `ours-${round}.git`, (name) => pushOurs({ port, name, pack, before, after }));
      const theirs = await timed(base, `git-${round}.git`, (name) => pushGit(port, name));
      times.ours.push(ours);
      times.git.push(theirs);
      times.ratios.push(ours / theirs);
    }
  } finally {
    await server.terminate();
  }
}

/** All files in one commit, which the remote has, and the commits that it lacks, in one flush. Returns where the remote's refs are. */
async function build(base: string): Promise<readonly string[]> {
  await using pool = poolOf([target], [type]);
  const flush = async (entries: readonly FlushEntry[], last: number): Promise<void> => {
    const cursor = { epoch: 0, resourceVersion: String(last) as ResourceVersion };
    await pool.flush("bench", { entries, cursors: new Map([[type.key, cursor]]) });
  };
  const first = Array.from({ length: files }, (_, index) => fileOf(index));
  await flush(snapshotOf(first, files), files);
  cpSync(local, base, { recursive: true });
  git(base, "config", "http.receivepack", "true");
  const steps = Array.from({ length: commits }, () => fileOf(Math.floor(random() * files)));
  await flush(
    steps.map((step, index) => changeOf(step, files + index + 1)),
    files + commits,
  );
  return tipsOf(base);
}

function fileOf(index: number): PreparedFile {
  const name = `web-${index}`;
  return { type, namespace: `team-${index % 50}`, name, yaml: yamlOf(name, random) };
}

async function timed(base: string, name: string, push: (name: string) => Promise<void>): Promise<number> {
  const remote = join(directory, name);
  cpSync(base, remote, { recursive: true });
  const startMs = performance.now();
  await push(name);
  const ms = performance.now() - startMs;
  if (tipsOf(remote).join() !== tipsOf(local).join()) throw new Error(`${name} should have the tips of ${local}`);
  if (name.endsWith("-0.git")) git(remote, "fsck", "--strict", "--no-dangling");
  rmSync(remote, { recursive: true });
  return ms;
}

async function pushOurs(push: {
  readonly port: number;
  readonly name: string;
  readonly pack: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}): Promise<void> {
  const fs = createNodeFileSystem();
  const url = `http://127.0.0.1:${push.port}/${push.name}`;
  const remote = openRemote({ url, credentialsDirectory: null, fs, clock: nodeClock, environment: {} });
  const pack = await packFile(fs, join(local, "objects/pack", push.pack));
  packBytes = pack.sizeBytes;
  const [from, stateFrom] = push.before;
  const [to, stateTo] = push.after;
  const updates = [
    { ref: branch, from: from ?? "", to: to ?? "" },
    { ref: stateRef, from: stateFrom ?? "", to: stateTo ?? "" },
  ];
  const result = await remote.push({ updates, pack }, new AbortController().signal);
  if (result.kind === "rejected") throw result.error;
}

/** Not in our own thread's way, and as a person has it: with its own choice of threads. */
async function pushGit(port: number, name: string): Promise<void> {
  const refs = [branch, stateRef].map((ref) => `+${ref}:${ref}`);
  const args = ["push", "-q", "--atomic", `http://127.0.0.1:${port}/${name}`, ...refs];
  const child = spawn("git", args, { cwd: local, stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`git push ended with ${code}`);
}
