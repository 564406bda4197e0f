/**
 * Commits of 1.5 KB of YAML, one change each: both stages of src/git in this thread (objects to blobs; trees, commits, packs, refs), beside
 * `git fast-import` of the same history at equal terms in the same run. Interleaved rounds; trust the ratio. Repositories are new, every
 * result is checked by `git fsck --strict`, and both histories must end in the same tree.
 *
 *     node bench/git.ts [--smoke] [--json]
 */

import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FlushEntry } from "../actors/ports.ts";
import type { SigningKey } from "../src/git/target.ts";
import { digestOf, environment, median, print, randomFrom, seed, smoke } from "./environment.ts";
import type { PreparedFile } from "./prepared-files.ts";
import { changeOf, flushed, poolOf, snapshotOf, targetOf, typeOf, yamlOf } from "./prepared-files.ts";

const rounds = smoke ? 1 : 5;
const commits = smoke ? 100 : 4000;
const random = randomFrom(seed);

interface Layout {
  readonly name: string;
  readonly files: readonly PreparedFile[];
  readonly steps: readonly PreparedFile[];
}

interface Terms {
  readonly layout: Layout;
  readonly flushSize: number;
  readonly synced: boolean;
  readonly signing: SigningKey | null;
  /** Null: what it costs is told. */
  readonly goal: number | null;
}

