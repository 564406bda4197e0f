/**
 * From the bytes of a watch to WatchMessages, on one core, beside what each part costs. Trust the ratios: all contestants take
 * turns in one process over the same chunks, and the figure of each is the median of its rounds. Not measured: TLS, HTTP, and
 * what becomes of the messages. `--smoke`: one short round. `--json`: one document.
 *
 *     node bench/watch.ts [--smoke] [--json]
 */

import { createHash } from "node:crypto";

import type { ApiServer, Clock } from "../actors/ports.ts";
import type { ResourceVersion, WatchEvent } from "../machines/messages.ts";
import { WatchActor } from "../actors/watch-actor.ts";
import { createWatchSource } from "../src/kubernetes/api-watch-source.ts";
import { FrameSplitter } from "../src/kubernetes/frames.ts";
import { decodeFrame } from "../src/kubernetes/watch-frame.ts";
import { environment, print, smoke } from "./environment.ts";
import { deployments } from "./traffic.ts";

const rounds = smoke ? 1 : 7;
const eventsPerRound = smoke ? 500 : 20_000;
/** What node:https hands over: a TLS record. */
const chunkBytes = 16 * 1024;

const frames = Array.from({ length: eventsPerRound }, (_, index) => frameOf(index + 1)).join("");
const stream = Buffer.from(frames);
const chunks: Buffer[] = [];
for (let at = 0; at < stream.length; at += chunkBytes) chunks.push(stream.subarray(at, at + chunkBytes));

/** Answers the probe, an empty list at 0, and the stream. */
class Replayed implements ApiServer {
  request({ path }: { readonly path: string }): ReturnType<ApiServer["request"]> {
    const list = Buffer.from(`{"metadata":{"resourceVersion":"${path.includes("Exact") ? 0 : 1}"},"items":[]}`);
    const body = path.includes("watch=true") ? chunks : [list];
    return Promise.resolve({ status: 200, headers: {}, body: replay(body) });
  }
}

interface Contestant {
  readonly name: string;
  /** Returns how many events it saw. */
  run(): number | Promise<number>;
}

const contestants: readonly Contestant[] = [
  { name: "bytes + newline framing", run: () => framed(() => undefined) },
  {
    name: "framing + JSON.parse",
    run: () => framed((bytes, start, end) => void JSON.parse(bytes.toString("utf8", start, end))),
  },
  {
    name: "framing + decodeFrame (scan, two hashes, copy)",
    run: () => framed((bytes, start, end) => void decodeFrame(bytes, { start, end }, { type: deployments, atMs: 0 })),
  },
  { name: "watch actor (bytes to WatchMessage)", run: watched },
];

const samples = contestants.map((): number[] => []);
for (let round = -1; round < rounds; round += 1) {
  for (const [index, contestant] of contestants.entries()) {
    const start = performance.now();
    const seen = await contestant.run();
    const perSecond = (seen / (performance.now() - start)) * 1000;
    if (seen !== eventsPerRound) throw new Error(`${contestant.name} saw ${seen} of ${eventsPerRound} events.`);
    if (round >= 0) samples[index]?.push(perSecond);
  }
}
const medians = samples.map((sample) => sample.toSorted((a, b) => a - b)[sample.length >> 1] ?? 0);
const figures = contestants.map(({ name }, index) => {
  const perSecond = medians[index] ?? 1;
  return {
    name,
    perSecond: Math.round(perSecond),
    nsPerEvent: Math.round(1e9 / perSecond),
    ratio: perSecond / (medians[1] ?? 1),
  };
});
const eventBytes = Math.round(stream.length / eventsPerRound);
const where = `${environment}, ${rounds} rounds of ${eventsPerRound} events of ${eventBytes} bytes`;
const hash = await resultHash();
print({ bench: "watch", environment: where, hash, figures }, [
  `${where}; hash ${hash}`,
  "",
  ...figures.map(
    ({ name, perSecond, nsPerEvent, ratio }) =>
      `${name.padEnd(48)} ${String(perSecond).padStart(9)} events/s ${String(nsPerEvent).padStart(7)} ns ${ratio.toFixed(2).padStart(6)} x JSON.parse`,
  ),
]);

function framed(receive: (bytes: Buffer, start: number, end: number) => void): number {
  let seen = 0;
  const splitter = new FrameSplitter((bytes, start, end) => {
    seen += 1;
    receive(bytes, start, end);
  });
  for (const chunk of chunks) splitter.push(chunk);
  return seen;
}

async function watched(onEvent: (event: WatchEvent) => void = () => undefined): Promise<number> {
  let seen = 0;
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => ({ [Symbol.dispose]: () => undefined }) };
  await using watch = new WatchActor({
    type: deployments,
    cursor: { epoch: 0, resourceVersion: "0" as ResourceVersion },
    source: createWatchSource({ api: new Replayed(), clock }),
    clock,
    random: () => 0.5,
    meter: { count: () => undefined, record: () => undefined, gauge: () => undefined },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: console.error },
    sink: (message) => {
      if (message.kind !== "observed") return;
      seen += 1;
      onEvent(message.event);
    },
    until: () => seen === eventsPerRound,
  });
  await watch.done;
  return seen;
}

async function* replay(parts: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part);
}

async function resultHash(): Promise<string> {
  const hash = createHash("sha256");
  await watched(
    ({ objectHash, restHash, resourceVersion }) => void hash.update(objectHash + restHash + resourceVersion),
  );
  return hash.digest("hex").slice(0, 16);
}

/** A Deployment as it comes from a cluster: managedFields are half of it. No randomness: the index is all that differs. */
function frameOf(index: number): string {
  const owned = Object.fromEntries(
    Array.from({ length: 33 }, (_, field) => [`f:field-${field}`, { ".": {}, "f:name": {}, "f:value": {} }]),
  );
  const manager = {
    manager: "kube-controller-manager",
    operation: "Update",
    apiVersion: "apps/v1",
    fieldsType: "FieldsV1",
  };
  const env = Array.from({ length: 33 }, (_, variable) => ({
    name: `VARIABLE_${variable}`,
    value: `value ${variable} of ${index % 97}`,
  }));
  const object = {
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: {
      name: `web-${index % 500}`,
      namespace: "default",
      uid: `4be52ede-8d02-46d4-8af7-${String(index % 500).padStart(12, "0")}`,
      resourceVersion: String(index),
      generation: index % 7,
      labels: { app: "web", tier: "front" },
      annotations: { "deployment.kubernetes.io/revision": "3", note: 'text with "quotes" and é' },
      managedFields: [
        { ...manager, fieldsV1: { "f:spec": owned } },
        { ...manager, subresource: "status", fieldsV1: { "f:status": owned } },
      ],
    },
    spec: {
      replicas: index % 5,
      selector: { matchLabels: { app: "web" } },
      template: { spec: { containers: [{ name: "web", image: "nginx:1.29", env }] } },
    },
    status: {
      observedGeneration: index % 7,
      replicas: 3,
      conditions: Array.from({ length: 4 }, (_, at) => ({
        type: `Condition${at}`,
        status: "True",
        message: "as it should be",
      })),
    },
  };
  return `${JSON.stringify({ type: "MODIFIED", object })}\n`;
}
