/**
 * PUT and PATCH, of the object or of a subresource, as GuaranteedUpdate does them: read (perhaps something stale), derive the
 * new object, ask the webhook, compare and swap; after a lost swap all of it again with fresh state (K2).
 */

import { attemptOf, authorshipOf, refusalOf, SWAP_ATTEMPTS } from "./attempt.ts";
import type { SimulatedCluster, Write, WriteRequest } from "./cluster.ts";
import type { JsonObject } from "./json.ts";
import { isObject, mergePatch, objectAt, stringAt, withMembers } from "./json.ts";
import { trackFields } from "./managed-fields.ts";
import type { Rendered } from "./rendered.ts";
import { render, sameContent, textOf } from "./rendered.ts";
import { apiVersionOf } from "./resource-types.ts";
import { replicasOf, scaleOf, scaleText } from "./scale.ts";
import type { ApiAnswer } from "./status.ts";
import { conflict, failure, notFound } from "./status.ts";
import type { Version } from "./store.ts";
import { finalizersOf, prepareForUpdate } from "./strategy.ts";

type Derived =
  | { readonly kind: "object"; readonly rendered: Rendered }
  | { readonly kind: "refused"; readonly answer: ApiAnswer };

export function* updateObject(cluster: SimulatedCluster, request: WriteRequest): Write {
  const { type, name } = request;
  const at = { typeKey: type.key, namespace: request.namespace, name };
  let stale = cluster.readsStale() ? cluster.store.getStale(at) : null;
  for (let turn = 1; turn <= SWAP_ATTEMPTS; turn += 1) {
    const current = stale ?? cluster.store.get(at);
    const wasStale = stale !== null;
    stale = null;
    if (current === null) return notFound(type, name);
    const derived = derive(cluster, request, current);
    if (derived.kind === "refused") {
      // A refusal that stands on stale state is not final.
      if (wasStale) continue;
      return derived.answer;
    }
    const { rendered } = derived;
    const attempt = attemptOf(cluster, request, {
      operation: "UPDATE",
      name,
      object: reviewedText(request, rendered, current.revision),
      oldObject: reviewedText(request, current, current.revision),
    });
    const answer = yield attempt;
    const denied = refusalOf(cluster, attempt, answer);
    if (denied !== null) return denied;
    const noop = sameContent(rendered, current);
    if (noop && wasStale) continue;
    if (noop || request.dryRun) return { status: 200, body: reviewedText(request, rendered, current.revision) };
    const last = isTerminating(rendered.object) && finalizersOf(type, rendered.object).length === 0;
    const event = cluster.store.swap({
      at,
      expected: current.revision,
      next: last ? null : rendered,
      authorship: authorshipOf(request, answer),
    });
    if (event !== null) return { status: 200, body: reviewedText(request, rendered, event.revision) };
  }
  return failure("Timeout", "the object was modified again and again while this write tried to change it");
}

function derive(cluster: SimulatedCluster, request: WriteRequest, current: Version): Derived {
  const { type, subresource } = request;
  const base =
    subresource === "scale"
      ? scaleOf(current.object, current.revision)
      : withMembers(current.object, {
          metadata: withMembers(objectAt(current.object, "metadata"), { resourceVersion: String(current.revision) }),
        });
  const wanted = request.verb === "patch" ? mergePatch(base, request.body) : request.body;
  if (!isObject(wanted)) return refused(failure("BadRequest", "the patch does not leave an object"));
  const metadata = objectAt(wanted, "metadata");
  const version = stringAt(metadata, "resourceVersion");
  if (version === "" && !type.unconditionalUpdate && subresource !== "scale") {
    const detail = "metadata.resourceVersion: Invalid value: 0: must be specified for an update";
    return refused(failure("Invalid", `${named(type.kind, request.name)} is invalid: ${detail}`));
  }
  const uid = stringAt(metadata, "uid");
  const foreign = uid !== "" && uid !== stringAt(objectAt(current.object, "metadata"), "uid");
  if (foreign || (version !== "" && version !== String(current.revision))) return refused(conflict(type, request.name));
  const next =
    subresource === "scale"
      ? scaled(current.object, wanted)
      : subresource === "finalize"
        ? finalized(current.object, wanted)
        : wanted;
  if (next === null)
    return refused(
      failure("Invalid", `${named("Scale", request.name)} is invalid: spec.replicas: must be a whole number >= 0`),
    );
  const prepared = prepareForUpdate(type, { current: current.object, next, subresource });
  const object = trackFields(current.object, prepared, {
    manager: request.fieldManager || request.userAgent,
    subresource,
    apiVersion: apiVersionOf(type),
    time: cluster.timestamp(),
    ...(subresource === "scale" ? { scale: scaleOf(prepared, current.revision) } : {}),
  });
  return { kind: "object", rendered: render(object, type.layout) };
}

function reviewedText(request: WriteRequest, rendered: Rendered, revision: number): string {
  return request.subresource === "scale" ? scaleText(rendered.object, revision) : textOf(rendered, revision);
}

function scaled(object: JsonObject, scale: JsonObject): JsonObject | null {
  const replicas = replicasOf(scale);
  return replicas === null ? null : withMembers(object, { spec: withMembers(objectAt(object, "spec"), { replicas }) });
}

function finalized(object: JsonObject, wanted: JsonObject): JsonObject {
  const finalizers = objectAt(wanted, "spec")["finalizers"];
  return withMembers(object, {
    spec: withMembers(objectAt(object, "spec"), {
      finalizers: Array.isArray(finalizers) && finalizers.length > 0 ? finalizers : undefined,
    }),
  });
}

function isTerminating(object: JsonObject): boolean {
  return "deletionTimestamp" in objectAt(object, "metadata");
}

function refused(answer: ApiAnswer): Derived {
  return { kind: "refused", answer };
}

function named(kind: string, name: string): string {
  return `${kind} "${name}"`;
}
