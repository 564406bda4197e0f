/**
 * What the first designs promised, each beside the design before it: the same reviews and frames through exact attribution, through
 * the first design's FIFO (`--attribution fifo`) and through the dual path (`--ingestion dual`), each with the real handler, journal, commit
 * threads and repository, in turns. Each change comes with two status-only writes, and three in ten with a write that was denied: what
 * somebody else does later. Not measured: the API server's own part of the lag.
 *
 *     node bench/promises.ts [--smoke] [--json]
 */

import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";

import type { CommitWorld, Figures } from "./commit-world.ts";
import { openCommitWorld } from "./commit-world.ts";
import { digestOf, environment, median, print, quantile, smoke } from "./environment.ts";
import { Traffic } from "./traffic.ts";

const rounds = smoke ? 1 : 5;
const changesPerRound = smoke ? 40 : 1200;
const perSecond = 300;
const cuts = smoke ? 2 : 10;
const size = { resources: smoke ? 50 : 500, writes: 9, statusWrites: 2, denied: 0.3 };

const designs = {
  exact: { ingestion: "correlate", attribution: "exact" },
  fifo: { ingestion: "correlate", attribution: "fifo" },
  dual: { ingestion: "dual", attribution: "exact" },
} as const;
type Design = keyof typeof designs;

interface Round {
  readonly changes: number;
  readonly enqueued: number;
  readonly commits: number;
  readonly longestQueue: number;
  /** All threads. */
  readonly cpuUsPerChange: number;
}

class Contestant {
  readonly rounds: Round[] = [];
  readonly recorded = new Map<string, number[]>();
  readonly #world: CommitWorld;
  changes = 0;

  private constructor(world: CommitWorld, recorded: Map<string, number[]>) {
    this.#world = world;
    this.recorded = recorded;
  }

  static async open(directory: string, design: Design): Promise<Contestant> {
    const recorded = new Map<string, number[]>();
    const meter = {
      count: () => undefined,
      record: (name: string, value: number) => {
        const values = recorded.get(name) ?? [];
        values.push(value);
        recorded.set(name, values);
      },
      gauge: () => undefined,
    };
    const home = `${directory}/${design}`;
    await mkdir(home);
    const world = await openCommitWorld(home, new Traffic(size), { design: designs[design], meter });
    return new Contestant(world, recorded);
  }

  get figures(): Readonly<Figures> {
    return this.#world.figures;
  }

  /** Of committed changes. */
  get enrichment(): number {
    const { tiers } = this.#world;
    const all = Array.from(tiers.values()).reduce((sum, count) => sum + count, 0);
    return 1 - ((tiers.get("unresolved") ?? 0) + (tiers.get("collapsed") ?? 0)) / all;
  }

  async warmUp(): Promise<void> {
    this.changes += await this.#world.drive({ perSecond: null, enough: (sent) => sent >= changesPerRound });
    this.recorded.clear();
  }

  async round(): Promise<void> {
    const { figures } = this.#world;
    const before = { ...figures };
    Object.assign(figures, { longestQueue: 0 });
    const used = process.cpuUsage();
    const changes = await this.#drive();
    const { user, system } = process.cpuUsage(used);
    this.rounds.push({
      changes,
      enqueued: figures.enqueued - before.enqueued,
      commits: figures.commits - before.commits,
      longestQueue: figures.longestQueue,
      cpuUsPerChange: (user + system) / changes,
    });
  }

  /** Its connection is broken in the middle of a frame, again and again. */
  async interrupted(): Promise<void> {
    let next = 0;
    await this.#drive((sent) => {
      if (sent < next) return;
      next = sent + changesPerRound / cuts;
      this.#world.cut();
    });
  }

  git(...args: readonly string[]): string {
    return execFileSync("git", args, { cwd: this.#world.repository, encoding: "utf8", maxBuffer: 1 << 30 }).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]();
  }

  async #drive(onChunk: (sent: number) => void = () => undefined): Promise<number> {
    const enough = (sent: number): boolean => {
      onChunk(sent);
      return sent >= changesPerRound;
    };
    const changes = await this.#world.drive({ perSecond, enough });
    this.changes += changes;
    return changes;
  }
}

await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(`${tmpdir()}/kubescribe-bench-`);
stack.defer(() => rm(directory, { recursive: true }));
const exact = stack.use(await Contestant.open(directory, "exact"));
const fifo = stack.use(await Contestant.open(directory, "fifo"));
const dual = stack.use(await Contestant.open(directory, "dual"));
const contestants = { exact, fifo, dual };
for (const contestant of [exact, fifo, dual]) await contestant.warmUp();
// What stands there after the warm-up is the same in every run.
const hash = digestOf([exact.git("rev-parse", "main^{tree}")]);
for (let round = 0; round < rounds; round += 1) {
  const order = [exact, fifo, dual];
  for (const contestant of round % 2 === 0 ? order : order.toReversed()) await contestant.round();
}
// A cut holds up what comes behind it: the lag is that of the rounds before.
const lagP99Ms = p99Of("watch_lag_seconds");
const handlerP99Ms = p99Of("webhook_duration_seconds");
await exact.interrupted();
exact.git("fsck", "--strict", "--no-dangling");

