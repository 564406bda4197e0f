/** A trace of the model itself: users at once, interleaved at every review by a seed, before API servers that lag. */

import type { SimulatedCluster, Write } from "../../src/simulator/cluster.ts";
import { getObject } from "../../src/simulator/get-object.ts";
import type { JsonObject } from "../../src/simulator/json.ts";
import { isObject, objectAt, parseJson, stringAt } from "../../src/simulator/json.ts";
import { reviewOf } from "../../src/simulator/review.ts";
import { routeOf } from "../../src/simulator/route.ts";
import type { StoredEvent } from "../../src/simulator/store.ts";
import { frameOf } from "../../src/simulator/watching.ts";
import { write } from "../../src/simulator/write.ts";
import type { SeededRandom } from "../storm/random.ts";
import { seededRandom } from "../storm/random.ts";
import { drawOperation } from "./draw-operation.ts";
import { ALLOWED, modelCluster, modelRequest } from "./model-cluster.ts";
import { modelKinds } from "./model-kinds.ts";
import type { Operation } from "./operation.ts";
import type { RecordedReview } from "./recording-webhook.ts";
import type { Trace, TracedEvent, TracedRequest } from "./trace.ts";

interface Running {
  readonly run: Write;
  readonly started: Omit<TracedRequest, "number" | "status" | "version" | "reviews">;
  readonly reviews: RecordedReview[];
}

const usersAtOnce = 5;
const servers = 2;

export function traceOfModel(seed: number, operations: number): Trace {
  const random = seededRandom(seed, "trace");
  const cluster = modelCluster({ servers, seed });
  const first = cluster.store.revision;
  const running: Running[] = [];
  const requests: TracedRequest[] = [];
  const older = new Map<string, JsonObject>();
  const seenAtMs = new Map<number, number>();
  let nowMs = 0;
  const advance = (one: Running, answer: boolean): void => {
    const step = answer ? one.run.next(ALLOWED) : one.run.next();
    for (let at = cluster.store.revision; at > first && !seenAtMs.has(at); at -= 1) seenAtMs.set(at, nowMs);
    if (step.done !== true) return void one.reviews.push({ text: reviewOf(step.value), atMs: nowMs });
    running.splice(running.indexOf(one), 1);
    const { status, body } = step.value;
    const version = stringAt(objectAt(objectIn(body), "metadata"), "resourceVersion");
    requests.push({ ...one.started, reviews: one.reviews, status, version, number: requests.length + 1 });
  };
  for (let begun = 0; begun < operations || running.length > 0; nowMs += 1) {
    const server = random.below(servers);
    const draw = random.next();
    if (draw < 0.2) cluster.server({ server }).hold();
    else if (draw < 0.4) cluster.server({ server }).catchUp();
    if (begun < operations && (running.length === 0 || (running.length < usersAtOnce && random.chance(0.4)))) {
      const one = start(cluster, random, { server, older });
      begun += 1;
      if (one === null) continue;
      running.push(one);
      advance(one, false);
    } else advance(random.pick(running), true);
  }
  const stored = cluster.store.allEvents().filter(({ revision }) => revision > first);
  return { requests, events: eventsOf(stored, seenAtMs) };
}

function start(
  cluster: SimulatedCluster,
  random: SeededRandom,
  { server, older }: { readonly server: number; readonly older: Map<string, JsonObject> },
): Running | null {
  const { action, user, reads, make }: Operation = drawOperation(random);
  const route = reads === "" ? null : routeOf(cluster, reads);
  const current = route === null ? null : objectIn(getObject(cluster, route).body);
  const request = make({ current, older: older.get(reads) ?? null });
  if (current !== null) older.set(reads, current);
  const asked = request === null ? null : modelRequest(cluster, user, request);
  if (request === null || asked === null || "status" in asked) return null;
  return { run: write(cluster, { ...asked, server }), started: { action, user, request }, reviews: [] };
}

function objectIn(text: string): JsonObject | null {
  const object = parseJson(text);
  return isObject(object) && object["kind"] !== "Status" ? object : null;
}

/** Type after type, as the watches show them. */
function eventsOf(stored: readonly StoredEvent[], seenAtMs: ReadonlyMap<number, number>): readonly TracedEvent[] {
  return modelKinds.flatMap((type) =>
    stored
      .filter(({ content }) => content.object["kind"] === type.kind)
      .map((event) => ({
        kind: event.kind,
        type,
        frame: frameOf(event),
        name: event.name,
        uid: stringAt(objectAt(event.content.object, "metadata"), "uid"),
        version: String(event.revision),
        seenAtMs: seenAtMs.get(event.revision) ?? 0,
      })),
  );
}
