/** Writes as the API server does them, from the request to the answer. */

import type { ReviewAnswer, SimulatedCluster, Write, WriteRequest } from "./cluster.ts";
import { createObject } from "./create.ts";
import { removeCollection, removeObject } from "./remove.ts";
import type { ApiAnswer } from "./status.ts";
import { failure } from "./status.ts";
import { updateObject } from "./update.ts";

/** Yields each review; the caller asks the webhook and hands back its answer. */
export function write(cluster: SimulatedCluster, request: WriteRequest): Write {
  switch (request.verb) {
    case "create":
      return createObject(cluster, request);
    case "update":
    case "patch":
      return updateObject(cluster, request);
    case "delete":
      return removeObject(cluster, request, request.name);
    case "deletecollection":
      return removeCollection(cluster, request);
    default:
      request.verb satisfies never;
      return refuse(failure("MethodNotAllowed", "no such verb"));
  }
}

/** Runs a write with reviews answered on the spot: for tests and for whoever has no webhook. */
export function writeNow(
  cluster: SimulatedCluster,
  request: WriteRequest,
  answer: ReviewAnswer = { answered: false, allowed: true, message: "" },
): ApiAnswer {
  const run = write(cluster, request);
  let step = run.next();
  while (step.done !== true) step = run.next(answer);
  return step.value;
}

// oxlint-disable-next-line require-yield
function* refuse(answer: ApiAnswer): Write {
  return answer;
}
