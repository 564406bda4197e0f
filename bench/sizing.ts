/**
 * How much memory and CPU a pod needs for how large a cluster. A real `kubescribe run` beside a simulated API server, in a memory cgroup
 * of its own as a container is in: for each size the smallest of some limits with which it lives through its first list, writes to a
 * hundredth of all objects, and a start on what is there. Where there are no such cgroups to be made, without a limit.
 *
 *     node bench/sizing.ts [--smoke] [--full] [--json] [--out FILE]
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ALICE, BOB } from "../src/commands/demo-people.ts";
import { CONFIG_MAPS, NAMESPACES } from "../src/simulator/resource-types.ts";
import { writeNow } from "../src/simulator/write.ts";
import { PlayedHouse } from "../test/composition/played-house.ts";
import { digestOf, environment, print, smoke } from "./environment.ts";
import { MemoryGroup } from "./memory-group.ts";

interface Need {
  readonly objects: number;
  /** MiB; null: none. */
  readonly limit: number | null;
  /** MiB, of all its lives. */
  readonly peak: number;
  readonly first: Life;
  readonly again: Life;
  /** Milliseconds of CPU for one change, from its review over TLS to the commit. */
  readonly cpuPerChange: number;
}

/** Until everything is committed, or nothing has to be. */
interface Life {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rss: number;
}

const full = process.argv.includes("--full");
const sizes = smoke ? [200] : [1000, 10_000, 50_000, ...(full ? [100_000] : [])];
const limits = smoke ? [512] : [256, 384, 512, 768, 1024, 1536, 2048, 3072];
const namespaces = 50;
/** Of an object: its value, and with what the API server adds some 3 KB of JSON. */
const valueBytes = 2500;
const changesPerSecond = 50;
const ticksPerSecond = 100;
const patienceMs = 300_000;

const needs: Need[] = [];
const tips: string[] = [];
for (const objects of sizes) needs.push(await needOf(objects));
const columns = ["objects", "limit MiB", "peak MiB", "first list", "start again", "CPU a change"];
print({ bench: "sizing", environment, needs, hash: digestOf(tips) }, [
  `${environment}; objects of ${valueBytes} bytes, ${changesPerSecond} changes/s; hash ${digestOf(tips)}`,
  columns.map((title) => title.padStart(22)).join(""),
  ...needs.map(({ objects, limit, peak, first, again, cpuPerChange }) =>
    [objects, limit ?? "none", peak, said(first), said(again), `${cpuPerChange.toFixed(2)} ms`]
      .map((cell) => String(cell).padStart(22))
      .join(""),
  ),
]);

function said({ seconds, cpuSeconds, rss }: Life): string {
  return `${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} CPU, ${rss}`;
}

