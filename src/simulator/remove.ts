/**
 * DELETE and deletecollection, as registry/generic/registry/store.go does them. With finalizers the deletion is an update that sets
 * deletionTimestamp (K11), and whoever takes the last finalizer away makes the DELETED event without a DELETE review; see the
 * update. What is deleted gracefully is reviewed twice: for the mark, and for the removal.
 */

import { attemptOf, refusalOf } from "./attempt.ts";
import type { ReviewAnswer, SimulatedCluster, Write, WriteRequest } from "./cluster.ts";
import type { Deleted, Validate, Verdict } from "./conditional-delete.ts";
import { conditionalDelete, uidOf } from "./conditional-delete.ts";
import { markDeleted, markNamespaceDeleted, withPropagationFinalizers } from "./deletion.ts";
import { graceOf } from "./grace.ts";
import type { Tried } from "./guaranteed-update.ts";
import { guaranteedUpdate } from "./guaranteed-update.ts";
import type { JsonObject } from "./json.ts";
import { arrayAt, objectAt, stringAt, withMembers } from "./json.ts";
import { matchesLabels } from "./label-selector.ts";
import { brokenPrecondition, preconditionsOf } from "./preconditions.ts";
import { render, textOf } from "./rendered.ts";
import type { Attempt } from "./review.ts";
import type { ApiAnswer } from "./status.ts";
import { conflict, notFound, success } from "./status.ts";
import type { Version } from "./store.ts";

/** A deletion under way. */
interface Deletion {
  readonly cluster: SimulatedCluster;
  readonly request: WriteRequest;
  /** What the review calls it: empty in a deletecollection (K10). */
  readonly reviewName: string;
  /** DeleteOptions: what a strategy fills in, later reviews show. */
  options: JsonObject;
}

export function* removeObject(cluster: SimulatedCluster, request: WriteRequest, reviewName: string): Write {
  const { type, name, namespace } = request;
  const deletion: Deletion = { cluster, request, reviewName, options: request.body };
  const current = cluster.store.get({ typeKey: type.key, namespace, name });
  if (current === null) return notFound(type, name);
  if (type.kind === "Namespace") return yield* removeNamespace(deletion, current);
  return yield* removeVersion(deletion, current);
}

export function* removeCollection(cluster: SimulatedCluster, request: WriteRequest): Write {
  const { type, namespace, labelSelector = "" } = request;
  const listed = cluster.store.list(type.key, { namespace, revision: cluster.store.revision }) ?? [];
  for (const version of listed) {
    const metadata = objectAt(version.object, "metadata");
    if (!matchesLabels(objectAt(metadata, "labels"), labelSelector)) continue;
    const one = { ...request, name: stringAt(metadata, "name"), namespace: stringAt(metadata, "namespace") };
    const answer: ApiAnswer = yield* removeObject(cluster, one, "");
    // Somebody else deleted it meanwhile: fine.
    if (answer.status >= 400 && answer.status !== 404) return answer;
  }
  return { status: 200, body: `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}` };
}

function* removeVersion(deletion: Deletion, first: Version): Write {
  const { cluster, request } = deletion;
  const { type, name, namespace } = request;
  const preconditions = preconditionsOf(deletion.options);
  const broken = brokenPrecondition(request, preconditions, first);
  if (broken !== null) return broken;
  const grace = graceOf(type, first.object, deletion.options, cluster);
  deletion.options = grace.options;
  if (grace.kind === "pending") return { status: 200, body: textOf(first, first.revision) };
  const { changed, finalizers } = withPropagationFinalizers(type, first.object, deletion.options);
  let version = first;
  if (grace.kind === "graceful" || changed || finalizers.length > 0) {
    const marked = yield* mark(deletion);
    if (marked.kind === "answered") return marked.answer;
    version = marked.version ?? version;
    // The dry run of the mark was all there is to ask.
    if (request.dryRun) return { status: 200, body: textOf(version, version.revision) };
    if (preconditions.resourceVersion !== "") {
      // The API server holds the version against what it wrote, also where it wrote nothing: nothing fits then.
      if (marked.version === null) return conflict(type, name);
      deletion.options = withMembers(deletion.options, {
        preconditions: withMembers(objectAt(deletion.options, "preconditions"), {
          resourceVersion: String(version.revision),
        }),
      });
    }
  }
  const at = { typeKey: type.key, namespace, name };
  const own = { at, preconditions: preconditionsOf(deletion.options) };
  const deleted: Deleted = yield* conditionalDelete(cluster, request, own, validationOf(deletion));
  switch (deleted.kind) {
    case "deleted":
      return success(type, { name, uid: uidOf(deleted.version) });
    case "absent":
      // Whoever marked it wins, and whoever was faster to remove it does no harm.
      return version === first ? notFound(type, name) : success(type, { name, uid: uidOf(version) });
    case "refused":
      return deleted.answer;
    default:
      return deleted satisfies never;
  }
}