/** The contract's: 50 namespaces of 20 resources of 20 files. */
const contract = layoutOf("50 namespaces x 20 resources x 20 files", smoke ? [5, 2, 20] : [50, 20, 20]);
const wide = layoutOf("10,000 files in one directory", smoke ? [1, 1, 200] : [1, 1, 10_000]);
const terms: readonly Terms[] = [
  { layout: contract, flushSize: 1000, synced: false, signing: null, goal: 2.5 },
  { layout: contract, flushSize: 100, synced: true, signing: null, goal: 1.5 },
  { layout: wide, flushSize: 1000, synced: false, signing: null, goal: 2.5 },
  { layout: contract, flushSize: 1000, synced: false, signing: ed25519Key(), goal: null },
  // The price of durability at 200 changes a second: `--durability flush` (10 ms of them), and `second`.
  { layout: contract, flushSize: 2, synced: true, signing: null, goal: null },
  { layout: contract, flushSize: 200, synced: true, signing: null, goal: null },
];
const results = terms.map((term) => ({
  term,
  ours: [] as number[],
  /** Microseconds of CPU a commit: other work on the machine moves them less. */
  cpuUs: [] as number[],
  theirs: [] as number[],
  ratios: [] as number[],
}));
const directory = mkdtempSync(join(tmpdir(), "kubescribe-bench-"));
const digests: string[] = [];
try {
  for (const layout of [contract, wide]) writeFileSync(setupStreamOf(layout), snapshotStreamOf(layout.files));
  for (const term of terms) writeFileSync(stepsStreamOf(term), streamOf(term));
  for (let round = 0; round < rounds; round++) for (const result of results) await oneRound(round, result);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

const table = results.map(({ term, ours, cpuUs, theirs, ratios }) => ({
  layout: term.layout.name,
  flushSize: term.flushSize,
  synced: term.synced,
  signed: term.signing !== null,
  cpuUs: median(cpuUs),
  commitsPerSecond: median(ours),
  fastImportPerSecond: median(theirs),
  toFastImport: median(ratios),
  goal: term.goal,
}));
const version = execFileSync("git", ["--version"], { encoding: "utf8" }).trim();
const where = `${environment}, ${version}, ${commits} commits, ${rounds} rounds`;
print({ bench: "git", environment: where, hash: digestOf(digests), table }, [
  `${where}; fsck clean; hash ${digestOf(digests)}`,
  ...table.map(
    (row) =>
      `${row.layout}, flushes of ${row.flushSize}${row.synced ? ", synced" : ""}${row.signed ? ", signed" : ""}: ${row.commitsPerSecond} commits/s, ` +
      `${row.cpuUs} us of CPU each; ` +
      `fast-import ${row.synced ? `with a checkpoint every ${row.flushSize}, synced` : "as it comes"}: ${row.fastImportPerSecond}; ` +
      `ratio ${row.toFastImport}${row.goal === null ? "" : `, goal ${row.goal}`}`,
  ),
]);

async function oneRound(round: number, { term, ours, cpuUs, theirs, ratios }: (typeof results)[number]): Promise<void> {
  const reference = join(directory, `fast-import-${round}.git`);
  const repository = join(directory, `ours-${round}.git`);
  const fastImport = runFastImport(reference, term);
  const kubescribe = await runOurs(repository, term);
  ours.push(kubescribe.perSecond);
  cpuUs.push(kubescribe.cpuUs);
  theirs.push(fastImport);
  ratios.push(kubescribe.perSecond / fastImport);
  const [tree, other] = [reference, repository].map((path) => git(path, "rev-parse", "main^{tree}"));
  if (tree === undefined || tree !== other) throw new Error("the two histories should end in one tree");
  if (round === 0) digests.push(tree);
  git(repository, "fsck", "--strict", "--no-dangling");
  for (const path of [reference, repository]) rmSync(path, { recursive: true });
}

async function runOurs(
  repository: string,
  { layout, flushSize, synced, signing }: Terms,
): Promise<{ readonly perSecond: number; readonly cpuUs: number }> {
  const { files, steps } = layout;
  const types = [...new Set(files.map(({ type }) => type))];
  const durability = synced ? "flush" : "none";
  await using pool = poolOf([{ ...targetOf("bench", repository), durability, signing }], types);
  const flush = async (entries: readonly FlushEntry[]): Promise<void> => {
    await flushed(pool, "bench", entries);
  };
  await flush(snapshotOf(files, files.length));
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  for (let from = 0; from < steps.length; from += flushSize) {
    const some = steps.slice(from, from + flushSize);
    await flush(some.map((step, index) => changeOf(step, files.length + from + index + 1)));
  }
  const { user, system } = process.cpuUsage(startCpu);
  return {
    perSecond: steps.length / ((performance.now() - startMs) / 1000),
    cpuUs: (user + system) / steps.length,
  };
}

function ed25519Key(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const name = Buffer.from("ssh-ed25519");
  const encoded = Buffer.concat([Buffer.from([0, 0, 0, name.length]), name, Buffer.from([0, 0, 0, 32]), point]);
  return {
    kind: "ssh-ed25519",
    publicKey: encoded.toString("base64"),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

function runFastImport(repository: string, term: Terms): number {
  git(directory, "init", "-q", "--bare", "-b", "main", repository);
  const sync = term.synced ? "-c core.fsync=all" : "";
  const run = (stream: string): void =>
    void execFileSync("sh", ["-c", `git ${sync} fast-import --quiet < ${stream}`], { cwd: repository });
  run(setupStreamOf(term.layout));
  const startMs = performance.now();
  run(stepsStreamOf(term));
  return term.layout.steps.length / ((performance.now() - startMs) / 1000);
}

function git(repository: string, ...args: readonly string[]): string {
  const options = { cwd: repository, encoding: "utf8", maxBuffer: 1 << 30 } as const;
  return execFileSync("git", args, options).trim();
}

function layoutOf(name: string, [namespaces, resources, each]: readonly [number, number, number]): Layout {
  const types = Array.from({ length: resources }, (_, at) => typeOf("apps", `kind${at}s`));
  const fileOf = (index: number): PreparedFile => {
    const type = types[index % resources];
    if (type === undefined) throw new RangeError("no types");
    const name = `web-${Math.floor(index / resources / namespaces)}`;
    return { type, namespace: `team-${Math.floor(index / resources) % namespaces}`, name, yaml: yamlOf(name, random) };
  };
  const count = namespaces * resources * each;
  const files = Array.from({ length: count }, (_, index) => fileOf(index));
  return { name, files, steps: Array.from({ length: commits }, () => fileOf(Math.floor(random() * count))) };
}

function setupStreamOf(layout: Layout): string {
  return join(directory, `${layout === wide ? "wide" : "contract"}.stream`);
}

function stepsStreamOf(term: Terms): string {
  return join(directory, `${terms.indexOf(term)}.stream`);
}

function streamOf({ layout, flushSize, synced }: Terms): Buffer {
  const head = "commit refs/heads/main\ncommitter k <k@example.com> 1700000000 +0000\n";
  const parts = layout.steps.flatMap((file, index) => {
    const message = `Update ${file.type.resource}.apps ${file.namespace}/${file.name}\n`;
    const from = index === 0 ? "from refs/heads/main^0\n" : "";
    const ends = synced && (index + 1) % flushSize === 0 ? [Buffer.from("checkpoint\n\n")] : [];
    return [Buffer.from(`${head}data ${message.length}\n${message}${from}`), ...inlineOf(file), ...ends];
  });
  return Buffer.concat(parts);
}

/** All files in one commit. */
function snapshotStreamOf(list: readonly PreparedFile[]): Buffer {
  const head = "commit refs/heads/main\ncommitter k <k@example.com> 1700000000 +0000\ndata 2\nx\n";
  return Buffer.concat([Buffer.from(head), ...list.flatMap(inlineOf)]);
}

function inlineOf({ type, namespace, name, yaml }: PreparedFile): readonly Buffer[] {
  const path = `clusters/${namespace}/apps/${type.resource}/${name}.yaml`;
  return [Buffer.from(`M 100644 inline ${path}\ndata ${yaml.length}\n`), yaml, Buffer.from("\n")];
}
