/**
 * A day of names that come and go, on a simulated clock: each is created, changed and deleted, each write reviewed, and one review in
 * ten is of a write that never happens. Reviews go through the handler and the journal, frames through the engine and a branch actor,
 * whose flushes are answered at once. After a collection of garbage the day's end must hold no more than its noon. Then a
 * flood of reviews whose writes never happen: what is pending must stay within its bounds, and go.
 *
 *     node --expose-gc bench/churn.ts [--smoke] [--json]
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { Subject } from "rxjs";

import { openBranchActor } from "../actors/branch-actor.ts";
import type { CorrelationMessage } from "../actors/engine.ts";
import { defaultEngineBounds, Engine } from "../actors/engine.ts";
import type { CommitPool, Meter } from "../actors/ports.ts";
import type { ResourceVersion, WatchMessage } from "../machines/messages.ts";
import { createReviewHandler } from "../src/admission/review-handler.ts";
import { createBlockingFiles } from "../src/composition/node-blocking-files.ts";
import { openJournal } from "../src/journal/journal.ts";
import { decodeFrame } from "../src/kubernetes/watch-frame.ts";
import { sameContent } from "../src/sanitize/same-content.ts";
import { createSimulatedClock } from "../src/simulation/simulated-clock.ts";
import { digestOf, environment, print, randomFrom, seed, smoke } from "./environment.ts";
import { quietLog } from "./quiet-ports.ts";
import { deployments } from "./traffic.ts";

const hours = smoke ? 6 : 24;
const secondsPerHour = smoke ? 60 : 3600;
const lifeSeconds = 300;
const growthGoalMegabytes = 1;
const flood = smoke ? 2000 : 150_000;
const bounds = smoke ? { ...defaultEngineBounds, pendingTotal: 1000, contentBytes: 500_000 } : defaultEngineBounds;

const { gc } = globalThis;
if (gc === undefined) throw new Error("start it with node --expose-gc");
const collect = gc;

const clock = createSimulatedClock();
const random = randomFrom(seed);
const gauges = new Map<string, () => number>();
const meter: Meter = {
  count: () => undefined,
  record: () => undefined,
  gauge: (name, read, labels) => void gauges.set(`${name}${labels?.["state"] ?? ""}`, read),
};
let committed = 0;
const pool: CommitPool = {
  open: () => Promise.resolve({ tip: "", cursors: new Map() }),
  flush: (_id, { entries }) => {
    committed += entries.length;
    return Promise.resolve({ tip: "tip", commits: entries.map(() => 1) });
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
await using stack = new AsyncDisposableStack();
const dataDir = await mkdtemp(`${tmpdir()}/kubescribe-bench-`);
stack.defer(() => rm(dataDir, { recursive: true }));
const ports = { clock, random, meter, log: quietLog, files: createBlockingFiles() };
const { journal } = await openJournal({ ...ports, directory: `${dataDir}/journal`, sync: false });
stack.use(journal);
const branch = await openBranchActor({
  ...ports,
  targetId: "bench",
  cluster: "bench",
  types: [deployments.key],
  pool,
  catchUp: () => Promise.reject(new Error("the target was detached")),
  dataDir,
});
stack.use(branch);
const correlation$ = new Subject<CorrelationMessage>();
const watch$ = new Subject<WatchMessage>();
stack.use(
  new Engine({
    ...ports,
    bounds,
    contentEquals: sameContent,
    correlation$,
    watch$,
    outlet: (message) => branch.receive(message),
  }),
);
let arrival = 0;
const handleReview = createReviewHandler({
  ...ports,
  journal,
  claimKeys: [],
  nextArrival: () => (arrival += 1),
  correlate: (correlation, object) => correlation$.next({ correlation, object }),
});

interface Resource {
  readonly name: string;
  readonly uid: string;
  version: number;
}

let version = 1_000_000;
let names = 0;
const alive: Resource[] = [];
const firstList = { type: deployments, resourceVersion: String(version) as ResourceVersion, epoch: 0, items: [] };
watch$.next({ kind: "listed", unbroken: false, ...firstList });

const used: number[] = [];
for (let hour = 0; hour < hours; hour += 1) {
  for (let second = 0; second < secondsPerHour; second += 1) await oneSecond();
  used.push(await settledMegabytes());
}
const grown = (used.at(-1) ?? 0) - (used[hours / 2 - 1] ?? 0);
const day = { names, committed, hash: digestOf([String(committed), String(version)]) };
if (committed < names * 2) throw new Error(`${names} names should make more than ${committed} commits`);
const flooded = await floodOfReviews();

const rows = [
  {
    promise: "grown from noon to midnight, MB",
    value: Number(grown.toFixed(2)),
    goal: `< ${growthGoalMegabytes}`,
    reached: grown < growthGoalMegabytes,
  },
  {
    promise: `pending after ${flood} reviews without writes`,
    value: flooded.pending,
    goal: `<= ${bounds.pendingTotal}`,
    reached: flooded.pending <= bounds.pendingTotal,
  },
  {
    promise: "bytes kept of them",
    value: flooded.bytes,
    goal: `<= ${bounds.contentBytes}`,
    reached: flooded.bytes <= bounds.contentBytes,
  },
  { promise: "pending after their TTL", value: flooded.left, goal: "0", reached: flooded.left === 0 },
];
const where = `${environment}, ${hours} hours of ${secondsPerHour} s`;
print({ bench: "churn", environment: where, hash: day.hash, names, committed, megabytes: used, flooded, rows }, [
  `${where}, ${names} names, ${committed} changes; hash ${day.hash}`,
  ...rows.map(
    ({ promise, value, goal, reached }) =>
      `${promise.padEnd(44)}${String(value).padStart(10)}  (goal ${goal}: ${reached ? "reached" : "missed"})`,
  ),
  `MB after each hour: ${used.map((megabytes) => megabytes.toFixed(1)).join(" ")}; at the height of the flood ${flooded.megabytes.toFixed(0)}`,
]);

/** One name is born, one that lived long enough goes; some of the others change. */
async function oneSecond(): Promise<void> {
  names += 1;
  const born = { name: `web-${names}`, uid: uidOf(names), version: 0 };
  alive.push(born);
  await write(born, "CREATE");
  const chosen = alive[Math.floor(random() * alive.length)];
  if (chosen !== undefined) await write(chosen, "UPDATE");
  const oldest = alive.length > Math.min(lifeSeconds, secondsPerHour) ? alive.shift() : undefined;
  if (oldest !== undefined) await write(oldest, "DELETE");
  await clock.run(1000);
}

