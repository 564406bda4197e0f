/**
 * From a write's review and watch frame to its durable commit, with all that lies between but the API server's sockets: the review
 * scanned, correlated and journaled; the frame scanned; attribution; YAML of 1.5 to 5 KB; packs on disk, synced at each flush.
 * Half of the writes are status-only and make no commit. Beside it, in the same run, `git fast-import` of the very same commits,
 * with a checkpoint every 1,000 and all it writes synced; both must end in the same commit. Then latency at 200 changes a second,
 * the main loop's delay beside an idle one, and the webhook's p99 beside a bare HTTPS server's while commits run at full speed.
 * Trust the ratios: load, driver and commit threads share the machine's cores.
 *
 *     node bench/commit.ts [--smoke] [--json]
 */

import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import { createBlockingFiles } from "../src/composition/node-blocking-files.ts";
import { openCommitWorld } from "./commit-world.ts";
import { environment, median, print, quantile, smoke } from "./environment.ts";
import { Traffic } from "./traffic.ts";
import type { RaceResult } from "./webhook-race.ts";
import { openWebhookRace } from "./webhook-race.ts";

const rounds = smoke ? 1 : 5;
const size = smoke ? { resources: 100, writes: 4 } : { resources: 1000, writes: 4 };
const changesPerRound = smoke ? 100 : 3000;
const pacedPerSecond = 200;
const pacedChanges = smoke ? 20 : 1600;
const reviewsPerSecond = 500;
const checkpointCommits = 1000;
const perCoreGoal = 1500;
/** Pack, index, branch and state. */
const flushedFiles = [
  ["pack", 12_000],
  ["idx", 2000],
  ["ref", 41],
  ["state", 41],
] as const;

interface Round {
  readonly perSecond: number;
  readonly fastImportPerSecond: number;
  /** CPU of all threads, for each commit: what a busy machine blurs less. */
  readonly cpuUs: number;
  readonly fastImportCpuUs: number;
  readonly loopP99Ms: number;
}

const directory = await mkdtemp(`${tmpdir()}/kubescribe-bench-`);
const git = (repository: string, ...args: readonly string[]): string =>
  execFileSync("git", args, { cwd: repository, encoding: "utf8", maxBuffer: 1 << 30 }).trim();

const idleP99Ms = await delayDuring(() => sleep(smoke ? 100 : 2000));
const world = await openCommitWorld(directory, new Traffic(size));
const samples: Round[] = [];
let latencies: readonly number[] = [];
let diskMs: readonly number[] = [];
let race: RaceResult;
let backgroundPerSecond = 0;
/** The tree behind the first round, which warms up: the same for every run. */
let hash = "";
let yamlBytes = 0;
const { repository, tiers } = world;
try {
  await world.drive({ perSecond: null, enough: (changes) => changes >= changesPerRound });
  hash = git(repository, "rev-parse", "main^{tree}").slice(0, 16);
  yamlBytes = meanFileBytes();
  for (let round = 0; round < rounds; round += 1) samples.push(await oneRound());
  diskMs = await bareFlushes();
  latencies = await pacedLatencies();
  race = await besideCommits();
  git(repository, "fsck", "--strict", "--no-dangling");
} finally {
  await world[Symbol.asyncDispose]();
}
await rm(directory, { recursive: true });

const result = {
  bench: "commit",
  environment: `${environment}, ${rounds} rounds of ${changesPerRound} changes and as many status-only writes, YAML ${yamlBytes} bytes`,
  hash,
  verdicts: Object.fromEntries(tiers),
  commitsPerSecond: median(samples.map(({ perSecond }) => perSecond)),
  fastImportPerSecond: median(samples.map(({ fastImportPerSecond }) => fastImportPerSecond)),
  toFastImport: median(samples.map(({ perSecond, fastImportPerSecond }) => perSecond / fastImportPerSecond)),
  cpuUs: median(samples.map(({ cpuUs }) => cpuUs)),
  fastImportCpuUs: median(samples.map(({ fastImportCpuUs }) => fastImportCpuUs)),
  cpuRatio: median(samples.map(({ cpuUs, fastImportCpuUs }) => cpuUs / fastImportCpuUs)),
  pacedPerSecond,
  perCore: Math.round(1e6 / median(samples.map(({ cpuUs }) => cpuUs))),
  perCoreGoal,
  diskP50Ms: quantile(diskMs, 0.5),
  diskP99Ms: quantile(diskMs, 0.99),
  latencyP50Ms: quantile(latencies, 0.5),
  latencyP99Ms: quantile(latencies, 0.99),
  idleLoopP99Ms: idleP99Ms,
  loopP99Ms: median(samples.map(({ loopP99Ms }) => loopP99Ms)),
  webhook: race,
  backgroundCommitsPerSecond: backgroundPerSecond,
};
const { commitsPerSecond, fastImportPerSecond, toFastImport, latencyP50Ms, latencyP99Ms, loopP99Ms } = result;
print(result, [
  result.environment,
  `change to durable commit   ${commitsPerSecond} commits/s; git fast-import ${fastImportPerSecond}; ratio ${toFastImport}`,
  `CPU of all threads         ${result.cpuUs} us a commit; git fast-import ${result.fastImportCpuUs}; ratio ${result.cpuRatio}`,
  `a core                     ${result.perCore} changes/s by its CPU (goal ${perCoreGoal}: ${result.perCore >= perCoreGoal ? "reached" : "missed"})`,
  `at ${pacedPerSecond} changes/s           p50 ${latencyP50Ms} ms, p99 ${latencyP99Ms} ms from frame to durable; a flush's syncs alone p50 ${result.diskP50Ms} ms, p99 ${result.diskP99Ms} ms`,
  `main loop's delay          p99 ${loopP99Ms} ms at full speed; idle ${idleP99Ms} ms (timer of 1 ms included)`,
  `webhook meanwhile          ${reviewsPerSecond}/s: p50 ${race.ours.p50Ms} ms, p99 ${race.ours.p99Ms} ms; bare server p50 ` +
    `${race.bare.p50Ms} ms, p99 ${race.bare.p99Ms} ms; ratio of p99 ${race.p99Ratio} (${backgroundPerSecond} commits/s behind it)`,
  `verdicts ${JSON.stringify(result.verdicts)}; fsck clean; same commits as fast-import; hash ${hash}`,
]);

