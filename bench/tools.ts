/**
 * One file of 1.5 KB changed and committed, again and again, in a repository of 20,000 files: as programs use Git from outside. Ours with synced
 * flushes of 1,000 and of 1, the git binary (`add`, `commit`), es-git (libgit2: index, tree, commit) and isomorphic-git (`add`, `commit`), beside git
 * fast-import. Each works on a repository of its own, with a work tree where it needs one; all end in one tree.
 *
 *     node bench/tools.ts [--smoke] [--json]
 */

import { execFileSync } from "node:child_process";
import fs, { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRepository } from "es-git";
import isomorphic from "isomorphic-git";

import { environment, print, randomFrom, seed, smoke } from "./environment.ts";
import type { PreparedFile } from "./prepared-files.ts";
import { changeOf, flushed as write, poolOf, snapshotOf, targetOf, typeOf, yamlOf } from "./prepared-files.ts";

const [namespaces, resources, each] = smoke ? [2, 2, 5] : [50, 20, 20];
const author = { name: "alice", email: "alice@example.com" };
const signature = `${author.name} <${author.email}> 1700000000 +0000`;
const random = randomFrom(seed);
const types = Array.from({ length: resources }, (_, at) => typeOf("apps", `kind${at}s`));
const files = Array.from({ length: namespaces * resources * each }, (_, at) => fileOf(at));
const changes = Array.from({ length: smoke ? 20 : 4000 }, () => fileOf(Math.floor(random() * files.length)));
const directory = mkdtempSync(join(tmpdir(), "kubescribe-bench-"));

interface Tool {
  readonly name: string;
  /** Slow ones do not get as far. */
  readonly commits: number;
  commit(place: string, steps: readonly PreparedFile[]): Promise<void> | void;
}

const tools: readonly Tool[] = [
  { name: "git fast-import", commits: changes.length, commit: fastImport },
  {
    name: "kubescribe, synced flushes of 1,000",
    commits: changes.length,
    commit: (place, steps) => flushed(place, steps, 1000),
  },
  {
    name: "kubescribe, synced flushes of 1",
    commits: smoke ? 5 : 500,
    commit: (place, steps) => flushed(place, steps, 1),
  },
  { name: "es-git", commits: smoke ? 5 : 200, commit: withEsGit },
  { name: "git add, git commit", commits: smoke ? 5 : 50, commit: withGit },
  { name: "isomorphic-git", commits: 5, commit: withIsomorphicGit },
];

try {
  const start = join(directory, "start");
  git(directory, "init", "-q", "-b", "main", start);
  execFileSync("git", ["fast-import", "--quiet"], { cwd: start, input: snapshotStream() });
  git(start, "reset", "-q", "--hard");
  const rows = [];
  for (const [at, tool] of tools.entries()) {
    const place = join(directory, String(at));
    if (tool.name.startsWith("kubescribe")) await begun(place);
    else cpSync(start, place, { recursive: true });
    const steps = changes.slice(0, tool.commits);
    const startMs = performance.now();
    await tool.commit(place, steps);
    const perSecond = Number((steps.length / ((performance.now() - startMs) / 1000)).toPrecision(3));
    git(place, "fsck", "--strict", "--no-dangling");
    if (git(place, "rev-list", "--count", "main") !== String(steps.length + 1))
      throw new Error(`${tool.name} lost commits`);
    rows.push({ name: tool.name, commits: steps.length, perSecond });
  }
  const base = rows[0]?.perSecond ?? 1;
  const table = rows.map((row) => ({ ...row, toFastImport: Number((row.perSecond / base).toPrecision(2)) }));
  const version = execFileSync("git", ["--version"], { encoding: "utf8" }).trim();
  const where = `${environment}, ${version}, ${files.length} files`;
  print({ bench: "tools", environment: where, table }, [
    where,
    ...table.map(
      ({ name, commits, perSecond, toFastImport }) =>
        `${name.padEnd(38)}${String(perSecond).padStart(8)} commits/s   ${toFastImport} of fast-import   (${commits} commits)`,
    ),
  ]);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function fileOf(at: number): PreparedFile {
  const type = types[at % resources];
  if (type === undefined) throw new RangeError("no types");
  const name = `web-${Math.floor(at / resources / namespaces)}`;
  return { type, namespace: `team-${Math.floor(at / resources) % namespaces}`, name, yaml: yamlOf(name, random) };
}

function pathOf({ type, namespace, name }: PreparedFile): string {
  return `clusters/${namespace}/apps/${type.resource}/${name}.yaml`;
}

function messageOf(file: PreparedFile): string {
  return `Update ${file.type.resource}.apps ${file.namespace}/${file.name}\n`;
}

function snapshotStream(): Buffer {
  return Buffer.concat([
    Buffer.from(`commit refs/heads/main\ncommitter ${signature}\ndata 2\nx\n`),
    ...files.flatMap(inlineOf),
  ]);
}

function inlineOf(file: PreparedFile): readonly Buffer[] {
  return [Buffer.from(`M 100644 inline ${pathOf(file)}\ndata ${file.yaml.length}\n`), file.yaml, Buffer.from("\n")];
}

function fastImport(place: string, steps: readonly PreparedFile[]): void {
  const stream = steps.flatMap((file, at) => {
    const message = messageOf(file);
    const from = at === 0 ? "from refs/heads/main^0\n" : "";
    const head = `commit refs/heads/main\ncommitter ${signature}\ndata ${message.length}\n${message}${from}`;
    return [Buffer.from(head), ...inlineOf(file)];
  });
  execFileSync("git", ["fast-import", "--quiet"], { cwd: place, input: Buffer.concat(stream) });
}

async function begun(place: string): Promise<void> {
  await using pool = poolOf([targetOf("bench", place)], types);
  await write(pool, "bench", snapshotOf(files, files.length));
}

async function flushed(place: string, steps: readonly PreparedFile[], size: number): Promise<void> {
  await using pool = poolOf([targetOf("bench", place)], types);
  for (let from = 0; from < steps.length; from += size) {
    const some = steps.slice(from, from + size);
    await write(
      pool,
      "bench",
      some.map((step, at) => changeOf(step, files.length + from + at + 1)),
    );
  }
}

async function withEsGit(place: string, steps: readonly PreparedFile[]): Promise<void> {
  const repository = await openRepository(place);
  const index = repository.index();
  for (const file of steps) {
    writeFileSync(join(place, pathOf(file)), file.yaml);
    index.addPath(pathOf(file));
    const tree = repository.getTree(index.writeTree());
    const parent = repository.head().target() ?? "";
    repository.commit(tree, messageOf(file), { updateRef: "HEAD", author, committer: author, parents: [parent] });
  }
  index.write();
}

function withGit(place: string, steps: readonly PreparedFile[]): void {
  for (const file of steps) {
    writeFileSync(join(place, pathOf(file)), file.yaml);
    git(place, "add", pathOf(file));
    const who = ["-c", `user.name=${author.name}`, "-c", `user.email=${author.email}`, "-c", "gc.auto=0"];
    git(place, ...who, "commit", "-q", "-m", messageOf(file));
  }
}

async function withIsomorphicGit(dir: string, steps: readonly PreparedFile[]): Promise<void> {
  for (const file of steps) {
    writeFileSync(join(dir, pathOf(file)), file.yaml);
    await isomorphic.add({ fs, dir, filepath: pathOf(file) });
    await isomorphic.commit({ fs, dir, message: messageOf(file), author });
  }
}

function git(where: string, ...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: where, encoding: "utf8", maxBuffer: 1 << 30 }).trim();
}