async function write(resource: Resource, operation: "CREATE" | "UPDATE" | "DELETE"): Promise<void> {
  const base = resource.version;
  version += 1;
  if (random() < 0.1) await review({ ...resource, version: base }, { operation, content: "denied" });
  await review({ ...resource, version: base }, { operation, content: String(version) });
  resource.version = version;
  const type = operation === "CREATE" ? "ADDED" : operation === "UPDATE" ? "MODIFIED" : "DELETED";
  const bytes = Buffer.from(`{"type":"${type}","object":${objectOf(resource, String(version))}}`);
  const frame = decodeFrame(bytes, { start: 0, end: bytes.length }, { type: deployments, atMs: clock.nowMs() });
  if (frame.kind !== "event") throw new Error("a frame was no event");
  watch$.next({ kind: "observed", event: frame.event, epoch: 0 });
}

async function review(
  resource: Resource,
  { operation, content }: { operation: "CREATE" | "UPDATE" | "DELETE"; content: string },
): Promise<void> {
  const group = '"group":"apps","version":"v1"';
  const object = operation === "DELETE" ? "null" : objectOf(resource, content);
  const oldObject = operation === "CREATE" ? "null" : objectOf(resource, String(resource.version));
  const body =
    `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"${uidOf(arrival)}","kind":{${group},` +
    `"kind":"Deployment"},"resource":{${group},"resource":"deployments"},"name":"${resource.name}","namespace":"default",` +
    `"operation":"${operation}","userInfo":{"username":"user-${arrival % 20}"},"object":${object},"oldObject":${oldObject},` +
    '"dryRun":false,"options":{}}}';
  await handleReview(Buffer.from(body));
}

function objectOf(resource: Resource, content: string): string {
  const { name, uid, version: of } = resource;
  return (
    `{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"${name}","namespace":"default","uid":"${uid}",` +
    `"resourceVersion":"${of}"},"spec":{"replicas":1,"note":"${content}","text":"${"some text ".repeat(40)}"}}`
  );
}

function uidOf(count: number): string {
  return `4be52ede-8d02-46d4-8af7-${String(count).padStart(12, "0")}`;
}

/** What is waited for has come, and what has a time to live is over it. */
async function settledMegabytes(): Promise<number> {
  await branch.drain(AbortSignal.timeout(60_000));
  return usedMegabytes();
}

async function floodOfReviews(): Promise<{ pending: number; bytes: number; left: number; megabytes: number }> {
  const before = usedMegabytes();
  for (let index = 0; index < flood; index += 1) {
    const resource = { name: `never-${index}`, uid: uidOf(index + 1), version };
    await review(resource, { operation: "UPDATE", content: "never" });
    if (index % 1000 === 0) await clock.run(1);
  }
  const pending = gaugeOf("pending_correlations");
  const bytes = gaugeOf("pending_object_bytes");
  const megabytes = usedMegabytes() - before;
  await clock.run(bounds.pendingTtlMs + 2000);
  return { pending, bytes, left: gaugeOf("pending_correlations"), megabytes };
}

function gaugeOf(name: string): number {
  return gauges.get(name)?.() ?? Number.NaN;
}

function usedMegabytes(): number {
  for (let round = 0; round < 3; round += 1) collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}
