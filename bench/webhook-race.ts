/**
 * The real admission server beside a bare HTTPS server of Node, both in this thread, under a load that is well below what they can
 * take: what they answer late is what the rest of the process does to them. The load comes from a thread of its own.
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
const perSecond = 500;
const roundMs = smoke ? 100 : 1500;

interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface WebhookRace {
  readonly perSecond: number;
  /** Medians of the rounds. */
  readonly ours: Latency;
  readonly bare: Latency;
  /** Median of the rounds' ratios. */
  readonly p99Ratio: number;
}

export async function raceWebhooks(options: {
  /** For the certificate. */
  readonly directory: string;
  readonly handleReview: HandleReview;
  readonly rounds: number;
}): Promise<WebhookRace> {
  const { directory, handleReview, rounds } = options;
  await using stack = new AsyncDisposableStack();
  const { certificatePem, keyPem } = await makeCertificate("bench", nodeClock);
  await writeFile(`${directory}/tls.crt`, certificatePem);
  await writeFile(`${directory}/tls.key`, keyPem);
  const ours = await startAdmissionServer({
    host: "127.0.0.1",
    port: 0,
    path: "/correlate",
    certFile: `${directory}/tls.crt`,
    keyFile: `${directory}/tls.key`,
    handleReview,
    clock: nodeClock,
    files: createNodeFileSystem(),
    meter: quietMeter,
    log: quietLog,
    onBlind: () => undefined,
    onSeeing: () => undefined,
  });
  stack.use(ours);
  const bodies = reviewBodies(seed, 64);
  const answer = Buffer.from(await handleReview(bodies[0] ?? new Uint8Array()));
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
  const load = async (port: number): Promise<Latency> => {
    const everyMs = (1000 * connections) / perSecond;
    const order: LoadOrder = { port, connections, durationMs: roundMs, path: "/correlate?timeout=3s", bodies, everyMs };
    const reply = once(worker, "message");
    worker.postMessage(order);
    const [{ latenciesMs, failures }] = (await reply) as [LoadAnswer];
    if (failures > 0) throw new Error(`expected every review to be answered with 200, found ${failures} failures`);
    const all = Array.from(latenciesMs);
    return { p50Ms: quantile(all, 0.5), p99Ms: quantile(all, 0.99) };
  };
  const samples: { readonly ours: Latency; readonly bare: Latency }[] = [];
  const barePort = (bare.address() as AddressInfo).port;
  for (let round = -1; round < rounds; round += 1) {
    const oursFirst = round % 2 === 0;
    const first = await load(oursFirst ? ours.address.port : barePort);
    const second = await load(oursFirst ? barePort : ours.address.port);
    if (round >= 0) samples.push(oursFirst ? { ours: first, bare: second } : { ours: second, bare: first });
  }
  return {
    perSecond,
    ours: middle(samples.map((sample) => sample.ours)),
    bare: middle(samples.map((sample) => sample.bare)),
    p99Ratio: median(samples.map((sample) => sample.ours.p99Ms / sample.bare.p99Ms)),
  };
}

function middle(of: readonly Latency[]): Latency {
  return { p50Ms: median(of.map(({ p50Ms }) => p50Ms)), p99Ms: median(of.map(({ p99Ms }) => p99Ms)) };
}
