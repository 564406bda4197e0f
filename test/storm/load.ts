/**
 * The storm's load generator, a process of its own: takes its order as JSON on stdin, answers with what it did as JSON on
 * stdout. Bounded in requests and in time; each user does one thing after the other on connections that are kept alive.
 */

import { setTimeout as delay } from "node:timers/promises";
import { text } from "node:stream/consumers";

import { ApiClient } from "../controlplane/api-client.ts";
import { Memory, Performer } from "./perform.ts";
import { planOf } from "./plan.ts";

export interface LoadOrder {
  readonly seed: number;
  readonly urls: readonly string[];
  readonly caPem: string;
  readonly users: readonly { readonly name: string; readonly token: string; readonly requests: number }[];
  /** Of all users together. */
  readonly requestsPerSecond: number;
  readonly maxSeconds: number;
}

export interface LoadReport {
  readonly requests: number;
  readonly seconds: number;
  /** By action: how many of each status; 0: nothing was written, 1: the connection failed. */
  readonly statuses: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

await main();

async function main(): Promise<void> {
  const order = JSON.parse(await text(process.stdin)) as LoadOrder;
  const clients = order.urls.map((url) => new ApiClient(url, order.caPem));
  const statuses: Record<string, Record<string, number>> = {};
  const total = order.users.reduce((sum, { requests }) => sum + requests, 0);
  const startedMs = performance.now();
  const endMs = startedMs + order.maxSeconds * 1000;
  const memory = new Memory();
  let requests = 0;
  const stormOf = async (user: LoadOrder["users"][number]): Promise<void> => {
    const everyMs = (1000 * total) / order.requestsPerSecond / user.requests;
    const plan = planOf({ seed: order.seed, user: user.name, servers: clients.length });
    for (let done = 0; done < user.requests && performance.now() < endMs; done += 1) {
      const waitMs = startedMs + done * everyMs - performance.now();
      if (waitMs > 1) await delay(waitMs);
      const planned = plan.next().value;
      const client = clients[planned.server];
      if (client === undefined) throw new Error(`No API server ${planned.server}`);
      const sender = {
        send: (request: object) => client.send({ ...(request as { method: string; path: string }), token: user.token }),
      };
      const status = await new Performer(sender, memory).perform(planned).catch(() => 1);
      const ofAction = (statuses[planned.action] ??= {});
      ofAction[status] = (ofAction[status] ?? 0) + 1;
      requests += 1;
    }
  };
  await Promise.all(order.users.map(stormOf));
  const report: LoadReport = { requests, seconds: (performance.now() - startedMs) / 1000, statuses };
  process.stdout.write(JSON.stringify(report), () => process.exit(0));
}
