/**
 * What a change costs once there is much: by the files of a branch, in directories of equal width, and by the commits behind it.
 * Both stages of src/git in this thread, flushes of 500, synced, CPU of the thread; the repositories take turns, and each is beside the
 * smallest. Files come by one snapshot each; histories are prolonged by `git fast-import`. Sizes beyond the default's: `--full`.
 *
 *     node bench/growth.ts [--smoke] [--full] [--json]
 */

import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { CommitPool, FlushEntry } from "../actors/ports.ts";
import type { Cursor, ResourceType, ResourceVersion, TypeKey } from "../machines/messages.ts";
import { encodeState, stateRefOf } from "../src/git/state.ts";
import { digestOf, environment, median, print, randomFrom, seed, smoke } from "./environment.ts";
import type { PreparedFile } from "./prepared-files.ts";
import { changeOf, poolOf, snapshotOf, targetOf, typeOf, yamlOf } from "./prepared-files.ts";

const full = process.argv.includes("--full");
const rounds = smoke ? 1 : 9;
const changesPerRound = smoke ? 20 : 500;
const base = { files: smoke ? 100 : 1000, commits: smoke ? 100 : 1000 };
const sizes = [
  base,
  { ...base, files: base.files * 10 },
  ...(full ? [{ ...base, files: 100_000 }] : []),
  { ...base, commits: base.commits * (smoke ? 10 : 50) },
  ...(full ? [{ ...base, commits: 1_000_000 }] : []),
];
/** A directory of files holds so many, and a namespace so many of those. */
const width = smoke ? 10 : 50;
const types = Array.from({ length: smoke ? 10 : 20 }, (_, index) => typeOf("apps", `things-${index}`));
const goal = 1.2;

const directory = mkdtempSync(join(tmpdir(), "kubescribe-bench-"));
const git = (repository: string, args: readonly string[], input?: Buffer): string =>
  execFileSync("git", args, {
    cwd: repository,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
    ...(input && { input }),
  }).trim();

interface Branch {
  readonly id: string;
  readonly name: string;
  readonly repository: string;
  readonly files: readonly Omit<PreparedFile, "yaml">[];
  readonly random: () => number;
  readonly costsUs: number[];
  version: number;
}

const branches = sizes.map(({ files, commits }, index): Branch => ({
  id: `bench-${index}`,
  name: `${files} files, ${commits} commits`,
  repository: join(directory, `${index}.git`),
  files: Array.from({ length: files }, (_, at) => placeOf(at)),
  random: randomFrom(seed + index),
  costsUs: [],
  version: files,
}));
const targets = branches.map(({ id, repository }) => targetOf(id, repository));
try {
  {
    await using pool = poolOf(targets, types);
    for (const branch of branches)
      await flushed(
        pool,
        branch,
        snapshotOf(
          branch.files.map((file) => written(file, branch)),
          branch.version,
        ),
      );
  }
  for (const [index, branch] of branches.entries()) prolong(branch, sizes[index]?.commits ?? 0);
  await using pool = poolOf(targets, types);
  // A directory is read once, when it is first written to; that is no part of what a change costs.
  for (const branch of branches) {
    const firsts = branch.files.filter((_, at) => at % width === 0);
    await flushed(
      pool,
      branch,
      firsts.map((file) => changed(file, branch)),
    );
  }
  for (let round = -1; round < rounds; round += 1) {
    for (const branch of round % 2 === 0 ? branches : branches.toReversed()) {
      const costUs = await oneRound(pool, branch);
      if (round >= 0) branch.costsUs.push(costUs);
    }
  }
  git(branches[0]?.repository ?? "", ["fsck", "--strict", "--no-dangling"]);
  report(digestOf(branches.map(({ repository }) => git(repository, ["rev-parse", "main^{tree}"]))));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function placeOf(at: number): Omit<PreparedFile, "yaml"> {
  const leaf = Math.floor(at / width);
  const type = types[leaf % types.length] as ResourceType;
  return { type, namespace: `team-${Math.floor(leaf / types.length)}`, name: `web-${at}` };
}

function written(file: Omit<PreparedFile, "yaml">, { random }: Branch): PreparedFile {
  return { ...file, yaml: yamlOf(file.name, random) };
}

async function flushed(pool: CommitPool, { id, version }: Branch, entries: readonly FlushEntry[]): Promise<void> {
  await pool.flush(id, { entries, cursors: cursorsAt(version) });
}

function cursorsAt(version: number): ReadonlyMap<TypeKey, Cursor> {
  return new Map(types.map(({ key }) => [key, { epoch: 0, resourceVersion: String(version) as ResourceVersion }]));
}

/** Adds commits of nobody's, each of which writes one file of another place, until there are `commits`; the state ref follows. */
function prolong({ id, repository, version }: Branch, commits: number): void {
  const stream = join(directory, "stream");
  const file = openSync(stream, "w");
  writeSync(file, "blob\nmark :1\ndata 2\na\nblob\nmark :2\ndata 2\nb\n");
  let text = "";
  for (let at = 1; at < commits; at += 1) {
    text += `commit refs/heads/main\ncommitter k <k@example.com> 1700000000 +0000\ndata 2\nx\n`;
    text += at === 1 ? "from refs/heads/main^0\n" : "";
    text += `M 100644 :${1 + (at % 2)} other/${at % 100}\n`;
    if (at % 1000 === 0 || at === commits - 1) {
      writeSync(file, text);
      text = "";
    }
  }
  closeSync(file);
  execFileSync("sh", ["-c", `git fast-import --quiet < ${stream}`], { cwd: repository });
  const state = encodeState({
    tip: git(repository, ["rev-parse", "main"]),
    cursors: cursorsAt(version),
    formats: new Map(),
    selections: new Map(),
    blindTimes: [],
  });
  const blob = git(repository, ["hash-object", "-w", "--stdin"], state);
  git(repository, ["update-ref", stateRefOf({ id, clusterUid: "bench" }), blob]);
}

function changed(file: Omit<PreparedFile, "yaml">, branch: Branch): FlushEntry {
  branch.version += 1;
  return changeOf(written(file, branch), branch.version);
}

/** CPU of this thread for each change. The bytes are made before. */
async function oneRound(pool: CommitPool, branch: Branch): Promise<number> {
  const { files, random } = branch;
  const entries = Array.from({ length: changesPerRound }, () => {
    const file = files[Math.floor(random() * files.length)];
    if (file === undefined) throw new Error("a branch has no files");
    return changed(file, branch);
  });
  const before = process.threadCpuUsage();
  await flushed(pool, branch, entries);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / changesPerRound;
}

function report(hash: string): void {
  const first = branches[0]?.costsUs ?? [];
  const rows = branches.map(({ name, costsUs }) => {
    const ratio = median(costsUs.map((cost, round) => cost / (first[round] ?? cost)));
    return { name, cpuUs: median(costsUs), ratio, verdict: ratio <= goal ? "reached" : "missed" };
  });
  const where = `${environment}, ${rounds} rounds of ${changesPerRound} changes in each, files of 1.5 KB`;
  print({ bench: "growth", environment: where, hash, goal, rows }, [
    `${where}; fsck clean; hash ${hash}`,
    ...rows.map(
      ({ name, cpuUs, ratio, verdict }) =>
        `${name.padEnd(32)}${String(cpuUs).padStart(6)} us CPU a change   ${ratio} x the first (goal ${goal}: ${verdict})`,
    ),
  ]);
}
