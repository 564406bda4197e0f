/**
 * Commits of 1.5 KB of YAML at 5-level paths, one change each: both stages of src/git in this thread (objects to blobs; trees,
 * commits, packs, refs, synced at each flush), beside `git fast-import` of the same history in the same run. Interleaved rounds;
 * trust the ratio. The result is checked by `git fsck --strict`, and both histories must end in the same tree.
 *
 *     node bench/git.ts [--smoke] [--json]
 */

import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { FlushEntry } from "../actors/ports.ts";
import type { ObjectHash, ResourceType, ResourceVersion, TypeKey, Uid } from "../machines/messages.ts";
import type { Selection } from "../machines/selection.ts";
import { createNodeFileSystem } from "../src/composition/node-file-system.ts";
import { createInlineCommitPool } from "../src/git/commit-pool.ts";
import { defaultAuthorMapping, defaultCommitter, defaultSentinel } from "../src/git/target.ts";

const smoke = process.argv.includes("--smoke");
const rounds = smoke ? 1 : 3;
const files = smoke ? 200 : 20_000;
const commits = smoke ? 100 : 4000;
const flushSizes = smoke ? [50] : [1000, 100];
const seed = 20_261_123;

const type: ResourceType = {
  key: "apps/deployments" as TypeKey,
  group: "apps",
  version: "v1",
  resource: "deployments",
  kind: "Deployment",
  namespaced: true,
  scalable: true,
};

/** mulberry32. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = randomFrom(seed);

/** Some 1.5 KB that deflate as real manifests do. */
function yamlOf(name: string): Buffer {
  const lines = ["apiVersion: apps/v1", "kind: Deployment", "metadata:", `  name: ${name}`, "spec:", "  env:"];
  for (let at = 0; at < 36; at++) lines.push(`  - name: SETTING_${at}`, `    value: v${Math.floor(random() * 1e9)}`);
  return Buffer.from(`${lines.join("\n")}\n`);
}

interface Step {
  readonly namespace: string;
  readonly name: string;
  readonly yaml: Buffer;
}

const stepOf = (index: number): Step => {
  const name = `web-${index}`;
  return { namespace: `team-${index % 50}`, name, yaml: yamlOf(name) };
};
const first = Array.from({ length: files }, (_, index) => stepOf(index));
const steps = Array.from({ length: commits }, () => stepOf(Math.floor(random() * files)));
const directory = mkdtempSync(join(tmpdir(), "kubescribe-bench-"));
const git = (repository: string, ...args: readonly string[]): string =>
  execFileSync("git", args, {
    cwd: repository,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 30,
  });

const selections: readonly Selection[] = [
  { typeKey: type.key, namespaces: null, matchLabels: {}, matchExpressions: [], operations: ["CREATE", "UPDATE"] },
];

async function runOurs(repository: string, flushSize: number): Promise<number> {
  const monotonicMs = (): number => performance.now();
  await using pool = createInlineCommitPool({
    fs: createNodeFileSystem(),
    clock: { nowMs: () => 1_700_000_000_000, monotonicMs, after: () => ({ [Symbol.dispose]: () => undefined }) },
    manifestOf: (bytes) => ({ yaml: bytes, labels: {} }),
    selectionsOf: () => selections,
    targets: [
      {
        id: "bench",
        clusterUid: "bench",
        repository,
        branch: "main",
        path: "clusters",
        author: defaultAuthorMapping,
        committer: defaultCommitter,
        sentinel: defaultSentinel,
        secrets: "omit",
        durability: "flush",
      },
    ],
  });
  const versionOf = (index: number): ResourceVersion => String(index) as ResourceVersion;
  const uid = "4be52ede-8d02-46d4-8af7-43b3cb8e7b11" as Uid;
  const author = {
    user: "alice@example.com",
    claims: {},
    fieldManager: "kubectl",
    subresource: "",
    atMs: 1_700_000_000_000,
  };
  const verdict = { tier: "exact", author, candidates: [], causedBy: "", faulted: false } as const;
  const entryOf = ({ namespace, name, yaml }: Step, index: number): FlushEntry => {
    const resourceVersion = versionOf(index + 1);
    const change = { type, namespace, name, uid, resourceVersion, epoch: 0, operation: "UPDATE", verdict } as const;
    return { kind: "change", change: { ...change, bytes: yaml, observedAtMs: 0 } };
  };
  const flush = async (entries: readonly FlushEntry[], last: number): Promise<void> => {
    const cursors = new Map([[type.key, { epoch: 0, resourceVersion: versionOf(last) }]]);
    await pool.flush("bench", { entries, cursors });
  };
  const none = "" as ObjectHash;
  const rest = { kind: "ADDED", terminating: false, objectHash: none, restHash: none, replicas: 0, atMs: 0 } as const;
  const items = first.map(({ namespace, name, yaml }, index) => {
    return { ...rest, type, namespace, name, uid, resourceVersion: versionOf(index + 1), bytes: yaml };
  });
  await flush([{ kind: "snapshot", type, cursor: { epoch: 0, resourceVersion: versionOf(files) }, items }], files);
  const startMs = performance.now();
  for (let from = 0; from < commits; from += flushSize) {
    const some = steps.slice(from, from + flushSize);
    await flush(
      some.map((step, index) => entryOf(step, files + from + index)),
      files + from + some.length,
    );
  }
  return commits / ((performance.now() - startMs) / 1000);
}

