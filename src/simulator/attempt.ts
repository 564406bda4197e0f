/** What all writes share: making the attempt, and what denies it after the review. */

import type { Operation } from "../../machines/messages.ts";
import type { ReviewAnswer, SimulatedCluster, WriteRequest } from "./cluster.ts";
import type { JsonObject } from "./json.ts";
import { stringAt } from "./json.ts";
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
    /** Of what is to be deleted. */
    readonly uid?: string;
  },
): Attempt {
  return {
    reviewUid: cluster.newUid(),
    type: request.type,
    subresource: request.subresource,
    user: request.user,
    namespace: request.namespace,
    dryRun: request.dryRun,
    options: optionsOf(request, details.uid ?? ""),
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

function optionsOf(request: WriteRequest, uid: string): ReviewOptions {
  const dryRun = request.dryRun ? { dryRun: ["All"] } : {};
  // The storage of namespaces fills the uid in.
  const preconditions = request.type.kind === "Namespace" && uid !== "" ? { preconditions: { uid } } : {};
  const fieldManager = request.fieldManager === "" ? {} : { fieldManager: request.fieldManager };
  switch (request.verb) {
    case "create":
      return { kind: "CreateOptions", fields: { ...dryRun, ...fieldManager } };
    case "update":
    // A merge patch is reviewed with UpdateOptions too; only an apply shows PatchOptions.
    case "patch":
      return { kind: "UpdateOptions", fields: { ...dryRun, ...fieldManager } };
    case "delete":
    case "deletecollection":
      return { kind: "DeleteOptions", fields: { ...dryRun, ...deletionFields(request.body), ...preconditions } };
    default:
      request.verb satisfies never;
      return { kind: "UpdateOptions", fields: {} };
  }
}

function deletionFields(body: JsonObject): JsonObject {
  const propagationPolicy = stringAt(body, "propagationPolicy");
  return propagationPolicy === "" ? {} : { propagationPolicy };
}
