/**
 * PUT and PATCH, of the object or of a subresource, as registry/generic/registry/store.go does them by way of GuaranteedUpdate. An
 * update that leaves a terminating object without finalizers deletes what then bears its name, without a DELETE review (K11, K39).
 */

import { attemptOf, refusalOf } from "./attempt.ts";
import type { ReviewAnswer, SimulatedCluster, Write, WriteRequest } from "./cluster.ts";
import { conditionalDelete } from "./conditional-delete.ts";
import { bear, refuseCreation } from "./create.ts";
import { derive } from "./derive.ts";
import type { Tried } from "./guaranteed-update.ts";
import { guaranteedUpdate } from "./guaranteed-update.ts";
import { numberAt, objectAt, stringAt } from "./json.ts";
import type { Preconditions } from "./preconditions.ts";
import type { Rendered } from "./rendered.ts";
import { textOf } from "./rendered.ts";
import type { Attempt } from "./review.ts";
import { scaleText } from "./scale.ts";
import { failure } from "./status.ts";
import type { ObjectName, Version } from "./store.ts";
import { finalizersOf } from "./strategy.ts";
import { refuseInvalid } from "./validation.ts";

/** The update that emptied the finalizers. */
interface Released {
  readonly rendered: Rendered;
  readonly version: Version;
  readonly answer: ReviewAnswer;
}

export function* updateObject(cluster: SimulatedCluster, request: WriteRequest): Write {
  const { type, name, namespace, subresource } = request;
  const at = { typeKey: type.key, namespace, name };
  const whole = request.verb === "update" && subresource !== "scale";
  const uid = whole ? stringAt(objectAt(request.body, "metadata"), "uid") : "";
  const preconditions: Preconditions = { uid, resourceVersion: "" };
  const applied = request.patch?.kind === "apply";
  const mayCreate = subresource === "" && (applied || (request.verb === "update" && type.createdByUpdate));
  let last: Released | null = null;
  const options = { at, mayCreate, preconditions };
  const outcome = yield* guaranteedUpdate(cluster, request, options, function* tryUpdate(current) {
    if (current === null) return yield* tryCreate(cluster, request);
    const derived = derive(cluster, request, current);
    if (derived.kind === "refused") return { kind: "stopped", by: derived.answer };
    const { rendered } = derived;
    const attempt = attemptOf(cluster, request, {
      operation: "UPDATE",
      name,
      object: reviewedText(request, rendered, current.revision),
      oldObject: reviewedText(request, current, current.revision),
    });
    const answer = yield attempt;
    const denied = refusalOf(cluster, attempt, answer);
    if (denied !== null) return { kind: "stopped", by: denied };
    if (endsWith(request, rendered, current)) {
      last = { rendered, version: current, answer };
      return { kind: "stopped", by: "emptied finalizers" };
    }
    return { kind: "write", rendered, answer } satisfies Tried;
  });
  if (outcome.kind === "done") {
    const { rendered, revision, created } = outcome;
    return { status: created ? 201 : 200, body: reviewedText(request, rendered, revision) };
  }
  if (typeof outcome.by !== "string") return outcome.by;
  return yield* removeByName(cluster, request, { at, preconditions, last });
}

/** By its name alone, unless the request said a uid: what was created in the meantime goes. */
function* removeByName(
  cluster: SimulatedCluster,
  request: WriteRequest,
  {
    last,
    ...where
  }: {
    readonly at: ObjectName;
    readonly preconditions: Preconditions;
    readonly last: Released | null;
  },
): Write {
  if (last === null) return failure("InternalError", "no finalizers were emptied");
  const uid = (of: Rendered): string => stringAt(objectAt(of.object, "metadata"), "uid");
  // oxlint-disable-next-line require-yield -- nobody is asked about this deletion
  const deleted = yield* conditionalDelete(cluster, request, where, function* unasked(current) {
    const same = uid(current) === uid(last.version);
    return { refusal: null, answer: { ...last.answer, answered: same && last.answer.answered } };
  });
  if (deleted.kind === "refused") return deleted.answer;
  return { status: 200, body: reviewedText(request, last.rendered, last.version.revision) };
}

function* tryCreate(cluster: SimulatedCluster, request: WriteRequest): Generator<Attempt, Tried, ReviewAnswer> {
  const refusal = refuseCreation(cluster, request, request.name);
  if (refusal !== null) return { kind: "stopped", by: refusal };
  const born = bear(cluster, request, request.name);
  const invalid = refuseInvalid(request.type, born.object, null);
  if (invalid !== null) return { kind: "stopped", by: invalid };
  const attempt = attemptOf(cluster, request, {
    operation: "CREATE",
    name: request.name,
    object: textOf(born, 0),
    oldObject: null,
  });
  const answer = yield attempt;
  const denied = refusalOf(cluster, attempt, answer);
  return denied === null ? { kind: "write", rendered: born, answer } : { kind: "stopped", by: denied };
}

/** The object was to be deleted, its time is up, and nothing holds it any more. */
function endsWith({ type }: WriteRequest, { object }: Rendered, current: Version): boolean {
  const before = objectAt(current.object, "metadata");
  const due = "deletionTimestamp" in before && numberAt(before, "deletionGracePeriodSeconds") === 0;
  return due && finalizersOf(type, object).length === 0;
}

function reviewedText(request: WriteRequest, rendered: Rendered, revision: number): string {
  return request.subresource === "scale" ? scaleText(rendered.object, revision) : textOf(rendered, revision);
}
