/**
 * A long history, as kubescribe's threads make it: one change a commit, synced flushes of 1,000, packs joined beside them. How fast it goes on as it
 * grows, how long a flush or the main thread ever waits, how many packs there are; then stock git reads it: fsck, log, blame, full, shallow and
 * partial clones, a bundle, gc, and more commits after that. Then the same changes for one branch and for two, which have a thread each.
 * 20,000 files of 1.5 KB; a change edits one value. `--full` makes 1,000,000 commits; the default 20,000.
 *
 *     node bench/history.ts [--smoke] [--full] [--json]
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";

import type { FlushEntry } from "../actors/ports.ts";
import type { ResourceType } from "../machines/messages.ts";
import { createNodeFileSystem } from "../src/composition/node-file-system.ts";
import type { BranchPool } from "../src/git/commit-pool.ts";
import { createPiscinaCommitPool } from "../src/git/piscina-pool.ts";
import { ensureRepository } from "../src/git/repository.ts";
import { environment, print, quantile, randomFrom, seed, smoke } from "./environment.ts";
import { changeOf, flushed, everySelectionOf, snapshotOf, targetOf, typeOf } from "./prepared-files.ts";

const full = process.argv.includes("--full");
const commits = smoke ? 400 : full ? 1_000_000 : 20_000;
const flushSize = smoke ? 100 : 1000;
const parts = smoke ? 2 : 10;
const shape = smoke ? { namespaces: 2, resources: 2, each: 5 } : { namespaces: 50, resources: 20, each: 20 };
const values = 36;
const flatGoal = 1.2;
const pauseGoalMs = 100;

const directory = mkdtempSync(join(tmpdir(), "kubescribe-bench-"));
const types = Array.from({ length: shape.resources }, (_, at) => typeOf("apps", `kind${at}s`));

interface Place {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
  readonly values: number[];
}

/** One branch, and the objects that its files are of. */
class Branch {
  readonly id: string;
  readonly repository: string;
  readonly #random: () => number;
  readonly #places: readonly Place[];
  #version: number;

