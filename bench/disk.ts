/**
 * What a history takes on disk after our own joining of packs, beside git's: the smaller of `git repack -adf --window=10 --depth=50` of the same
 * repository, and `git fast-import` of its history with `git gc`. 20,000 files of 1.5 KB; a change edits one value of 36, or all of them.
 * Packs and indexes count. `--full` makes 100,000 commits; the default 20,000.
 *
 *     node bench/disk.ts [--smoke] [--full] [--json]
 */

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FlushEntry } from "../actors/ports.ts";
import type { ResourceType } from "../machines/messages.ts";
import { digestOf, environment, print, randomFrom, seed, smoke } from "./environment.ts";
import type { PreparedFile } from "./prepared-files.ts";
import { changeOf, flushed, poolOf, snapshotOf, targetOf, typeOf, yamlOf } from "./prepared-files.ts";

const full = process.argv.includes("--full");
const commits = smoke ? 300 : full ? 100_000 : 20_000;
const [namespaces, resources, each] = smoke ? [2, 2, 5] : [50, 20, 20];
const goal = 2;
const directory = mkdtempSync(join(tmpdir(), "kubescribe-bench-"));
/** The large size takes minutes for each: those that matter most. */
const cases = [
  { name: "one value", flushSize: 1000, rewrites: false },
  { name: "one value", flushSize: 100, rewrites: false },
  { name: "one value", flushSize: 10, rewrites: false },
  { name: "all 36 values", flushSize: 1000, rewrites: true },
].slice(0, full ? 2 : 4);
const digests: string[] = [];
try {
  const table = [];
  for (const each of cases) table.push(await measured(each));
  const version = execFileSync("git", ["--version"], { encoding: "utf8" }).trim();
  const where = `${environment}, ${version}, ${commits} commits`;
  print({ bench: "disk", environment: where, hash: digestOf(digests), goal, table }, [
    `${where}; fsck clean; hash ${digestOf(digests)}`,
    ...table.map(
      (row) =>
        `a change edits ${row.name}, flushes of ${row.flushSize}: ${row.packs} packs, ${row.bytesPerCommit} bytes a commit; ` +
        `repack ${row.repacked}, fast-import and gc ${row.imported}; ratio ${row.ratio} (goal ${goal}: ${row.ratio <= goal ? "reached" : "missed"})`,
    ),
  ]);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function measured({ name, flushSize, rewrites }: (typeof cases)[number]): Promise<{
  readonly name: string;
  readonly flushSize: number;
  readonly packs: number;
  readonly bytesPerCommit: number;
  readonly repacked: number;
  readonly imported: number;
  readonly ratio: number;
}> {
  const random = randomFrom(seed);
  const types = Array.from({ length: resources }, (_, at) => typeOf("apps", `kind${at}s`));
  const files = Array.from({ length: namespaces * resources * each }, (_, at) => fileOf(types, at, random));
  const repository = join(directory, "ours.git");
  {
    await using pool = poolOf([{ ...targetOf("bench", repository), durability: "none" }], types);
    const flush = async (entries: readonly FlushEntry[]): Promise<void> => {
      await flushed(pool, "bench", entries);
    };
    await flush(snapshotOf(files, files.length));
    for (let done = 0; done < commits; done += flushSize) {
      const entries = Array.from({ length: Math.min(flushSize, commits - done) }, (_, at) => {
        const place = Math.floor(random() * files.length);
        const file = files[place];
        if (file === undefined) throw new Error("no files");
        const yaml = rewrites ? yamlOf(file.name, random) : edited(file.yaml, random);
        files[place] = { ...file, yaml };
        return changeOf({ ...file, yaml }, files.length + done + at + 1);
      });
      await flush(entries);
    }
  }
  git(repository, "fsck", "--strict", "--no-dangling");
  if (git(repository, "rev-list", "--count", "main") !== String(commits + 1)) throw new Error("commits are missing");
  digests.push(git(repository, "rev-parse", "main^{tree}"));
  const ours = sizeOf(repository);
  const repacked = join(directory, "repacked.git");
  cpSync(repository, repacked, { recursive: true });
  git(repacked, "repack", "-adfq", "--window=10", "--depth=50");
  const imported = join(directory, "imported.git");
  git(directory, "init", "-q", "--bare", imported);
  execFileSync("sh", ["-c", `git -C ${repository} fast-export main | git -C ${imported} fast-import --quiet`]);
  git(imported, "gc", "-q");
  const perCommit = (bytes: number): number => Math.round(bytes / commits);
  const [bytes, theirs, fastImport] = [ours.bytes, sizeOf(repacked).bytes, sizeOf(imported).bytes].map(perCommit);
  if (bytes === undefined || theirs === undefined || fastImport === undefined) throw new Error("nothing was measured");
  for (const path of [repository, repacked, imported]) rmSync(path, { recursive: true });
  const ratio = Number((bytes / Math.min(theirs, fastImport)).toPrecision(3));
  return { name, flushSize, packs: ours.packs, bytesPerCommit: bytes, repacked: theirs, imported: fastImport, ratio };
}

function fileOf(types: readonly ResourceType[], at: number, random: () => number): PreparedFile {
  const type = types[at % types.length];
  if (type === undefined) throw new RangeError("no types");
  const name = `web-${Math.floor(at / types.length / namespaces)}`;
  return { type, namespace: `team-${Math.floor(at / types.length) % namespaces}`, name, yaml: yamlOf(name, random) };
}

/** With another value in one of its lines. */
function edited(yaml: Buffer, random: () => number): Buffer {
  const lines = yaml.toString("latin1").split("\n");
  const at = 7 + 2 * Math.floor(random() * 36);
  lines[at] = `    value: v${Math.floor(random() * 1e9)}`;
  return Buffer.from(lines.join("\n"));
}

function sizeOf(repository: string): { readonly bytes: number; readonly packs: number } {
  const path = join(repository, "objects", "pack");
  const names = readdirSync(path);
  const bytes = names.reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  return { bytes, packs: names.filter((name) => name.endsWith(".pack")).length };
}

function git(repository: string, ...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: repository, encoding: "utf8", maxBuffer: 1 << 30 }).trim();
}