function streamOf(list: readonly Step[]): Buffer {
  const chunks: Buffer[] = [];
  for (const [index, { namespace, name, yaml }] of list.entries()) {
    const message = `Update deployments.apps ${namespace}/${name}\n`;
    chunks.push(
      Buffer.from(
        `commit refs/heads/main\ncommitter k <k@example.com> 1700000000 +0000\ndata ${message.length}\n${message}` +
          (index === 0 ? "from refs/heads/main^0\n" : "") +
          `M 100644 inline clusters/${namespace}/apps/deployments/${name}.yaml\ndata ${yaml.length}\n`,
      ),
      yaml,
      Buffer.from("\n"),
    );
  }
  return Buffer.concat(chunks);
}

/** All files in one commit. */
function snapshotOf(list: readonly Step[]): Buffer {
  const lines = list.flatMap(({ namespace, name, yaml }) => [
    Buffer.from(`M 100644 inline clusters/${namespace}/apps/deployments/${name}.yaml\ndata ${yaml.length}\n`),
    yaml,
    Buffer.from("\n"),
  ]);
  return Buffer.concat([
    Buffer.from("commit refs/heads/main\ncommitter k <k@example.com> 1700000000 +0000\ndata 2\nx\n"),
    ...lines,
  ]);
}

const setupStream = join(directory, "setup.stream");
const stepsStream = join(directory, "steps.stream");
writeFileSync(setupStream, snapshotOf(first));
writeFileSync(stepsStream, streamOf(steps));

function runFastImport(repository: string): number {
  git(directory, "init", "-q", "--bare", "-b", "main", repository);
  const run = (stream: string): void =>
    void execFileSync("sh", ["-c", `git fast-import --quiet < ${stream}`], { cwd: repository });
  run(setupStream);
  const startMs = performance.now();
  run(stepsStream);
  return commits / ((performance.now() - startMs) / 1000);
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
const rows: { flushSize: number; ours: number[]; ratios: number[] }[] = flushSizes.map((flushSize) => ({
  flushSize,
  ours: [],
  ratios: [],
}));
const floor: number[] = [];
const trees = new Set<string>();
try {
  for (let round = 0; round < rounds; round++) {
    const reference = join(directory, `fast-import-${round}.git`);
    const perSecond = runFastImport(reference);
    floor.push(perSecond);
    trees.add(git(reference, "rev-parse", "main^{tree}"));
    for (const row of rows) {
      const repository = join(directory, `ours-${round}-${row.flushSize}.git`);
      const ours = await runOurs(repository, row.flushSize);
      row.ours.push(ours);
      row.ratios.push(ours / perSecond);
      trees.add(git(repository, "rev-parse", "main^{tree}"));
      if (round === 0) git(repository, "fsck", "--strict", "--no-dangling");
      rmSync(repository, { recursive: true });
    }
    rmSync(reference, { recursive: true });
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
if (trees.size !== 1) throw new Error(`the histories should end in one tree and end in ${trees.size}`);

const environment = `node ${process.version}, ${execFileSync("git", ["--version"], { encoding: "utf8" }).trim()}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}`;
const result = hash("sha256", [...trees].join(""), "hex").slice(0, 16);
const table = rows.map(({ flushSize, ours, ratios }) => ({
  flushSize,
  commitsPerSecond: Math.round(median(ours)),
  toFastImport: Number(median(ratios).toFixed(2)),
}));
const report = {
  environment,
  seed,
  files,
  commits,
  rounds,
  fastImportPerSecond: Math.round(median(floor)),
  table,
  fsck: "clean",
  result,
};
if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  process.stdout.write(`${environment}; seed ${seed}, ${files} files, ${commits} commits, ${rounds} rounds\n`);
  process.stdout.write(`git fast-import: ${report.fastImportPerSecond} commits/s\n`);
  for (const { flushSize, commitsPerSecond, toFastImport } of table) {
    process.stdout.write(
      `kubescribe, flushes of ${flushSize}, synced: ${commitsPerSecond} commits/s, ${toFastImport} of fast-import\n`,
    );
  }
  process.stdout.write(`git fsck --strict: clean; tree hash ${result}\n`);
}