const of = (contestant: Contestant, figure: (round: Round) => number): number => median(contestant.rounds.map(figure));
const against = (other: Contestant, figure: (round: Round) => number): number =>
  median(exact.rounds.map((round, at) => figure(round) / figure(other.rounds[at] ?? round)));

interface Row {
  readonly promise: string;
  readonly value: number;
  readonly goal: string;
  readonly reached: boolean;
  readonly beside: string;
}

const enqueued = against(dual, (round) => round.enqueued / round.changes);
const queue = against(dual, (round) => round.longestQueue);
const cpu = against(dual, (round) => round.cpuUsPerChange);
const recoveries = exact.figures.recoveriesMs;
const commits = committed();
const rows: readonly Row[] = [
  row(
    "enrichment",
    exact.enrichment,
    "> 0.95",
    exact.enrichment > 0.95,
    `fifo ${fifo.enrichment}, dual ${dual.enrichment}`,
  ),
  row("commits for each change", commits.exact, "1", commits.exact === 1, `fifo ${commits.fifo}, dual ${commits.dual}`),
  row("the same change twice", twice(), "0", twice() === 0, "of all commits, cuts of the watch included"),
  row(
    "commits of denied writes",
    exact.figures.ofDenied,
    "0",
    exact.figures.ofDenied === 0,
    `fifo ${fifo.figures.ofDenied}, dual ${dual.figures.ofDenied}`,
  ),
  row(
    "commits that name whoever was denied",
    exact.figures.byDenied,
    "0",
    exact.figures.byDenied === 0,
    `fifo ${fifo.figures.byDenied}, dual ${dual.figures.byDenied}`,
  ),
  row(
    "watch lag p99, ms",
    lagP99Ms,
    "< 1000",
    lagP99Ms < 1000,
    `at ${perSecond} changes/s, without the API server's part`,
  ),
  row(
    "time in the webhook p99, ms",
    handlerP99Ms,
    "< 2",
    handlerP99Ms < 2,
    "from body to answer, the journal included",
  ),
  row(
    "enqueued, of dual's",
    enqueued,
    "0.2 to 0.4",
    enqueued <= 0.4,
    `${of(exact, (round) => round.enqueued / round.changes)} a change, dual ${of(dual, (round) => round.enqueued / round.changes)}`,
  ),
  row(
    "longest queue, of dual's",
    queue,
    "<= 0.5",
    queue <= 0.5,
    `${of(exact, (round) => round.longestQueue)} entries, dual ${of(dual, (round) => round.longestQueue)}`,
  ),
  row(
    "CPU, of dual's",
    cpu,
    "<= 0.9",
    cpu <= 0.9,
    `${of(exact, (round) => round.cpuUsPerChange)} us a change, dual ${of(dual, (round) => round.cpuUsPerChange)}, fifo ${of(fifo, (round) => round.cpuUsPerChange)}`,
  ),
  row(
    "a cut watch goes on after, ms, p50",
    quantile(recoveries, 0.5),
    "all of them",
    recoveries.length > 0 && commits.exact === 1,
    `${recoveries.length} cuts, the longest ${quantile(recoveries, 1)} ms; nothing lost, nothing twice`,
  ),
];
const where = `${environment}, ${rounds} rounds of ${changesPerRound} changes at ${perSecond}/s`;
print({ bench: "promises", environment: where, hash, rows }, [
  `${where}; fsck clean; hash ${hash}`,
  ...rows.map(
    ({ promise, value, goal, reached, beside }) =>
      `${promise.padEnd(38)}${String(value).padStart(8)}  (goal ${goal}: ${reached ? "reached" : "missed"})  ${beside}`,
  ),
]);

function row(promise: string, value: number, goal: string, reached: boolean, beside: string): Row {
  return { promise, value: Number(value.toPrecision(3)), goal, reached, beside };
}

function committed(): Readonly<Record<Design, number>> {
  const each = ({ figures, changes }: Contestant): number => Number((figures.commits / changes).toPrecision(4));
  return { exact: each(contestants.exact), fifo: each(contestants.fifo), dual: each(contestants.dual) };
}

/** By the trailers of stock git's log: a change is a uid and a resourceVersion. */
function twice(): number {
  const format =
    "%(trailers:key=Kubescribe-Uid,valueonly,separator=%x20) %(trailers:key=Kubescribe-Resource-Version,valueonly,separator=%x20)";
  const lines = exact
    .git("log", `--format=${format}`, "main")
    .split("\n")
    .filter((line) => line.trim() !== "");
  return lines.length - new Set(lines).size;
}

function p99Of(name: string): number {
  return quantile(exact.recorded.get(name) ?? [], 0.99) * 1000;
}