/** With the first limit that it lives through. */
async function needOf(objects: number): Promise<Need> {
  const larger = limits.filter((limit) => limit >= Math.max(0, ...needs.map((need) => need.limit ?? 0)));
  for (const limit of larger) {
    using group = new MemoryGroup(limit);
    try {
      const need = await lived(objects, group);
      console.error(JSON.stringify(need));
      return need;
    } catch (error) {
      if (group.path === null || limit === larger.at(-1)) throw error;
      const [why = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
      console.error(`${objects} objects do not do with ${limit} MiB: ${why}`);
    }
  }
  throw new Error("there are no limits to try");
}

async function lived(objects: number, group: MemoryGroup): Promise<Need> {
  const directory = mkdtempSync(join(tmpdir(), "kubescribe-sizing-"));
  try {
    await using house = await PlayedHouse.open(directory, { logLevel: "info", through: group.entering, patienceMs });
    fill(house, objects);
    const first = await life(house, objects);
    let peak = highest(house.pid);
    const before = cpuSeconds(house.pid);
    const changes = Math.max(20, objects / 100);
    await change(house, changes);
    await settled(house);
    const cpuPerChange = ((cpuSeconds(house.pid) - before) / changes) * 1000;
    peak = Math.max(peak, highest(house.pid));
    await house.kill();
    const again = await life(house, objects);
    peak = Math.max(peak, highest(house.pid));
    const commits = Number(house.git("rev-list", "--count", "main").toString());
    tips.push(`${objects} ${changes} ${commits - changes > 0}`);
    return { objects, limit: group.path === null ? null : group.limit, peak, first, again, cpuPerChange };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function fill({ cluster }: PlayedHouse, objects: number): void {
  const rest = {
    user: BOB,
    verb: "create",
    subresource: "",
    fieldManager: "",
    userAgent: "bench",
    dryRun: false,
  } as const;
  const make = (type: typeof CONFIG_MAPS, namespace: string, name: string, more: object): void => {
    const body = { metadata: { name }, ...more };
    const { status } = writeNow(cluster, { ...rest, type, namespace, name: "", body });
    if (status !== 201) throw new Error(`${type.resource} ${name}: expected 201, found ${status}`);
  };
  for (let at = 0; at < namespaces; at += 1) make(NAMESPACES, "", `team-${at}`, {});
  for (let at = 0; at < objects; at += 1) {
    make(CONFIG_MAPS, `team-${at % namespaces}`, `settings-${at}`, { data: { value: valueOf(at) } });
  }
}

/** No two are alike, and it is not one letter only. */
function valueOf(at: number): string {
  return Array.from({ length: valueBytes / 20 }, (_, line) =>
    `key-${line % 7}: ${(at * 31 + line) % 9973}`.padEnd(19),
  ).join("\n");
}

async function life(house: PlayedHouse, objects: number): Promise<Life> {
  const startedMs = performance.now();
  await house.start();
  await begun(house);
  await settled(house);
  const seconds = (performance.now() - startedMs) / 1000;
  const used = cpuSeconds(house.pid);
  const files = house.git("ls-tree", "-r", "--name-only", "main").toString().trimEnd().split("\n").length;
  if (files < objects) throw new Error(`expected ${objects} files, found ${files}`);
  await delay(2000);
  return { seconds, cpuSeconds: used, rss: mebibytes(house.pid, "VmRSS") };
}

/** The first list is committed: until it is whole nothing waits, and that says nothing. */
async function begun(house: PlayedHouse): Promise<void> {
  for (const deadline = performance.now() + patienceMs; house.git("branch", "--list", "main").length === 0;) {
    if (performance.now() > deadline) throw new Error(`after ${patienceMs / 1000} s there is no commit`);
    await delay(250);
  }
}

/** Everything that was seen is committed. */
async function settled(house: PlayedHouse): Promise<void> {
  let quiet = 0;
  for (const deadline = performance.now() + patienceMs; quiet < 2;) {
    const metrics = await house.answer("/metrics");
    const waiting = [...metrics.matchAll(/^queue_depth\{[^}]*\} (\d+)/gmu)].map(([, count]) => Number(count));
    quiet = waiting.length > 0 && waiting.every((count) => count === 0) ? quiet + 1 : 0;
    if (performance.now() > deadline)
      throw new Error(`after ${patienceMs / 1000} s there is something to commit still`);
    await delay(250);
  }
}

async function change(house: PlayedHouse, changes: number): Promise<void> {
  for (let at = 0; at < changes; at += 1) {
    const path = `/api/v1/namespaces/team-${at % namespaces}/configmaps/settings-${at}`;
    const body = { data: { changed: String(at) } };
    await house.call({ user: at % 2 === 0 ? ALICE : BOB, method: "PATCH", path, body }, 200);
    await delay(1000 / changesPerSecond);
  }
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function highest(pid: number): number {
  return mebibytes(pid, "VmHWM");
}

function mebibytes(pid: number, field: string): number {
  const [, kibibytes] =
    new RegExp(`^${field}:\\s+(\\d+)`, "mu").exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Math.round(Number(kibibytes) / 1024);
}
