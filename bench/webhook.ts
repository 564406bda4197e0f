/**
 * Admission reviews over TLS: the real server, with its journal on disk, beside a bare HTTPS server of Node that reads the same
 * bodies and answers the same bytes. Both run in this thread and take turns; the load comes from a worker thread on 127.0.0.1.
 * Trust the ratios: each round's two figures are taken one after the other, and the median of the rounds' ratios counts.
 * `--smoke`: one short round. `--json`: one document.
 *
 *     node bench/webhook.ts [--smoke] [--json]
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { cpus, tmpdir } from "node:os";
import { Worker } from "node:worker_threads";
import { createReviewHandler } from "../src/admission/review-handler.ts";
import { startAdmissionServer } from "../src/admission/server.ts";
import { nodeClock } from "../src/composition/node-clock.ts";
import { createNodeFileSystem } from "../src/composition/node-file-system.ts";
import { openJournal } from "../src/journal/journal.ts";
import { makeCertificate } from "../src/simulator/certificate.ts";
import type { LoadAnswer, LoadOrder } from "./webhook-load.ts";
import { reviewBodies } from "./webhook-reviews.ts";

const smoke = process.argv.includes("--smoke");
const rounds = smoke ? 1 : 9;
const roundMs = smoke ? 200 : 1500;
/** As many idle ones as the API server keeps. */
const connections = 25;
const seed = 20_261_123;
const goal = 0.75;

const clock = nodeClock;
const silent = (): void => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

interface Sample {
  readonly perSecond: number;
  /** CPU time of this thread: what a busy machine cannot blur. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const bodies = reviewBodies(seed, 64);
const directory = await mkdtemp(`${tmpdir()}/kubescribe-bench-`);
const { certificatePem, keyPem } = await makeCertificate("bench", clock);
await writeFile(`${directory}/tls.crt`, certificatePem);
await writeFile(`${directory}/tls.key`, keyPem);
const counts = new Map<string, number>();
const meter = {
  count: (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1),
  record: silent,
  gauge: silent,
};
const seen = new Set<string>();
const files = createNodeFileSystem();
const { journal } = await openJournal({ directory: `${directory}/journal`, files, clock, meter, log, sync: false });
let arrival = 0;
const handleReview = createReviewHandler({
  clock,
  meter,
  log,
  journal,
  claimKeys: [],
  nextArrival: () => (arrival += 1),
  // What is found in each body is noted once, before the load: a set of strings is no part of the way.
  correlate: ({ uid, base, objectHash, unchanged }) =>
    arrival > bodies.length ? undefined : seen.add(`${uid} ${base} ${objectHash} ${unchanged}`),
});
const ours = await startAdmissionServer({
  host: "127.0.0.1",
  port: 0,
  path: "/correlate",
  certFile: `${directory}/tls.crt`,
  keyFile: `${directory}/tls.key`,
  handleReview,
  clock,
  files,
  meter,
  log,
  onBlind: silent,
  onSeeing: silent,
});
let answer = Buffer.alloc(0);
for (const body of bodies) answer = Buffer.from(await handleReview(body));
const bare = createServer({ cert: certificatePem, key: keyPem, keepAliveTimeout: 120_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    Buffer.concat(chunks);
    response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
    response.end(answer);
  });
});
await new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve));
const worker = new Worker(new URL("./webhook-load.ts", import.meta.url));

const samples: { readonly bare: Sample; readonly ours: Sample }[] = [];
const barePort = (bare.address() as AddressInfo).port;
for (let round = -1; round < rounds; round += 1) {
  const first = await load(round % 2 === 0 ? barePort : ours.address.port);
  const second = await load(round % 2 === 0 ? ours.address.port : barePort);
  if (round >= 0) samples.push(round % 2 === 0 ? { bare: first, ours: second } : { bare: second, ours: first });
}
await worker.terminate();
await ours[Symbol.asyncDispose]();
await journal[Symbol.asyncDispose]();
bare.close();
bare.closeAllConnections();
await rm(directory, { recursive: true });

const result = {
  bench: "webhook",
  environment:
    `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}, seed ${seed}, ` +
    `${rounds} rounds of ${roundMs} ms each, ${connections} connections, ${bodies[0]?.length ?? 0} bytes`,
  bare: summary(samples.map((sample) => sample.bare)),
  ours: summary(samples.map((sample) => sample.ours)),
  throughputRatio: median(samples.map((sample) => sample.ours.perSecond / sample.bare.perSecond)),
  cpuRatio: median(samples.map((sample) => sample.ours.cpuUs / sample.bare.cpuUs)),
  p99Ratio: median(samples.map((sample) => sample.ours.p99Ms / sample.bare.p99Ms)),
  goal,
  faults:
    (counts.get("webhook_faults") ?? 0) + (counts.get("journal_errors") ?? 0) + (counts.get("webhook_rejected") ?? 0),
  hash: createHash("sha256")
    .update([...seen].sort().join("\n"))
    .digest("hex")
    .slice(0, 16),
};
if (process.argv.includes("--json")) console.log(JSON.stringify(result));
else report();

async function load(port: number): Promise<Sample> {
  const order: LoadOrder = { port, connections, durationMs: roundMs, path: "/correlate?timeout=3s", bodies };
  const reply = once(worker, "message");
  const before = process.threadCpuUsage();
  worker.postMessage(order);
  const [answered] = (await reply) as [LoadAnswer];
  const used = process.threadCpuUsage(before);
  const { latenciesMs, elapsedMs, failures } = answered;
  if (failures > 0) throw new Error(`expected every review to be answered with 200, found ${failures} failures`);
  const sorted = latenciesMs.sort();
  return {
    perSecond: (sorted.length / elapsedMs) * 1000,
    cpuUs: (used.user + used.system) / sorted.length,
    p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  };
}

function summary(of: readonly Sample[]): Sample {
  return {
    perSecond: Math.round(median(of.map(({ perSecond }) => perSecond))),
    cpuUs: median(of.map(({ cpuUs }) => cpuUs)),
    p50Ms: median(of.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(of.map(({ p99Ms }) => p99Ms)),
  };
}

function median(values: readonly number[]): number {
  return Number((values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0).toPrecision(3));
}

function report(): void {
  const row = (name: string, { perSecond, cpuUs, p50Ms, p99Ms }: Sample): string =>
    `${name.padEnd(24)}${String(perSecond).padStart(8)}/s   CPU ${cpuUs} us   p50 ${p50Ms} ms   p99 ${p99Ms} ms`;
  console.log(`webhook: ${result.environment}`);
  console.log(row("bare HTTPS server", result.bare));
  console.log(row("kubescribe", result.ours));
  const verdict = result.throughputRatio >= goal ? "reached" : "missed";
  console.log(
    `throughput ratio ${result.throughputRatio} (goal ${goal}: ${verdict}), CPU ratio ${result.cpuRatio}, p99 ratio ${result.p99Ratio}`,
  );
  console.log(`faults ${result.faults}, hash ${result.hash}`);
}