  constructor(id: string) {
    this.id = id;
    this.repository = join(directory, `${id}.git`);
    this.#random = randomFrom(seed);
    const { namespaces, resources, each } = shape;
    this.#places = Array.from({ length: namespaces * resources * each }, (_, at) => ({
      type: types[at % resources] as ResourceType,
      namespace: `team-${Math.floor(at / resources) % namespaces}`,
      name: `web-${Math.floor(at / resources / namespaces)}`,
      values: Array.from({ length: values }, () => Math.floor(this.#random() * 1e9)),
    }));
    this.#version = this.#places.length;
  }

  begin(pool: BranchPool): Promise<unknown> {
    const files = this.#places.map((place) => ({ ...place, yaml: objectOf(place) }));
    return this.#flush(pool, snapshotOf(files, files.length));
  }

  /** The bytes are made before the clock starts. */
  next(count: number): readonly FlushEntry[] {
    return Array.from({ length: count }, () => {
      const place = this.#places[Math.floor(this.#random() * this.#places.length)];
      if (place === undefined) throw new Error("a branch has no files");
      place.values[Math.floor(this.#random() * values)] = Math.floor(this.#random() * 1e9);
      this.#version += 1;
      return changeOf({ ...place, yaml: objectOf(place) }, this.#version);
    });
  }

  write(pool: BranchPool, entries: readonly FlushEntry[]): Promise<unknown> {
    return this.#flush(pool, entries);
  }

  #flush(pool: BranchPool, entries: readonly FlushEntry[]): Promise<unknown> {
    return flushed(pool, this.id, entries);
  }
}

interface Stretch {
  readonly behind: number;
  readonly perSecond: number;
  /** CPU of all threads, joining included, for each commit. */
  readonly cpuUs: number;
  readonly flushP99Ms: number;
  readonly longestFlushMs: number;
  readonly loopMaxMs: number;
  readonly packs: number;
}

try {
  const long = new Branch("long");
  const stretches = await grown(long);
  const readings = read(long.repository);
  const [first] = stretches;
  const last = stretches.at(-1);
  if (first === undefined || last === undefined) throw new Error("nothing was measured");
  const growth = Number((last.cpuUs / first.cpuUs).toPrecision(3));
  const longestMs = Math.max(...stretches.map(({ loopMaxMs }) => loopMaxMs));
  const [one, two] = [await together(1), await together(2)];
  const branches = {
    one: one.perSecond,
    two: two.perSecond,
    ratio: Number((two.perSecond / one.perSecond).toPrecision(3)),
  };
  const version = execFileSync("git", ["--version"], { encoding: "utf8" }).trim();
  const where = `${environment}, ${version}, ${commits} commits in flushes of ${flushSize}, synced`;
  print(
    { bench: "history", environment: where, stretches, growth, flatGoal, longestMs, pauseGoalMs, readings, branches },
    [
      where,
      ...stretches.map(
        (each) =>
          `${String(each.behind).padStart(9)} commits behind: ${each.perSecond} commits/s, ${each.cpuUs} us of CPU each; a flush p99 ${each.flushP99Ms} ms, longest ` +
          `${each.longestFlushMs}; main thread held up ${each.loopMaxMs} ms at most; ${each.packs} packs`,
      ),
      `CPU of a commit at the end: ${growth} x the first (goal ${flatGoal}: ${growth <= flatGoal ? "reached" : "missed"})`,
      `main thread held up ${longestMs} ms at most (goal ${pauseGoalMs}: ${longestMs <= pauseGoalMs ? "reached" : "missed"})`,
      ...readings.map(({ name, seconds, note }) => `${name.padEnd(40)}${String(seconds).padStart(8)} s  ${note}`),
      `one branch ${one.perSecond} commits/s, two ${two.perSecond} (ratio ${branches.ratio}); main thread held up ${one.loopMaxMs} and ${two.loopMaxMs} ms at most`,
    ],
  );
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function grown(branch: Branch): Promise<readonly Stretch[]> {
  await using pool = await poolOf([branch]);
  await branch.begin(pool);
  const stretches: Stretch[] = [];
  for (let part = 0; part < parts; part += 1) {
    stretches.push(await stretch(pool, branch, { behind: (commits / parts) * part, count: commits / parts }));
    if (full && !process.argv.includes("--json")) console.error(`${((part + 1) * 100) / parts}% of ${commits} commits`);
  }
  return stretches;
}

async function stretch(
  pool: BranchPool,
  branch: Branch,
  { behind, count }: { readonly behind: number; readonly count: number },
): Promise<Stretch> {
  const flushesMs: number[] = [];
  let cpuUs = 0;
  let loopMaxMs = 0;
  for (let done = 0; done < count; done += flushSize) {
    const entries = branch.next(Math.min(flushSize, count - done));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const before = process.cpuUsage();
    const startMs = performance.now();
    await branch.write(pool, entries);
    flushesMs.push(performance.now() - startMs);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    delay.disable();
    loopMaxMs = Math.max(loopMaxMs, delay.max / 1e6);
  }
  const totalMs = flushesMs.reduce((sum, each) => sum + each, 0);
  return {
    behind,
    perSecond: Math.round((count / totalMs) * 1000),
    cpuUs: Math.round(cpuUs / count),
    flushP99Ms: quantile(flushesMs, 0.99),
    longestFlushMs: Math.round(Math.max(...flushesMs)),
    loopMaxMs: Math.round(loopMaxMs),
    packs: packsIn(branch.repository),
  };
}

interface Reading {
  readonly name: string;
  readonly seconds: number;
  readonly note: string;
}

/** What people do with a repository; the file that is asked for has changed as often as any. */
function read(repository: string): readonly Reading[] {
  const file = "clusters/team-1/apps/kind1s/web-1.yaml";
  const readings: Reading[] = [];
  const taken = (name: string, note: (output: string) => string, args: readonly string[], where = repository): void => {
    const startMs = performance.now();
    const output = git(where, ...args);
    readings.push({ name, seconds: Number(((performance.now() - startMs) / 1000).toPrecision(3)), note: note(output) });
  };
  const nothing = (output: string): string => (output === "" ? "clean" : output);
  const size = (path: string) => (): string => `${Math.round(sizeOf(join(directory, path)) / 1e5) / 10} MB`;
  const count = (output: string): string => `${output === "" ? 0 : output.split("\n").length} lines`;
  taken("git fsck --strict", nothing, ["fsck", "--strict", "--no-dangling"]);
  taken("git rev-list --count", (output) => `${output} commits`, ["rev-list", "--count", "main"]);
  taken("git log -- FILE", count, ["log", "--format=%h", "main", "--", file]);
  taken("git blame FILE", count, ["blame", "main", "--", file]);
  const url = `file://${repository}`;
  taken("git clone --bare", size("full"), ["clone", "-q", "--bare", url, "full"], directory);
  taken("git clone --depth=1", size("shallow"), ["clone", "-q", "--bare", "--depth=1", url, "shallow"], directory);
  git(repository, "config", "uploadpack.allowFilter", "true");
  taken(
    "git clone --filter=blob:none",
    size("partial"),
    ["clone", "-q", "--bare", "--filter=blob:none", url, "partial"],
    directory,
  );
  taken("git bundle create", size("bundle"), ["bundle", "create", "-q", join(directory, "bundle"), "main"]);
  taken("git bundle verify", () => "it is whole", ["bundle", "verify", "-q", join(directory, "bundle")]);
  taken("git gc, beside what joining left", () => `${Math.round(sizeOf(join(repository, "objects")) / 1e5) / 10} MB`, [
    "gc",
    "-q",
  ]);
  taken("git fsck --strict after that", nothing, ["fsck", "--strict", "--no-dangling"]);
  return readings;
}

async function together(count: number): Promise<{ readonly perSecond: number; readonly loopMaxMs: number }> {
  const branches = Array.from({ length: count }, (_, at) => new Branch(`${count}-${at}`));
  await using pool = await poolOf(branches);
  await Promise.all(branches.map((branch) => branch.begin(pool)));
  const flushes = smoke ? 2 : 20;
  const work = branches.map((branch) => Array.from({ length: flushes }, () => branch.next(flushSize)));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startMs = performance.now();
  await Promise.all(
    branches.map(async (branch, at) => {
      for (const entries of work[at] ?? []) await branch.write(pool, entries);
    }),
  );
  const seconds = (performance.now() - startMs) / 1000;
  delay.disable();
  return {
    perSecond: Math.round((count * flushes * flushSize) / seconds),
    loopMaxMs: Math.round(delay.max / 1e6),
  };
}

async function poolOf(branches: readonly Branch[]): Promise<BranchPool> {
  const targets = branches.map(({ id, repository }) => targetOf(id, repository));
  for (const { repository } of branches)
    await ensureRepository({ fs: createNodeFileSystem(), repository, branch: "main", sync: true });
  const selections = everySelectionOf(types);
  return createPiscinaCommitPool({
    targets,
    selectionsOf: () => selections,
    workerUrl: new URL("../src/composition/commit-worker.ts", import.meta.url).href,
    prepareThreads: 2,
  });
}

function objectOf({ namespace, name, values: all }: Place): Buffer {
  const env = all.map((value, at) => `{"name":"SETTING_${at}","value":"v${value}"}`).join(",");
  return Buffer.from(
    `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"${name}","namespace":"${namespace}"},"spec":{"env":[${env}]}}`,
  );
}

function packsIn(repository: string): number {
  return readdirSync(join(repository, "objects", "pack")).filter((name) => name.endsWith(".pack")).length;
}

function sizeOf(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

function git(where: string, ...args: readonly string[]): string {
  return execFileSync("git", args, {
    cwd: where,
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}
