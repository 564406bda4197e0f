/**
 * GuaranteedUpdate, as k8s.io/apiserver/pkg/storage/etcd3/store.go does it: the first attempt from the watch cache, which may be
 * stale; each attempt is reviewed; a lost swap is tried again with fresh state (K2).
 */

import { authorshipOf, SWAP_ATTEMPTS } from "./attempt.ts";
import type { ReviewAnswer, SimulatedCluster, WriteRequest } from "./cluster.ts";
import type { Preconditions } from "./preconditions.ts";
import { brokenPrecondition } from "./preconditions.ts";
import type { Rendered } from "./rendered.ts";
import { sameContent } from "./rendered.ts";
import type { Attempt } from "./review.ts";
import type { ApiAnswer } from "./status.ts";
import { failure, notFound } from "./status.ts";
import type { ObjectName, Version } from "./store.ts";

/** Why an attempt ends without a write: an answer, or what the caller goes on with. */
export type Stop = ApiAnswer | "emptied finalizers" | "delete now" | "already deleting";

export type Tried =
  | { readonly kind: "write"; readonly rendered: Rendered; readonly answer: ReviewAnswer }
  | { readonly kind: "stopped"; readonly by: Stop };

export type Updated =
  /** Revision 0: a dry run of a creation. */
  | {
      readonly kind: "done";
      readonly rendered: Rendered;
      readonly revision: number;
      readonly created: boolean;
    }
  | { readonly kind: "stopped"; readonly by: Stop };

/** A review, and what is to be written: `current` is null where nothing is there and the caller may create it. */
export type TryUpdate = (current: Version | null) => Generator<Attempt, Tried, ReviewAnswer>;

export interface UpdateOptions {
  readonly at: ObjectName;
  readonly mayCreate: boolean;
  readonly preconditions: Preconditions;
}

export function* guaranteedUpdate(
  cluster: SimulatedCluster,
  request: WriteRequest,
  options: UpdateOptions,
  tryUpdate: TryUpdate,
): Generator<Attempt, Updated, ReviewAnswer> {
  const { at, mayCreate, preconditions } = options;
  const missing = (version: Version | null): boolean => version === null && !mayCreate;
  const absent: Updated = { kind: "stopped", by: notFound(request.type, request.name) };
  if (request.dryRun) return yield* dryRun(cluster, request, options, tryUpdate);
  let current = cluster.server(request).cached(at);
  let isCurrent = current === null;
  if (isCurrent) current = cluster.store.get(at);
  for (let turn = 1; turn <= SWAP_ATTEMPTS; turn += 1) {
    if (missing(current)) return absent;
    const broken = brokenPrecondition(request, preconditions, current);
    const tried: Tried = broken === null ? yield* tryUpdate(current) : { kind: "stopped", by: broken };
    if (tried.kind === "stopped") {
      if (isCurrent) return tried;
      // What stands on stale state is not final.
      const fresh = cluster.store.get(at);
      isCurrent = true;
      if (missing(fresh)) return absent;
      if (broken === null && fresh?.revision === current?.revision) return tried;
      current = fresh;
      continue;
    }
    const { rendered, answer } = tried;
    if (current !== null && sameContent(rendered, current)) {
      const fresh = isCurrent ? current : cluster.store.get(at);
      isCurrent = true;
      if (fresh === null) return absent;
      if (sameContent(rendered, fresh)) return { kind: "done", rendered, revision: fresh.revision, created: false };
      current = fresh;
      continue;
    }
    const authorship = authorshipOf(request, answer);
    const event = cluster.store.swap({ at, expected: current?.revision ?? 0, next: rendered, authorship });
    if (event !== null) return { kind: "done", rendered, revision: event.revision, created: current === null };
    current = cluster.store.get(at);
    isCurrent = true;
  }
  const message = "the object was modified again and again while this write tried to change it";
  return { kind: "stopped", by: failure("Timeout", message) };
}

/** Asked once, of the present state. */
function* dryRun(
  cluster: SimulatedCluster,
  request: WriteRequest,
  { at, mayCreate, preconditions }: UpdateOptions,
  tryUpdate: TryUpdate,
): Generator<Attempt, Updated, ReviewAnswer> {
  const current = cluster.store.get(at);
  if (current === null && !mayCreate) return { kind: "stopped", by: notFound(request.type, request.name) };
  const broken = brokenPrecondition(request, preconditions, current);
  if (broken !== null) return { kind: "stopped", by: broken };
  const tried = yield* tryUpdate(current);
  if (tried.kind === "stopped") return tried;
  return { kind: "done", rendered: tried.rendered, revision: current?.revision ?? 0, created: current === null };
}
