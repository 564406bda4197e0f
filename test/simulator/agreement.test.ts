/**
 * The same requests as a real API server got, and the same reviews and watch events as it answered with: order of fields, what is
 * set before a review, what is written. The fixture was captured from kube-apiserver 1.36.3. What differs by nature (ids,
 * times, and with them the order of managedFields; addresses) is blanked. Kept beside the comparison with a running one (test/e2e/model.test.ts): it needs no binaries.
 */

import { readFileSync } from "node:fs";
import { request } from "node:https";
import { expect, test } from "vitest";
import { makeCertificate } from "../../src/simulator/certificate.ts";
import { Front } from "../../src/simulator/front.ts";
import { BUILT_IN_TYPES } from "../../src/simulator/resource-types.ts";
import { reviewOf } from "../../src/simulator/review.ts";
import { frameOf } from "../../src/simulator/watching.ts";
import { ALLOWED, clusterAt } from "./model-support.ts";

interface Step {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body: object | null;
  readonly status: number;
  readonly reviews: readonly string[];
}
interface Fixture {
  readonly steps: readonly Step[];
  /** Watch frames of each collection after its initial events. */
  readonly frames: Readonly<Record<string, readonly string[]>>;
}

const fixture = JSON.parse(
  readFileSync(new URL("fixtures/api-server-1.36.3.json", import.meta.url), "utf8"),
) as Fixture;

test("the simulator reviews and emits what kube-apiserver 1.36.3 does", async () => {
  const { cluster } = clusterAt();
  const clock = { nowMs: () => Date.now(), monotonicMs: () => 0, after: () => ({ [Symbol.dispose]: () => undefined }) };
  const certificate = await makeCertificate("test", clock);
  const alice = { name: "alice@example.com", uid: "2", groups: ["system:masters", "system:authenticated"] };
  const reviews: string[] = [];
  await using front = await Front.listen({
    cluster,
    clock,
    certificate,
    users: new Map([["alice", alice]]),
    bookmarkMs: 60_000,
    ask: (attempt) => {
      reviews.push(reviewOf(attempt).trimEnd());
      return Promise.resolve(ALLOWED);
    },
  });
  const start = cluster.store.revision;
  for (const step of fixture.steps) {
    reviews.length = 0;
    const status = await send(step, { url: front.url, ca: certificate.certificatePem });
    expect.soft({ step: step.name, status }).toEqual({ step: step.name, status: step.status });
    expect.soft(reviews.map(blank), step.name).toEqual(step.reviews.map(blank));
  }
  for (const type of BUILT_IN_TYPES) {
    const path = `${type.group === "" ? "/api" : `/apis/${type.group}`}/${type.version}/${type.resource}`;
    const expected = fixture.frames[path];
    const events = cluster.store.eventsAfter(type.key, start) ?? [];
    if (expected !== undefined) expect.soft(events.map(frameOf).map(blank), path).toEqual(expected.map(blank));
  }
});

function send(step: Step, { url, ca }: { readonly url: string; readonly ca: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: "Bearer alice",
      "user-agent": "curl/8",
      "content-type": step.method === "PATCH" ? "application/merge-patch+json" : "application/json",
    };
    const outgoing = request(`${url}${step.path}`, { method: step.method, ca, headers, agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    outgoing.on("error", reject);
    outgoing.end(step.body === null ? undefined : JSON.stringify(step.body));
  });
}

/** Keeps the order of keys; blanks what differs by nature. */
function blank(text: string): string {
  const blanked = text
    .trimEnd()
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UID")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME")
    .replaceAll(/"resourceVersion":"\d+"/g, `"resourceVersion":"N"`)
    .replaceAll(/g-[a-z0-9]{5}"/g, `g-XXXXX"`)
    .replaceAll(/10\.96\.\d+\.\d+/g, "ADDRESS");
  return JSON.stringify(JSON.parse(blanked), (key, value: unknown) =>
    key === "managedFields" ? (value as readonly object[]).map((entry) => JSON.stringify(entry)).toSorted() : value,
  );
}
