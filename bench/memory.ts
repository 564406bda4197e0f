/**
 * What 100,000 idle resources cost: the same process with none and with all of them, each after a collection of garbage. They
 * come once as a first list and once as events, which must leave the same. Not measured: the peak while a list is read.
 *
 *     node --expose-gc bench/memory.ts [--smoke] [--json]
 */

import { Subject } from "rxjs";

import type { CorrelationMessage } from "../actors/engine.ts";
import { defaultEngineBounds, Engine } from "../actors/engine.ts";
import type { ResourceVersion, WatchEvent, WatchMessage } from "../machines/messages.ts";
import { nodeClock } from "../src/composition/node-clock.ts";
import { decodeFrame } from "../src/kubernetes/watch-frame.ts";
import { digestOf, environment, print, smoke } from "./environment.ts";
import { quietLog, quietMeter } from "./quiet-ports.ts";
import { deployments } from "./traffic.ts";

const resources = smoke ? 2000 : 100_000;
const goalMegabytes = 150;

const { gc } = globalThis;
if (gc === undefined) throw new Error("start it with node --expose-gc");
const collect = gc;

const hashes: string[] = [];
const rows = [
  { name: "from a list", megabytes: megabytesOf(listed) },
  { name: "from events", megabytes: megabytesOf(observed) },
].map((row) => ({ ...row, bytesEach: Math.round((row.megabytes * 1e6) / resources) }));
const [hash = ""] = hashes;
if (hashes.some((other) => other !== hash)) throw new Error("a list and events should leave the same records");
print({ bench: "memory", environment, resources, rows, goalMegabytes, hash }, [
  `${environment}; ${resources} idle resources; hash ${hash}`,
  ...rows.map(
    ({ name, megabytes, bytesEach }) =>
      `${name.padEnd(16)}${megabytes.toFixed(1).padStart(8)} MB above none, ${bytesEach} bytes each (goal for 100,000: ${goalMegabytes} MB)`,
  ),
]);

function megabytesOf(fill: (watch$: Subject<WatchMessage>) => void): number {
  const watch$ = new Subject<WatchMessage>();
  const engine = new Engine({
    clock: nodeClock,
    meter: quietMeter,
    log: quietLog,
    bounds: defaultEngineBounds,
    contentEquals: () => false,
    correlation$: new Subject<CorrelationMessage>(),
    watch$,
    outlet: () => undefined,
  });
  // A few first: what the code itself needs must not count.
  watch$.next({ kind: "observed", event: eventOf(resources), epoch: 0 });
  const before = used();
  fill(watch$);
  const after = used();
  const { registry } = engine;
  if (registry.atRestCount !== resources + 1 || registry.awakeCount !== 0) throw new Error("not all of them are idle");
  const records = Array.from(registry.recordsOf(deployments.key), ([key, record]) => `${key} ${record.objectHash}`);
  hashes.push(digestOf(records.toSorted()));
  engine[Symbol.dispose]();
  return (after - before) / 1e6;
}

function listed(watch$: Subject<WatchMessage>): void {
  const items = Array.from({ length: resources }, (_, index) => eventOf(index));
  const resourceVersion = String(10_000_000) as ResourceVersion;
  watch$.next({ kind: "listed", type: deployments, resourceVersion, epoch: 0, unbroken: true, items });
}

function observed(watch$: Subject<WatchMessage>): void {
  for (let index = 0; index < resources; index += 1) watch$.next({ kind: "observed", event: eventOf(index), epoch: 0 });
}

/** As it comes from the bytes of a watch: strings of their own, with hashes. */
function eventOf(index: number): WatchEvent {
  const object = {
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: {
      name: `web-${index}-of-a-team`,
      namespace: `team-${index % 500}`,
      uid: `4be52ede-8d02-46d4-8af7-${String(index).padStart(12, "0")}`,
      resourceVersion: String(1_000_000 + index),
    },
    spec: { replicas: index % 5 },
  };
  const bytes = Buffer.from(JSON.stringify({ type: "ADDED", object }));
  const frame = decodeFrame(bytes, { start: 0, end: bytes.length }, { type: deployments, atMs: 0 });
  if (frame.kind !== "event") throw new Error("a frame was no event");
  return frame.event;
}

function used(): number {
  for (let round = 0; round < 3; round += 1) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
