/** The removal from the store, as conditionalDelete in etcd3/store.go does it: reviewed for each state it is tried on. */

import { authorshipOf, SWAP_ATTEMPTS } from "./attempt.ts";
import type { ReviewAnswer, SimulatedCluster, WriteRequest } from "./cluster.ts";
import { objectAt, stringAt } from "./json.ts";
import type { Preconditions } from "./preconditions.ts";
import { brokenPrecondition } from "./preconditions.ts";
import { ENDPOINTS, SERVICES } from "./resource-types.ts";
import type { Attempt } from "./review.ts";
import type { ApiAnswer } from "./status.ts";
import { failure } from "./status.ts";
import type { ObjectName, Version } from "./store.ts";

export interface Verdict {
  readonly refusal: ApiAnswer | null;
  readonly answer: ReviewAnswer;
}

/** The review of a deletion. */
export type Validate = (current: Version) => Generator<Attempt, Verdict, ReviewAnswer>;

export type Deleted =
  | { readonly kind: "deleted"; readonly version: Version; readonly revision: number }
  | { readonly kind: "absent" }
  | { readonly kind: "refused"; readonly answer: ApiAnswer };

export function* conditionalDelete(
  cluster: SimulatedCluster,
  request: WriteRequest,
  { at, preconditions }: { readonly at: ObjectName; readonly preconditions: Preconditions },
  validate: Validate,
): Generator<Attempt, Deleted, ReviewAnswer> {
  let current = request.dryRun ? null : cluster.server(request).cached(at);
  let isCurrent = current === null;
  if (isCurrent) current = cluster.store.get(at);
  for (let turn = 1; turn <= SWAP_ATTEMPTS; turn += 1) {
    if (current === null) return { kind: "absent" };
    const broken = brokenPrecondition(request, preconditions, current);
    const verdict = broken === null ? yield* validate(current) : { refusal: broken, answer: null };
    if (verdict.refusal !== null || verdict.answer === null) {
      const refusal = verdict.refusal ?? failure("InternalError", "no verdict");
      if (isCurrent) return { kind: "refused", answer: refusal };
      const fresh = cluster.store.get(at);
      isCurrent = true;
      if (fresh?.revision === current.revision) return { kind: "refused", answer: refusal };
      current = fresh;
      continue;
    }
    if (request.dryRun) return { kind: "deleted", version: current, revision: current.revision };
    const authorship = authorshipOf(request, verdict.answer);
    const event = cluster.store.swap({ at, expected: current.revision, next: null, authorship });
    if (event !== null) {
      takeEndpoints(cluster, request, at);
      return { kind: "deleted", version: current, revision: event.revision };
    }
    current = cluster.store.get(at);
    isCurrent = true;
  }
  const message = "the object was modified again and again while this write tried to delete it";
  return { kind: "refused", answer: failure("Timeout", message) };
}

/** A Service takes its Endpoints with it, and nobody is asked (K39). */
function takeEndpoints(
  cluster: SimulatedCluster,
  { user }: WriteRequest,
  { typeKey, namespace, name }: ObjectName,
): void {
  if (typeKey !== SERVICES.key) return;
  const at = { typeKey: ENDPOINTS.key, namespace, name };
  const version = cluster.store.get(at);
  if (version === null) return;
  const authorship = { user: user.name, subresource: "", reviewed: false };
  cluster.store.swap({ at, expected: version.revision, next: null, authorship });
}

export function uidOf(version: Version): string {
  return stringAt(objectAt(version.object, "metadata"), "uid");
}
