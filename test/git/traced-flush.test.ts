/** What the crash tests count is what the kernel is asked for: a flush of a real process under strace, call by call beside files in memory. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

import type { FileSystem } from "../../actors/ports.ts";
import { createSimulatedClock } from "../../src/simulation/simulated-clock.ts";
import { MemoryFileSystem } from "../../src/simulation/memory-file-system.ts";
import { required } from "../remote/servers.ts";
import { findStrace } from "../remote/strace.ts";
import { playFlushes } from "./traced-flush.ts";

/** `<call> <path>`, the calls by their names in the port. */
type Calls = readonly string[];

describe.each(["blocking", "waiting"])("files of node, %s", (files) => {
  test("do what those in memory do, and nothing else", async () => {
    const place = mkdtempSync(join(tmpdir(), "kubescribe-traced-"));
    onTestFinished(() => rmSync(place, { recursive: true, force: true }));
    const repository = join(place, "within", "history.git");
    const counted = await playInMemory(repository);
    const traced = traceReal(place, { files, repository });
    expect(traced).toEqual(counted);
    const kinds = Object.entries(Object.groupBy(counted, (call) => call.split(" ")[0] ?? ""));
    const counts = kinds.map(([kind, calls]) => `${kind} ${calls?.length ?? 0}`).join(", ");
    console.log(`strace and the port agree on ${counted.length} calls: ${counts}`);
  });
});

async function playInMemory(repository: string): Promise<Calls> {
  const fs = new MemoryFileSystem(createSimulatedClock());
  await fs.makeDirectory(dirname(repository));
  const calls: string[] = [];
  await playFlushes(counting(fs, calls), repository);
  return calls;
}

/** What the kernel sees of the port's calls: all but reads of an open file, which are as many as the kernel likes. */
function counting(fs: FileSystem, calls: string[]): FileSystem {
  const count = <Answer>(call: string, path: string, answer: Answer): Answer => {
    calls.push(`${call} ${path}`);
    return answer;
  };
  return {
    open: async (path, mode) => {
      const file = await count("open", path, fs.open(path, mode));
      return {
        // Nothing to write is nothing to ask for.
        write: (bytes) => (bytes.length === 0 ? file.write(bytes) : count("write", path, file.write(bytes))),
        read: (into, position) => file.read(into, position),
        sync: () => count("fdatasync", path, file.sync()),
        [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
      };
    },
    readFile: (path) => count("open", path, fs.readFile(path)),
    list: (path) => count("open", path, fs.list(path)),
    stat: (path) => count("stat", path, fs.stat(path)),
    makeDirectory: (path) => count("mkdir", path, fs.makeDirectory(path)),
    rename: (from, to) => count("rename", from, fs.rename(from, to)),
    remove: (path) => count("unlink", path, fs.remove(path)),
    syncDirectory: (path) => {
      calls.push(`open ${path}`);
      return count("fsync", path, fs.syncDirectory(path));
    },
  };
}

function traceReal(
  place: string,
  { files, repository }: { readonly files: string; readonly repository: string },
): Calls {
  mkdirSync(dirname(repository));
  const output = join(place, "trace");
  const script = join(import.meta.dirname, "traced-flush.ts");
  const options = ["-f", "-y", "-s", "0", "-e", "trace=%file,%desc", "-o", output];
  const command = [...options, process.execPath, script, files, repository];
  const { status, stderr } = spawnSync(required(findStrace(), "strace"), command, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  const lines = readFileSync(output, "utf8").split("\n");
  return lines.map((line) => callOf(line, place)).filter((call) => call !== null);
}

const names: Readonly<Record<string, string>> = { openat: "open", statx: "stat", newfstatat: "stat" };
/** These only look at what is open, or close it. Whatever else the kernel is asked for is told, so that it makes a difference. */
const silent = new Set(["close", "read", "pread64", "getdents64", "lseek", "fstat", "fcntl", "execve"]);
const ofOpenFile = /^\d+ +(?:statx|newfstatat)\(\d+</;

function callOf(line: string, place: string): string | null {
  if (ofOpenFile.test(line)) return null;
  const [, name = "", args = ""] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
  // The path of an argument, or of an open file.
  const path = /(?:"|^\d+<)([^">]*)[">]/.exec(args)?.[1] ?? "";
  if (!path.startsWith(place) || silent.has(name)) return null;
  return `${names[name] ?? name} ${path}`;
}
