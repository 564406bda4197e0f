/**
 * The model of the API server (src/simulator) against the real one. Random operations, one after the other, must have the same
 * status, the same reviews and the same watch events; byte for byte but for what differs by nature (test/model/normalise.ts). Of
 * several users at once, at two API servers, what was seen must be something that the model admits (test/model/trace-check.ts).
 * KUBESCRIBE_OPERATIONS sets how many of each, KUBESCRIBE_SEED which.
 */

import { afterAll, beforeAll, expect, test } from "vitest";

import type { SimulatedCluster } from "../../src/simulator/cluster.ts";
import { writeNow } from "../../src/simulator/write.ts";
import type { ControlPlane } from "../controlplane/control-plane.ts";
import { startControlPlane } from "../controlplane/control-plane.ts";
import { askedNamespace, askModel, askReal } from "../model/asking.ts";
import type { Count } from "../model/comparison.ts";
import { Comparison } from "../model/comparison.ts";
import { actions, shareOf } from "../model/draw-operation.ts";
import { modelRequest } from "../model/model-cluster.ts";
import { ModelSide } from "../model/model-side.ts";
import { preparePlane } from "../model/prepare-plane.ts";
import { queries, queryAt } from "../model/queries.ts";
import { recordTrace } from "../model/record-trace.ts";
import { RealSide } from "../model/real-side.ts";
import { lifeOf, script, scriptKinds } from "../model/script.ts";
import type { Side } from "../model/side.ts";
import { tableOf } from "../model/table.ts";
import { checkTrace } from "../model/trace-check.ts";
import { deniedUsers, startDenier } from "../storm/denier.ts";
import { seededRandom } from "../storm/random.ts";

const operations = Number(process.env["KUBESCRIBE_OPERATIONS"] ?? 300);
const users = ["alice", "bob", "carol", ...deniedUsers];
const seed = Number(process.env["KUBESCRIBE_SEED"] ?? 1);
const replay = `KUBESCRIBE_SEED=${seed} KUBESCRIBE_OPERATIONS=${operations}`;
const timeoutMs = 60_000 + operations * 100;
const shownLines = 5;

/** For what is done one after the other. */
let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({ users, numberedUsers: 0 });
  await preparePlane(plane);
});
afterAll(() => plane[Symbol.asyncDispose]());

test(`one after the other, ${replay}`, { timeout: timeoutMs }, async () => {
  await using real = await RealSide.start(plane);
  await using _denier = await startDenier(plane);
  const model = new ModelSide();
  const comparison = new Comparison(model, real);
  const difference = await comparison.run(seededRandom(seed, "model"), operations);
  console.log(`\n${tableOf(comparison.counts)}\n`);
  if (difference !== null) {
    const { number, operation } = difference;
    expect.soft(difference.model, `${operation} (number ${number})`).toEqual(difference.real);
    expect(JSON.stringify(difference.model), "the order of members").toBe(JSON.stringify(difference.real));
  }
  expect(real.failures).toEqual([]);
  expectEnough(comparison.counts);
});

test(`several users at once, ${replay}`, { timeout: timeoutMs }, async () => {
  const numbered = 6;
  await using busy = await startControlPlane({ users: deniedUsers, numberedUsers: numbered, apiServers: 2 });
  const names = [...Array.from({ length: numbered }, (_, index) => `user-${index}`), deniedUsers[0]];
  const trace = await recordTrace(busy, { seed, users: names, operations, startDenier });
  const { broken, figures } = checkTrace(trace);
  console.log(`\nseveral users at once: ${JSON.stringify(figures)}\n`);
  expect(broken.slice(0, shownLines)).toEqual([]);
  const least = {
    requests: 0.7,
    reviews: 0.5,
    events: 0.25,
    "explained by a review": 0.25,
    repeated: 0.02,
    stale: 0.001,
  };
  for (const [figure, share] of Object.entries(least)) {
    expect.soft(figures[figure], figure).toBeGreaterThanOrEqual(Math.floor(operations * share));
  }
});

