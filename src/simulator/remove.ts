/**
 * DELETE and deletecollection. With finalizers the deletion is an update that sets deletionTimestamp (K11), and whoever takes
 * the last finalizer away makes the DELETED event without a DELETE review; see the update.
 */

import { attemptOf, authorshipOf, refusalOf, SWAP_ATTEMPTS } from "./attempt.ts";
import type { SimulatedCluster, Write, WriteRequest } from "./cluster.ts";
import type { JsonObject } from "./json.ts";
import { arrayAt, objectAt, stringAt, withMembers } from "./json.ts";
import { render, textOf } from "./rendered.ts";
import type { ApiAnswer } from "./status.ts";
import { conflict, failure, notFound, success } from "./status.ts";
import type { Version } from "./store.ts";
import { finalizersOf, markDeleted } from "./strategy.ts";

/** Finalizers that a propagation policy stands for. */
const PROPAGATION_FINALIZERS: Readonly<Record<string, string>> = { Foreground: "foregroundDeletion", Orphan: "orphan" };

/** `reviewName` is what the review calls it: empty in a deletecollection (K10). */
export function* removeObject(cluster: SimulatedCluster, request: WriteRequest, reviewName: string): Write {
  const { type, name, namespace } = request;
  const at = { typeKey: type.key, namespace, name };
  for (let turn = 1; turn <= SWAP_ATTEMPTS; turn += 1) {
    const current = cluster.store.get(at);
    if (current === null) return notFound(type, name);
    const metadata = objectAt(current.object, "metadata");
    if (breaksPreconditions(request.body, metadata, current.revision)) return conflict(type, name);
    const attempt = attemptOf(cluster, request, {
      operation: "DELETE",
      name: reviewName,
      object: null,
      oldObject: textOf(current, current.revision),
      uid: stringAt(metadata, "uid"),
    });
    const answer = yield attempt;
    const denied = refusalOf(cluster, attempt, answer);
    if (denied !== null) return denied;
    const next = markedForDeletion(cluster, request, current);
    // Already terminating: nothing to write.
    if (next !== null && "deletionTimestamp" in metadata)
      return { status: 200, body: textOf(current, current.revision) };
    const rendered = next === null ? null : render(next, type.layout);
    const done = (revision: number): ApiAnswer =>
      rendered === null
        ? success(type, { name, uid: stringAt(metadata, "uid") })
        : { status: 200, body: textOf(rendered, revision) };
    if (request.dryRun) return done(current.revision);
    const event = cluster.store.swap({
      at,
      expected: current.revision,
      next: rendered,
      authorship: authorshipOf(request, answer),
    });
    if (event !== null) return done(event.revision);
  }
  return failure("Timeout", "the object was modified again and again while this write tried to delete it");
}

export function* removeCollection(cluster: SimulatedCluster, request: WriteRequest): Write {
  const { type, namespace } = request;
  const listed = cluster.store.list(type.key, { namespace, revision: cluster.store.revision }) ?? [];
  for (const version of listed) {
    const metadata = objectAt(version.object, "metadata");
    const answer: ApiAnswer = yield* removeObject(
      cluster,
      { ...request, name: stringAt(metadata, "name"), namespace: stringAt(metadata, "namespace") },
      "",
    );
    // Somebody else deleted it meanwhile: fine.
    if (answer.status >= 400 && answer.status !== 404) return answer;
  }
  return { status: 200, body: `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}` };
}

function breaksPreconditions(body: JsonObject, metadata: JsonObject, revision: number): boolean {
  const wanted = objectAt(body, "preconditions");
  const uid = stringAt(wanted, "uid");
  const version = stringAt(wanted, "resourceVersion");
  return (uid !== "" && uid !== stringAt(metadata, "uid")) || (version !== "" && version !== String(revision));
}

/** Null: nothing holds it back. */
function markedForDeletion(
  cluster: SimulatedCluster,
  { type, body }: WriteRequest,
  current: Version,
): JsonObject | null {
  const finalizer = PROPAGATION_FINALIZERS[stringAt(body, "propagationPolicy")];
  const metadata = objectAt(current.object, "metadata");
  const own = arrayAt(metadata, "finalizers");
  const object =
    finalizer === undefined || own.includes(finalizer)
      ? current.object
      : withMembers(current.object, { metadata: withMembers(metadata, { finalizers: [...own, finalizer] }) });
  return finalizersOf(type, object).length === 0 ? null : markDeleted(type, object, cluster.timestamp());
}