type Marked =
  | { readonly kind: "answered"; readonly answer: ApiAnswer }
  /** To be removed now; null where nothing was written. */
  | { readonly kind: "removable"; readonly version: Version | null };

/** The update that comes before the removal, or instead of it: updateForGracefulDeletionAndFinalizers. */
function* mark(deletion: Deletion): Generator<Attempt, Marked, ReviewAnswer> {
  const { cluster, request } = deletion;
  const { type, name, namespace } = request;
  const at = { typeKey: type.key, namespace, name };
  const options = { at, mayCreate: false, preconditions: preconditionsOf(deletion.options) };
  let held = false;
  const validate = validationOf(deletion);
  const outcome = yield* guaranteedUpdate(cluster, request, options, function* tryMark(current) {
    if (current === null) return { kind: "stopped", by: notFound(type, name) };
    const { refusal, answer } = yield* validate(current);
    if (refusal !== null) return { kind: "stopped", by: refusal };
    const grace = graceOf(type, current.object, deletion.options, cluster);
    deletion.options = grace.options;
    if (grace.kind === "pending") return { kind: "stopped", by: "already deleting" };
    const { object, finalizers } = withPropagationFinalizers(type, grace.object, deletion.options);
    held = finalizers.length > 0;
    if (grace.kind === "none" && !held) return { kind: "stopped", by: "delete now" };
    const marked = grace.kind === "none" ? markDeleted(type, object, cluster.timestamp()) : object;
    return { kind: "write", rendered: render(marked, type.layout), answer } satisfies Tried;
  });
  if (outcome.kind === "stopped") {
    if (outcome.by === "delete now") return { kind: "removable", version: null };
    const stays = { status: 200, body: `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}` };
    return { kind: "answered", answer: typeof outcome.by === "string" ? stays : outcome.by };
  }
  const { rendered, revision } = outcome;
  const lasting = held || Number(deletion.options["gracePeriodSeconds"] ?? 0) > 0;
  if (lasting) return { kind: "answered", answer: { status: 200, body: textOf(rendered, revision) } };
  return { kind: "removable", version: { ...rendered, revision } };
}

/** The storage of namespaces fills the uid in, and waits for the finalizers in the spec. */
function* removeNamespace(deletion: Deletion, first: Version): Write {
  const { cluster, request } = deletion;
  const { type, name } = request;
  const given = preconditionsOf(deletion.options);
  const preconditions = { uid: given.uid || uidOf(first), resourceVersion: given.resourceVersion };
  const broken = brokenPrecondition(request, preconditions, first);
  if (broken !== null) return broken;
  deletion.options = withMembers(deletion.options, {
    preconditions: withMembers(objectAt(deletion.options, "preconditions"), { uid: preconditions.uid }),
  });
  if ("deletionTimestamp" in objectAt(first.object, "metadata")) {
    const waiting = arrayAt(objectAt(first.object, "spec"), "finalizers").length > 0;
    return waiting ? { status: 200, body: textOf(first, first.revision) } : yield* removeVersion(deletion, first);
  }
  const validate = validationOf(deletion);
  const options = { at: { typeKey: type.key, namespace: "", name }, mayCreate: false, preconditions };
  const outcome = yield* guaranteedUpdate(cluster, request, options, function* tryMark(current) {
    if (current === null) return { kind: "stopped", by: notFound(type, name) };
    const { refusal, answer } = yield* validate(current);
    if (refusal !== null) return { kind: "stopped", by: refusal };
    const marked = markNamespaceDeleted(current.object, deletion.options, cluster.timestamp());
    return { kind: "write", rendered: render(marked, type.layout), answer } satisfies Tried;
  });
  if (outcome.kind === "done") return { status: 200, body: textOf(outcome.rendered, outcome.revision) };
  return typeof outcome.by === "string" ? notFound(type, name) : outcome.by;
}

function validationOf(deletion: Deletion): Validate {
  return function* validate(current): Generator<Attempt, Verdict, ReviewAnswer> {
    const { cluster, request, reviewName, options } = deletion;
    const attempt = attemptOf(
      cluster,
      { ...request, body: options },
      {
        operation: "DELETE",
        name: reviewName,
        object: null,
        oldObject: textOf(current, current.revision),
      },
    );
    const answer = yield attempt;
    return { refusal: refusalOf(cluster, attempt, answer), answer };
  };
}