test("lives that have an order of their own, and what clients ask of a collection", async () => {
  await using real = await RealSide.start(plane, scriptKinds);
  const model = new ModelSide();
  for (const [what, request] of script) {
    const played = async (side: Side, events: number): Promise<object> => {
      const status = await side.send("alice", request);
      const frames = await side.takeEvents(events);
      // The second step of a DELETE may find the first one's base in a watch cache that is behind, and is then reviewed on it again.
      const reviews = side.takeReviews().map(lifeOf);
      const distinct = reviews.filter((review, index) => review !== reviews[index - 1]);
      return { status, reviews: distinct, events: frames.map(lifeOf) };
    };
    const modelled = await played(model, 0);
    const events = Reflect.get(modelled, "events") as readonly string[];
    expect.soft(modelled, what).toEqual(await played(real, events.length));
  }
  await askAbout(model.cluster);
});

/** The same collection on both sides, an old part of its history compacted, the API server begun anew. */
async function askAbout(cluster: SimulatedCluster): Promise<void> {
  await plane.removeWebhook("recorder");
  const make = async (name: string, shard: string): Promise<readonly [real: string, model: string]> => {
    const body = { metadata: { name, labels: { shard } } };
    const path = `/api/v1/namespaces/${askedNamespace}/configmaps`;
    const made = await plane.request("admin", "POST", path, body);
    expect(made.status).toBe(201);
    const request = { method: "POST", path, contentType: "application/json", body } as const;
    const asked = modelRequest(cluster, "alice", request);
    if ("verb" in asked) writeNow(cluster, asked);
    const { metadata } = made.json() as { readonly metadata: { readonly resourceVersion: string } };
    return [metadata.resourceVersion, String(cluster.store.revision)];
  };
  const old = await make("a", "a");
  await make("b", "b");
  await plane.compact();
  cluster.store.compact(cluster.store.revision);
  await plane.stopApiServer();
  await plane.startApiServer();
  cluster.server({}).restart();
  await make("c", "a");
  const known = await make("d", "b");
  await make("e", "c");
  const [real, modelled] = [0, 1].map((side) => ({
    old: old[side] ?? "",
    known: known[side] ?? "",
    future: String(Number(known[side]) + 100_000),
  }));
  if (real === undefined || modelled === undefined) throw new Error("no versions");
  const [answers, expected] = [
    await Promise.all(queries.map((query) => askReal(plane, queryAt(query, real)))),
    queries.map((query) => askModel(cluster, queryAt(query, modelled))),
  ];
  for (const [index, query] of queries.entries()) expect.soft(expected[index], query).toEqual(answers[index]);
}

/** Each kind of operation at least a quarter as often as it is drawn, each kind of outcome now and then. */
function expectEnough(counts: Comparison["counts"]): void {
  for (const action of actions) {
    const least = Math.max(1, Math.floor((operations * shareOf(action)) / 4));
    const count = counts.get(action);
    expect.soft(count?.operations ?? 0, `${action}: sent`).toBeGreaterThanOrEqual(least);
    if (action === "other uid") continue;
    expect.soft(count?.successes ?? 0, `${action}: done`).toBeGreaterThanOrEqual(Math.max(1, Math.floor(least / 4)));
  }
  const all = [...counts.values()];
  const sum = (pick: (count: Count) => number): number => all.reduce((total, count) => total + pick(count), 0);
  const outcomes = {
    events: sum(({ events }) => events),
    "no-ops": sum(({ noops }) => noops),
    "reviewed again": sum(({ repeats }) => repeats),
    ...Object.fromEntries([403, 404, 409, 422].map((code) => [code, sum(({ refusals }) => refusals.get(code) ?? 0)])),
  };
  const shares = { events: 0.3, "no-ops": 0.04, "reviewed again": 0.001, 403: 0.01, 404: 0.04, 409: 0.04, 422: 0.01 };
  for (const [outcome, share] of Object.entries(shares)) {
    expect
      .soft(outcomes[outcome as keyof typeof outcomes], outcome)
      .toBeGreaterThanOrEqual(Math.floor(operations * share));
  }
}