async function oneRound(): Promise<Round> {
  const before = git(repository, "rev-parse", "main");
  const reference = `${directory}/reference.git`;
  git(directory, "clone", "-q", "--bare", "--no-local", repository, reference);
  let perSecond = 0;
  const usedBefore = process.cpuUsage();
  const loopP99Ms = await delayDuring(async () => {
    const startMs = performance.now();
    const changes = await world.drive({ perSecond: null, enough: (sent) => sent >= changesPerRound });
    perSecond = (changes / (performance.now() - startMs)) * 1000;
  });
  const used = process.cpuUsage(usedBefore);
  const commits = Number(git(repository, "rev-list", "--count", `${before}..main`));
  const stream = `${directory}/commits.stream`;
  // fast-export says how far it is after so many objects, a blob and a commit for each change; there the checkpoints go.
  const exported = `git fast-export --reference-excluded-parents --progress=${checkpointCommits * 2} ${before}..main`;
  execFileSync("sh", ["-c", `${exported} | LC_ALL=C sed 's/^progress .*/checkpoint/' > ${stream}`], {
    cwd: repository,
  });
  const startMs = performance.now();
  const script = `git -c core.fsync=all fast-import --quiet < ${stream}; times`;
  const times = execFileSync("sh", ["-c", script], { cwd: reference, encoding: "utf8" });
  const fastImportPerSecond = (commits / (performance.now() - startMs)) * 1000;
  const [ours, theirs] = [repository, reference].map((path) => git(path, "rev-parse", "main"));
  if (ours !== theirs) throw new Error(`both histories should end in one commit, and end in ${ours} and ${theirs}`);
  await rm(reference, { recursive: true });
  const cpuUs = (used.user + used.system) / commits;
  return { perSecond, fastImportPerSecond, cpuUs, fastImportCpuUs: cpuUsOf(times) / commits, loopP99Ms };
}

/** Of `times` of the shell: minutes and seconds of user and system, the second line for what it ran. */
function cpuUsOf(times: string): number {
  const parts =
    times
      .trim()
      .split("\n")
      .at(-1)
      ?.matchAll(/(\d+)m([\d.]+)s/g) ?? [];
  return Array.from(parts).reduce(
    (sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1e6,
    0,
  );
}

async function pacedLatencies(): Promise<readonly number[]> {
  world.latenciesMs.length = 0;
  await world.drive({ perSecond: pacedPerSecond, enough: (sent) => sent >= pacedChanges });
  // The first ones wake what has cooled down.
  return world.latenciesMs.slice(smoke ? 0 : pacedPerSecond);
}

/** What the disk takes of it, with nothing else going on: the files of a small flush, written, synced and renamed as it does. */
async function bareFlushes(): Promise<readonly number[]> {
  const files = createBlockingFiles();
  const place = `${directory}/bare`;
  await files.makeDirectory(place);
  const taken: number[] = [];
  for (let count = 0; count < (smoke ? 5 : 200); count += 1) {
    const startMs = performance.now();
    for (const [name, bytes] of flushedFiles) {
      await using file = await files.open(`${place}/tmp`, "create");
      await file.write(Buffer.alloc(bytes, count));
      await file.sync();
      await files.rename(`${place}/tmp`, `${place}/${name}`);
    }
    await files.syncDirectory(place);
    taken.push(performance.now() - startMs);
    await sleep(1);
  }
  return taken;
}

async function besideCommits(): Promise<RaceResult> {
  let over = false;
  const startMs = performance.now();
  const driven = world.drive({ perSecond: null, enough: () => over });
  try {
    await using webhooks = await openWebhookRace({ directory, handleReview: world.handleForeign });
    return await webhooks.run({ rounds, perSecond: reviewsPerSecond });
  } finally {
    over = true;
    backgroundPerSecond = Math.round(((await driven) / (performance.now() - startMs)) * 1000);
  }
}

async function delayDuring(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  return Number((delay.percentile(99) / 1e6).toPrecision(3));
}

function meanFileBytes(): number {
  const sizes = git(repository, "ls-tree", "-r", "-l", "main")
    .split("\n")
    .map((line) => Number(line.split(/\s+/)[3]));
  return Math.round(sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length);
}
