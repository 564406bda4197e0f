/**
 * The real admission server beside a bare HTTPS server of Node that reads the same bodies and answers the same bytes. Both are in this
 * thread and take turns; the load comes from a thread of its own, as fast as it is answered or at a rate.
 */

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Worker } from "node:worker_threads";

import type { HandleReview } from "../src/admission/review-handler.ts";
import { startAdmissionServer } from "../src/admission/server.ts";
import { nodeClock } from "../src/composition/node-clock.ts";
import { createNodeFileSystem } from "../src/composition/node-file-system.ts";
import { makeCertificate } from "../src/simulator/certificate.ts";
import { median, quantile, seed, smoke } from "./environment.ts";
import { quietLog, quietMeter } from "./quiet-ports.ts";
import type { LoadAnswer, LoadOrder } from "./webhook-load.ts";
import { reviewBodies } from "./webhook-reviews.ts";

/** As many idle ones as the API server keeps. */
const connections = 25;
const roundMs = smoke ? 100 : 1500;

interface Sample {
  readonly perSecond: number;
  /** CPU of this thread, with all that it does besides. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface RaceResult {
  /** Medians of the rounds. */
  readonly ours: Sample;
  readonly bare: Sample;
  /** Medians of the rounds' ratios. */
  readonly throughputRatio: number;
  readonly cpuRatio: number;
  readonly p99Ratio: number;
}

export interface WebhookRace extends AsyncDisposable {
  /** `perSecond` null: as fast as it is answered. */
  run(options: { readonly rounds: number; readonly perSecond: number | null }): Promise<RaceResult>;
}

export const reviewedBodies = reviewBodies(seed, 64);

export async function openWebhookRace(options: {
  /** For the certificate. */
  readonly directory: string;
  readonly handleReview: HandleReview;
}): Promise<WebhookRace> {
  const { directory, handleReview } = options;
  await using stack = new AsyncDisposableStack();
  const { certificatePem, keyPem } = await makeCertificate("bench", nodeClock);
  await writeFile(`${directory}/tls.crt`, certificatePem);
  await writeFile(`${directory}/tls.key`, keyPem);
  const server = await startAdmissionServer({
    host: "127.0.0.1",
    port: 0,
    paths: ["/correlate"],
    certificate: { certFile: `${directory}/tls.crt`, keyFile: `${directory}/tls.key` },
    handleReview,
    clock: nodeClock,
    files: createNodeFileSystem(),
    meter: quietMeter,
    log: quietLog,
    onBlind: () => undefined,
    onSeeing: () => undefined,
  });
  stack.use(server);
  let answer = Buffer.alloc(0);
  for (const body of reviewedBodies) answer = Buffer.from(await handleReview(body));
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
  stack.defer(() => {
    bare.close();
    bare.closeAllConnections();
  });
  const worker = new Worker(new URL("./webhook-load.ts", import.meta.url));
  stack.defer(async () => void (await worker.terminate()));
  const ports = { ours: server.address.port, bare: (bare.address() as AddressInfo).port };
  const owned = stack.move();
  return {
    run: (how) => raced(worker, ports, how),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function raced(
  worker: Worker,
  { ours, bare }: { readonly ours: number; readonly bare: number },
  { rounds, perSecond }: { readonly rounds: number; readonly perSecond: number | null },
): Promise<RaceResult> {
  const everyMs = perSecond === null ? 0 : (1000 * connections) / perSecond;
  const samples: { readonly ours: Sample; readonly bare: Sample }[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const oursFirst = round % 2 === 0;
    const first = await loaded(worker, oursFirst ? ours : bare, everyMs);
    const second = await loaded(worker, oursFirst ? bare : ours, everyMs);
    if (round >= 0) samples.push(oursFirst ? { ours: first, bare: second } : { ours: second, bare: first });
  }
  const ratio = (of: (sample: Sample) => number): number =>
    median(samples.map((each) => of(each.ours) / of(each.bare)));
  return {
    ours: middle(samples.map((sample) => sample.ours)),
    bare: middle(samples.map((sample) => sample.bare)),
    throughputRatio: ratio((sample) => sample.perSecond),
    cpuRatio: ratio((sample) => sample.cpuUs),
    p99Ratio: ratio((sample) => sample.p99Ms),
  };
}

async function loaded(worker: Worker, port: number, everyMs: number): Promise<Sample> {
  const path = "/correlate?timeout=3s";
  const order: LoadOrder = { port, connections, durationMs: roundMs, path, bodies: reviewedBodies, everyMs };
  const reply = once(worker, "message");
  const before = process.threadCpuUsage();
  worker.postMessage(order);
  const [{ latenciesMs, elapsedMs, failures }] = (await reply) as [LoadAnswer];
  const used = process.threadCpuUsage(before);
  if (failures > 0) throw new Error(`expected every review to be answered with 200, found ${failures} failures`);
  const all = Array.from(latenciesMs);
  return {
    perSecond: (all.length / elapsedMs) * 1000,
    cpuUs: (used.user + used.system) / all.length,
    p50Ms: quantile(all, 0.5),
    p99Ms: quantile(all, 0.99),
  };
}

function middle(of: readonly Sample[]): Sample {
  return {
    perSecond: Math.round(median(of.map(({ perSecond }) => perSecond))),
    cpuUs: median(of.map(({ cpuUs }) => cpuUs)),
    p50Ms: median(of.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(of.map(({ p99Ms }) => p99Ms)),
  };
}
