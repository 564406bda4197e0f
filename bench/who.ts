/**
 * `kubescribe who` as a user calls it, a process for each question, on a history of 100,000 changes: the first time (no index kept), then
 * again, and after more commits have come; beside `git log --format=%H -- FILE` of the same file in the same run. Interleaved rounds;
 * trust the ratio. `--full` asks a collected repository (`git gc`) too.
 *
 *     node bench/who.ts [--smoke] [--full] [--json]
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { digestOf, environment, median, print, randomFrom, seed, smoke } from "./environment.ts";
import { changesStream, fileOf, type HistoryShape, snapshotStream } from "./who-history.ts";

const rounds = smoke ? 1 : 5;
const shape: HistoryShape = { resources: smoke ? 50 : 2000, namespaces: 50, changes: smoke ? 300 : 100_000 };
/** kubescribe keeps up to some fifty packs; each run of fast-import makes one. */
const packs = smoke ? 3 : 20;
const laterChanges = smoke ? 10 : 1000;
const full = process.argv.includes("--full");

const directory = mkdtempSync(join(tmpdir(), "kubescribe-bench-"));
const repository = join(directory, "history.git");
const cache = join(directory, "cache");
const main = new URL("../src/main.ts", import.meta.url).pathname;

const hot = fileOf(shape, 0);
const hotWords = ["deployment/web-0", "-n", "team-0"];
const questions: Readonly<Record<string, readonly string[]>> = {
  "the last changes": ["deployment/web-7", "-n", "team-7"],
  "a field, set lately": ["deployment/web-7", "-n", "team-7", ".spec.replicas"],
  "a field, last set 5,000 changes ago": [...hotWords, ".spec.template.spec.containers[0].image"],
};

interface Row {
  readonly question: string;
  readonly argv: readonly string[];
  readonly firstMs: number[];
  readonly againMs: number[];
  /** Of asking again to `git log -- FILE` in the same round. */
  readonly ratios: number[];
}

const rows = rowsOf("");
const collectedRows = full ? rowsOf(", collected") : [];
const laterMs: number[] = [];
const gitMs: number[] = [];
const walkMs: number[] = [];
const answers: string[] = [];
try {
  build();
  // What Node compiles is kept by then.
  ask(["--help"]);
  for (let round = 0; round < rounds; round++) oneRound();
  checkAnswers();
  if (full) {
    git("gc", "-q", "--prune=now");
    for (let round = 0; round < rounds; round++) askAll(collectedRows);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

const hash = digestOf(answers);
const table = [...rows, ...collectedRows].map(({ question, firstMs, againMs, ratios }) => ({
  question,
  firstMs: median(firstMs),
  againMs: median(againMs),
  slowestFirstMs: Math.round(Math.max(...firstMs)),
  slowestAgainMs: Math.round(Math.max(...againMs)),
  toGit: median(ratios),
}));
const baseline = { gitLogFileMs: median(gitMs), gitLogMs: median(walkMs) };
const where = `${environment}, ${shape.changes} changes of ${shape.resources} resources in ${packs} packs, ${rounds} rounds`;
print({ bench: "who", environment: where, hash, ...baseline, laterMs: median(laterMs), table }, [
  `${where}; hash ${hash}`,
  `git log --format=%H -- FILE: ${baseline.gitLogFileMs} ms; git log --format=%H: ${baseline.gitLogMs} ms`,
  ...table.map(
    (row) =>
      `${row.question}: first ${row.firstMs} ms (slowest ${row.slowestFirstMs}), ` +
      `then ${row.againMs} ms (slowest ${row.slowestAgainMs}), ${row.toGit} of git log -- FILE`,
  ),
  `after ${laterChanges} more commits: ${median(laterMs)} ms`,
]);

function rowsOf(state: string): readonly Row[] {
  return Object.entries(questions).map(([question, argv]) => {
    return { question: `${question}${state}`, argv, firstMs: [], againMs: [], ratios: [] };
  });
}

function build(): void {
  const random = randomFrom(seed);
  execFileSync("git", ["init", "-q", "--bare", "-b", "main", repository]);
  importAll(snapshotStream(shape));
  const each = Math.ceil(shape.changes / packs);
  for (let from = 0; from < shape.changes; from += each) {
    importAll(changesStream(shape, { from, count: Math.min(each, shape.changes - from), random }));
  }
}

function importAll(stream: Buffer): void {
  const args = ["-c", "fastimport.unpackLimit=0", "fast-import", "--quiet"];
  execFileSync("git", args, { cwd: repository, input: stream });
}

function oneRound(): void {
  askAll(rows);
  walkMs.push(milliseconds(() => git("log", "--format=%H", "main")));
  const round = laterMs.length;
  const later = { from: shape.changes + round * laterChanges, count: laterChanges, random: randomFrom(seed + round) };
  importAll(changesStream(shape, later));
  laterMs.push(milliseconds(() => answers.push(ask(rows[0]?.argv ?? []))));
}

function askAll(asked: readonly Row[]): void {
  for (const { argv, firstMs, againMs, ratios } of asked) {
    rmSync(join(cache, "kubescribe/who"), { recursive: true, force: true });
    firstMs.push(milliseconds(() => answers.push(ask(argv))));
    const again = milliseconds(() => answers.push(ask(argv)));
    const baseline = milliseconds(() => git("log", "--format=%H", "main", "--", hot));
    againMs.push(again);
    gitMs.push(baseline);
    ratios.push(again / baseline);
  }
}

/** Both must know the same commits of one file. */
function checkAnswers(): void {
  const ours = JSON.parse(ask([...hotWords, "--limit", "0", "--json"])) as {
    readonly resources: readonly { readonly changes: readonly { readonly commit: string }[] }[];
  };
  const ids = ours.resources.flatMap(({ changes }) => changes.map(({ commit }) => commit));
  if (ids.join("\n") !== git("log", "--format=%H", "main", "--", hot)) throw new Error("who and git log differ");
}

function ask(argv: readonly string[]): string {
  const env = { ...process.env, XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: join(cache, "compiled") };
  return execFileSync(process.execPath, [main, "who", ...argv], {
    cwd: repository,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
}

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: repository, encoding: "utf8", maxBuffer: 1 << 30 }).trim();
}

function milliseconds(run: () => unknown): number {
  const startMs = performance.now();
  run();
  return performance.now() - startMs;
}
