/** The load of bench/webhook.ts, in a thread of its own: connections that each send a review when the last one was answered. */

import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { parentPort } from "node:worker_threads";

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  readonly path: string;
  readonly bodies: readonly Uint8Array[];
  /** Each connection sends at this interval, and late answers count from when they should have been asked for; 0: without a pause. */
  readonly everyMs?: number;
}

export interface LoadAnswer {
  readonly latenciesMs: Float64Array;
  readonly elapsedMs: number;
  /** Answers that were not 200, and connections that broke. */
  readonly failures: number;
}

const lastOfAnswer = '"allowed":true}}';

parentPort?.on("message", (order: LoadOrder) => {
  void run(order).then((answer) => parentPort?.postMessage(answer));
});

async function run(order: LoadOrder): Promise<LoadAnswer> {
  const requests = order.bodies.map((body) =>
    Buffer.concat([
      Buffer.from(
        `POST ${order.path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Type: application/json\r\n` +
          `Accept: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
      ),
      body,
    ]),
  );
  const sockets = await Promise.all(Array.from({ length: order.connections }, async () => open(order.port)));
  const latencies: number[] = [];
  let failures = 0;
  const begin = performance.now();
  const end = begin + order.durationMs;
  const { everyMs = 0 } = order;
  if (everyMs === 0) keepAwake(end);
  await Promise.all(
    sockets.map(
      (socket, index) =>
        new Promise<void>((resolve) => {
          let next = index;
          let sentMs = 0;
          let dueMs = begin + (everyMs * index) / sockets.length;
          const sendWhenDue = (): void => {
            const waitMs = dueMs - performance.now();
            if (everyMs > 0 && waitMs > 0) setTimeout(send, waitMs);
            else send();
          };
          const send = (): void => {
            // A timer may fire a little early.
            sentMs = everyMs > 0 ? Math.min(dueMs, performance.now()) : performance.now();
            dueMs += everyMs;
            if (performance.now() >= end) {
              resolve();
              return;
            }
            socket.write(requests[next++ % requests.length] ?? "");
          };
          let received = "";
          socket.on("data", (chunk: Buffer) => {
            received += chunk.toString("latin1");
            if (!received.endsWith(lastOfAnswer)) return;
            if (!received.startsWith("HTTP/1.1 200 ")) failures += 1;
            received = "";
            latencies.push(performance.now() - sentMs);
            sendWhenDue();
          });
          socket.on("close", () => {
            if (performance.now() < end) failures += 1;
            resolve();
          });
          socket.on("error", () => undefined);
          sendWhenDue();
        }),
    ),
  );
  const elapsedMs = performance.now() - begin;
  for (const socket of sockets) socket.destroy();
  return { latenciesMs: Float64Array.from(latencies), elapsedMs, failures };
}

/**
 * A sleeping receiver makes each answer's write several times as dear (it wakes a thread), and the more so the slower the server is:
 * that would measure the machine's scheduler.
 */
function keepAwake(endMs: number): void {
  if (performance.now() < endMs) setImmediate(() => keepAwake(endMs));
}

async function open(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      socket.setNoDelay(true);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
