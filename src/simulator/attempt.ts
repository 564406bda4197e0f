/** What all writes share: making the attempt, and what denies it after the review. */

import type { Operation } from "../../machines/messages.ts";
import type { ReviewAnswer, SimulatedCluster, WriteRequest } from "./cluster.ts";
import type { JsonObject } from "./json.ts";
import type { Attempt, ReviewOptions } from "./review.ts";
import type { ApiAnswer } from "./status.ts";
import { failure, named } from "./status.ts";
import type { Authorship } from "./store.ts";

/** The API server gives a write up when its request times out; here, after so many lost swaps. */
export const SWAP_ATTEMPTS = 100;

export function attemptOf(
  cluster: SimulatedCluster,
  request: WriteRequest,
  details: {
    readonly operation: Operation;
    readonly name: string;
    readonly object: string | null;
    readonly oldObject: string | null;
  },
): Attempt {
  return {
    reviewUid: cluster.newUid(),
    type: request.type,
    subresource: request.subresource,
    user: request.user,
    namespace: request.namespace,
    dryRun: request.dryRun,
    options: optionsOf(request, details.operation),
    operation: details.operation,
    name: details.name,
    object: details.object,
    oldObject: details.oldObject,
  };
}

/** The refusal, if somebody refuses: the webhook that was asked, or what comes after it (K1). */
export function refusalOf(cluster: SimulatedCluster, attempt: Attempt, answer: ReviewAnswer): ApiAnswer | null {
  const message = answer.allowed ? cluster.policy(attempt) : answer.message;
  if (message === null) return null;
  return failure("Forbidden", `${named(attempt.type, attempt.name)} is forbidden: ${message}`);
}

export function authorshipOf(request: WriteRequest, answer: ReviewAnswer): Authorship {
  return { user: request.user.name, subresource: request.subresource, reviewed: answer.answered };
}

function optionsOf(request: WriteRequest, operation: Operation): ReviewOptions {
  const dryRun = request.dryRun ? { dryRun: ["All"] } : {};
  const fieldManager = request.fieldManager === "" ? {} : { fieldManager: request.fieldManager };
  switch (operation) {
    case "CREATE":
      return { kind: "CreateOptions", fields: { ...dryRun, ...fieldManager } };
    // A patch is reviewed with UpdateOptions too.
    case "UPDATE":
      return { kind: "UpdateOptions", fields: { ...dryRun, ...fieldManager } };
    case "DELETE":
      return { kind: "DeleteOptions", fields: { ...deletionFields(request.body), ...dryRun } };
    default:
      operation satisfies never;
      return { kind: "UpdateOptions", fields: {} };
  }
}

const DELETION_FIELDS = ["gracePeriodSeconds", "preconditions", "orphanDependents", "propagationPolicy"];

function deletionFields(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([key]) => DELETION_FIELDS.includes(key)));
}
