/**
 * Commits of 1.5 KB of YAML at 5-level paths, one change each: both stages of src/git in this thread (objects to blobs; trees,
 * commits, packs, refs, synced at each flush), beside `git fast-import` of the same history in the same run, and the same signed with an
 * Ed25519 key. Interleaved rounds; trust the ratio. The result is checked by `git fsck --strict`, and both histories must end in the same tree.
 *
 *     node bench/git.ts [--smoke] [--json]
 */

import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FlushEntry } from "../actors/ports.ts";
import type { ResourceVersion } from "../machines/messages.ts";
import type { SigningKey } from "../src/git/target.ts";
import { digestOf, environment, median, print, randomFrom, seed, smoke } from "./environment.ts";
import type { PreparedFile } from "./prepared-files.ts";
import { changeOf, poolOf, snapshotOf, targetOf, typeOf, yamlOf } from "./prepared-files.ts";

const rounds = smoke ? 1 : 5;
const files = smoke ? 200 : 20_000;
const commits = smoke ? 100 : 4000;
const flushSizes = smoke ? [50] : [1000, 100];
const type = typeOf("apps", "deployments");
const random = randomFrom(seed);

const first = Array.from({ length: files }, (_, index) => fileOf(index));
const steps = Array.from({ length: commits }, () => fileOf(Math.floor(random() * files)));
const directory = mkdtempSync(join(tmpdir(), "kubescribe-bench-"));
const git = (repository: string, ...args: readonly string[]): string =>
  execFileSync("git", args, {
    cwd: repository,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 30,
  });
const setupStream = join(directory, "setup.stream");
const stepsStream = join(directory, "steps.stream");
writeFileSync(setupStream, snapshotStreamOf(first));
writeFileSync(stepsStream, streamOf(steps));

interface Row {
  readonly flushSize: number;
  readonly signing: SigningKey | null;
  readonly perSecond: number[];
  /** Microseconds of CPU for a commit: other work on the machine moves them less. */
  readonly cpuUs: number[];
  readonly ratios: number[];
}

const rows = [null, ed25519Key()].flatMap((signing) => {
  return flushSizes.map((flushSize): Row => ({ flushSize, signing, perSecond: [], cpuUs: [], ratios: [] }));
});
const floor: number[] = [];
const trees = new Set<string>();
try {
  for (let round = 0; round < rounds; round++) await oneRound(round);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
if (trees.size !== 1) throw new Error(`the histories should end in one tree and end in ${trees.size}`);

const hash = digestOf(trees);
const table = rows.map(({ flushSize, signing, perSecond, cpuUs, ratios }) => ({
  flushSize,
  signed: signing !== null,
  commitsPerSecond: median(perSecond),
  cpuUs: median(cpuUs),
  toFastImport: median(ratios),
}));
const fastImportPerSecond = median(floor);
const where = `${environment}, ${files} files, ${commits} commits, ${rounds} rounds`;
print({ bench: "git", environment: where, hash, fastImportPerSecond, table }, [
  `${where}; fsck clean; hash ${hash}`,
  `git fast-import: ${fastImportPerSecond} commits/s`,
  ...table.map(
    ({ flushSize, signed, commitsPerSecond, cpuUs, toFastImport }) =>
      `kubescribe, flushes of ${flushSize}, synced${signed ? ", signed" : ""}: ${commitsPerSecond} commits/s, ${cpuUs} us of CPU each, ${toFastImport} of fast-import`,
  ),
]);

async function oneRound(round: number): Promise<void> {
  const reference = join(directory, `fast-import-${round}.git`);
  const perSecond = runFastImport(reference);
  floor.push(perSecond);
  trees.add(git(reference, "rev-parse", "main^{tree}"));
  for (const row of rows) {
    const repository = join(directory, `ours-${round}.git`);
    const ours = await runOurs(repository, row);
    row.perSecond.push(ours.perSecond);
    row.cpuUs.push(ours.cpuUs);
    row.ratios.push(ours.perSecond / perSecond);
    trees.add(git(repository, "rev-parse", "main^{tree}"));
    if (round === 0) git(repository, "fsck", "--strict", "--no-dangling");
    rmSync(repository, { recursive: true });
  }
  rmSync(reference, { recursive: true });
}

function fileOf(index: number): PreparedFile {
  const name = `web-${index}`;
  return { type, namespace: `team-${index % 50}`, name, yaml: yamlOf(name, random) };
}

async function runOurs(
  repository: string,
  { flushSize, signing }: Row,
): Promise<{ readonly perSecond: number; readonly cpuUs: number }> {
  await using pool = poolOf([{ ...targetOf("bench", repository), signing }], [type]);
  const flush = async (entries: readonly FlushEntry[], last: number): Promise<void> => {
    const cursor = { epoch: 0, resourceVersion: String(last) as ResourceVersion };
    await pool.flush("bench", { entries, cursors: new Map([[type.key, cursor]]) });
  };
  await flush(snapshotOf(first, files), files);
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  for (let from = 0; from < commits; from += flushSize) {
    const some = steps.slice(from, from + flushSize);
    const entries = some.map((step, index) => changeOf(step, files + from + index + 1));
    await flush(entries, files + from + some.length);
  }
  const { user, system } = process.cpuUsage(startCpu);
  return { perSecond: commits / ((performance.now() - startMs) / 1000), cpuUs: (user + system) / commits };
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

function runFastImport(repository: string): number {
  git(directory, "init", "-q", "--bare", "-b", "main", repository);
  const run = (stream: string): void =>
    void execFileSync("sh", ["-c", `git fast-import --quiet < ${stream}`], { cwd: repository });
  run(setupStream);
  const startMs = performance.now();
  run(stepsStream);
  return commits / ((performance.now() - startMs) / 1000);
}

function streamOf(list: readonly PreparedFile[]): Buffer {
  const head = "commit refs/heads/main\ncommitter k <k@example.com> 1700000000 +0000\n";
  return Buffer.concat(
    list.flatMap((file, index) => {
      const message = `Update deployments.apps ${file.namespace}/${file.name}\n`;
      const from = index === 0 ? "from refs/heads/main^0\n" : "";
      return [Buffer.from(`${head}data ${message.length}\n${message}${from}`), ...inlineOf(file)];
    }),
  );
}

/** All files in one commit. */
function snapshotStreamOf(list: readonly PreparedFile[]): Buffer {
  const head = "commit refs/heads/main\ncommitter k <k@example.com> 1700000000 +0000\ndata 2\nx\n";
  return Buffer.concat([Buffer.from(head), ...list.flatMap(inlineOf)]);
}

function inlineOf({ namespace, name, yaml }: PreparedFile): readonly Buffer[] {
  const path = `clusters/${namespace}/apps/deployments/${name}.yaml`;
  return [Buffer.from(`M 100644 inline ${path}\ndata ${yaml.length}\n`), yaml, Buffer.from("\n")];
}
