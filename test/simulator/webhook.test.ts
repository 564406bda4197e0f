import type { RequestListener } from "node:http";
import type { Server } from "node:https";
import { createServer } from "node:https";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SelfMadeCertificate } from "../../src/simulator/certificate.ts";
import { makeCertificate } from "../../src/simulator/certificate.ts";
import { Webhook } from "../../src/simulator/webhook.ts";
import { write } from "../../src/simulator/write.ts";
import { wallClock } from "./clock.ts";
import { clusterAt, configMap, requestOf } from "./model-support.ts";

interface Given {
  readonly status: number;
  readonly body: string;
}

let certificate: SelfMadeCertificate;
let server: Server;
let webhook: Webhook;
let answer: (uid: string) => Given | null;
let connections = 0;
/** What waits for the webhook's time to be up. */
let waiting: (() => void)[] = [];

beforeEach(async () => {
  certificate = await makeCertificate("webhook test", wallClock);
  connections = 0;
  const serve: RequestListener = (incoming, outgoing) => {
    let text = "";
    incoming.on("data", (chunk: Buffer) => (text += chunk.toString()));
    incoming.on("end", () => {
      const given = answer(/"request":\{"uid":"([^"]+)"/.exec(text)?.[1] ?? "");
      if (given !== null) outgoing.writeHead(given.status).end(given.body);
    });
  };
  const listening = createServer({ cert: certificate.certificatePem, key: certificate.keyPem }, serve);
  server = listening;
  listening.on("secureConnection", () => (connections += 1));
  await new Promise<void>((resolve) => {
    listening.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  webhook = new Webhook({
    url: `https://127.0.0.1:${port}/correlate`,
    caBundlePem: certificate.certificatePem,
    timeoutMs: 3000,
    clock: {
      ...wallClock,
      after(_delayMs, task) {
        waiting.push(task);
        return { [Symbol.dispose]: () => (waiting = []) };
      },
    },
  });
});
afterEach(async () => {
  webhook[Symbol.dispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function attempt() {
  const step = write(clusterAt().cluster, requestOf({ body: configMap("a", {}) })).next();
  if (step.done === true) throw new Error("no review");
  return step.value;
}

function review(uid: string, allowed: boolean): Given {
  const response = { uid, allowed, status: { message: "not today" } };
  return {
    status: 200,
    body: JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response }),
  };
}

test("takes the answer, and asks again over the same connection", async () => {
  answer = (uid) => review(uid, true);
  expect(await webhook.ask(attempt())).toMatchObject({ answered: true, allowed: true });
  answer = (uid) => review(uid, false);
  expect(await webhook.ask(attempt())).toEqual({ answered: true, allowed: false, message: "not today" });
  expect(connections).toBe(1);
});

function runOut(): null {
  for (const task of waiting) task();
  return null;
}

const unanswered: readonly (readonly [string, () => Given | null])[] = [
  ["another uid", () => review("somebody-else", true)],
  ["a failure", () => ({ status: 500, body: "" })],
  ["nonsense", () => ({ status: 200, body: "{" })],
  ["silence until its time is up", runOut],
];
test.for(unanswered)("lets the write pass unreviewed on %s", async ([, given]) => {
  answer = given;
  expect(await webhook.ask(attempt())).toEqual({ answered: false, allowed: true, message: "" });
  expect(webhook.failures).toBe(1);
});

test("sends nothing while it is played to be unreachable", async () => {
  answer = (uid) => review(uid, true);
  webhook.setReachable(false);
  expect(await webhook.ask(attempt())).toMatchObject({ answered: false, allowed: true });
  expect(connections).toBe(0);
});
