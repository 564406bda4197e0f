/**
 * Writes of several users, interleaved at every review: what KUBERNETES.md promises must hold for the simulator too, or nothing
 * that is tested against it means anything.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { ReviewAnswer, Write, WriteRequest } from "../../src/simulator/cluster.ts";
import { objectAt, stringAt } from "../../src/simulator/json.ts";
import { textOf } from "../../src/simulator/rendered.ts";
import { CONFIG_MAPS, DEPLOYMENTS } from "../../src/simulator/resource-types.ts";
import type { Attempt } from "../../src/simulator/review.ts";
import type { StoredEvent } from "../../src/simulator/store.ts";
import { write, writeNow } from "../../src/simulator/write.ts";
import { ALLOWED, clusterAt, configMap, deployment, requestOf, withoutVersion } from "../simulator/model-support.ts";
import { check, suite } from "./check.ts";

const DENIED: ReviewAnswer = { answered: true, allowed: false, message: "no" };

const name = fc.constantFrom("a", "b");
const value = fc.string({ unit: "binary", maxLength: 4 });
const asConfigMap = fc.oneof(
  fc.record({ name, value }).map((at) => requestOf({ body: configMap(at.name, { k: at.value }) })),
  fc
    .record({ name, value })
    .map((at) => requestOf({ verb: "patch", name: at.name, body: { data: { [at.value]: at.value } } })),
  fc
    .record({ name, value })
    .map((at) => requestOf({ verb: "update", name: at.name, body: configMap(at.name, { k: at.value }) })),
  fc.record({ name, held: fc.boolean() }).map((at) =>
    requestOf({
      verb: "patch",
      name: at.name,
      body: { metadata: { finalizers: at.held ? ["example.com/x"] : null } },
    }),
  ),
  name.map((at) => requestOf({ verb: "delete", name: at })),
  fc.constant(requestOf({ verb: "deletecollection" })),
);
const asDeployment = fc.oneof(
  fc.record({ name, replicas: fc.nat(3) }).map((at) => requestOf({ body: deployment(at.name, at.replicas) })),
  fc
    .record({ name, replicas: fc.nat(3) })
    .map((at) =>
      requestOf({ verb: "patch", name: at.name, subresource: "scale", body: { spec: { replicas: at.replicas } } }),
    ),
  fc
    .record({ name, replicas: fc.nat(3) })
    .map((at) =>
      requestOf({ verb: "patch", name: at.name, subresource: "status", body: { status: { replicas: at.replicas } } }),
    ),
  name.map((at) => requestOf({ verb: "delete", name: at })),
);
const request = fc
  .record({
    of: fc.oneof(
      asConfigMap,
      asDeployment.map((of) => ({ ...of, type: DEPLOYMENTS })),
    ),
    user: fc.constantFrom("alice", "bob", "carol"),
    dryRun: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  })
  .map(({ of, user, dryRun }): WriteRequest => ({
    ...of,
    dryRun,
    user: { name: user, groups: [] },
    fieldManager: user,
  }));

interface Running {
  readonly run: Write;
  readonly user: string;
  attempt: Attempt | null;
}

suite("the simulator", () => {
  test("interleaved writes keep the chain, and the winner's review has the event's bytes", () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 2, arbitrary: fc.record({ kind: fc.constant("begin" as const), request }) },
        { weight: 3, arbitrary: fc.record({ kind: fc.constant("answer" as const), at: fc.nat(), denied: fc.nat(9) }) },
      ),
      { minLength: 20, maxLength: 60, size: "max" },
    );
    check(
      fc.property(steps, fc.infiniteStream(fc.boolean()), (script, staleness) => {
        const { cluster } = clusterAt();
        for (const at of ["a", "b"]) {
          writeNow(cluster, requestOf({ body: configMap(at, { k: "1" }) }));
          writeNow(cluster, requestOf({ type: DEPLOYMENTS, body: deployment(at, 1) }));
        }
        const start = cluster.store.revision;
        const born = cluster.store.allEvents().filter(({ typeKey }) => typeKey === CONFIG_MAPS.key);
        const running: Running[] = [];
        const attempts: Attempt[] = [];
        const advance = (one: Running, answer?: ReviewAnswer) => {
          const step = answer === undefined ? one.run.next() : one.run.next(answer);
          one.attempt = step.done === true ? null : step.value;
          if (one.attempt === null) running.splice(running.indexOf(one), 1);
          else attempts.push(one.attempt);
        };
        for (const step of script) {
          if (step.kind === "begin") {
            if (staleness.next().value === true) cluster.server({}).hold();
            else cluster.server({}).catchUp();
            const one: Running = { run: write(cluster, step.request), user: step.request.user.name, attempt: null };
            running.push(one);
            advance(one);
            continue;
          }
          const one = running[step.at % Math.max(1, running.length)];
          if (one !== undefined) advance(one, step.denied === 0 ? DENIED : ALLOWED);
        }
        const events = cluster.store.allEvents().filter(({ revision }) => revision > start);
        expect(events.map(({ revision }) => revision)).toEqual(events.map((_event, index) => start + 1 + index));
        for (const event of events)
          expect(reviewersOf(event, attempts), describeEvent(event)).toContain(event.authorship.user);
        expect(cluster.store.list(CONFIG_MAPS.key, { namespace: "", revision: cluster.store.revision })).toEqual(
          replay([...born, ...events.filter(({ typeKey }) => typeKey === CONFIG_MAPS.key)]),
        );
      }),
    );
  });
});

/** Whose reviews could have made this event, by DESIGN section 4. */
function reviewersOf(event: StoredEvent, attempts: readonly Attempt[]): readonly string[] {
  const text = textOf(event.content, event.revision);
  const base = event.previousRevision === 0 ? "" : `"resourceVersion":"${event.previousRevision}"`;
  const uid = stringAt(objectAt(event.content.object, "metadata"), "uid");
  const possible = attempts.filter((attempt) => {
    if (attempt.dryRun || !(attempt.object ?? attempt.oldObject ?? "").includes(uid)) return false;
    if (event.kind === "ADDED") return attempt.operation === "CREATE" && attempt.object === withoutVersion(text);
    if (!(attempt.oldObject ?? "").includes(base)) return false;
    if (attempt.operation === "DELETE") return event.kind === "DELETED" || text.includes(`"deletionTimestamp"`);
    const emptied = event.kind === "DELETED" && !(attempt.object ?? "").includes(`"finalizers"`);
    const scaled = attempt.subresource === "scale";
    return emptied || scaled || withoutVersion(attempt.object ?? "") === withoutVersion(text);
  });
  return possible.map(({ user }) => user.name);
}

/** The state that a watcher would have. */
function replay(events: readonly StoredEvent[]): readonly object[] {
  const state = new Map<string, object>();
  for (const event of events) {
    if (event.kind === "DELETED") state.delete(event.name);
    else state.set(event.name, { ...event.content, revision: event.revision });
  }
  return [...state].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, version]) => version);
}

function describeEvent(event: StoredEvent): string {
  return `${event.kind} ${event.typeKey} ${event.name} at ${event.revision}`;
}
