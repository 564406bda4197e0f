/** What an update makes of the current object: the patch applied, who owns the fields, what the strategy of the type puts back. */

import type { SimulatedCluster, WriteRequest } from "./cluster.ts";
import { decode } from "./decode.ts";
import type { Json, JsonObject } from "./json.ts";
import { isObject, mergePatch, objectAt, stringAt, withMembers } from "./json.ts";
import { jsonPatch } from "./json-patch.ts";
import type { FieldWriter } from "./managed-fields.ts";
import { applyConfiguration, trackUpdate, withOldTimes } from "./managed-fields.ts";
import type { Rendered } from "./rendered.ts";
import { render } from "./rendered.ts";
import { replicasOf, scaleOf } from "./scale.ts";
import { trackScale } from "./scale-fields.ts";
import type { ApiAnswer } from "./status.ts";
import { conflict, failure, named } from "./status.ts";
import type { Version } from "./store.ts";
import { prepareForUpdate } from "./strategy.ts";
import { refuseInvalid } from "./validation.ts";

export type Derived =
  | { readonly kind: "object"; readonly rendered: Rendered }
  | { readonly kind: "refused"; readonly answer: ApiAnswer };

/** The object that is asked for, its metadata.resourceVersion as the request has it. */
type Wanted = { readonly kind: "object"; readonly object: JsonObject } | Exclude<Derived, { readonly kind: "object" }>;

export function derive(cluster: SimulatedCluster, request: WriteRequest, current: Version): Derived {
  const { type, subresource } = request;
  const scales = subresource === "scale";
  const wanted = scales ? scaled(cluster, request, current) : changed(cluster, request, current);
  if (wanted.kind === "refused") return wanted;
  const version = stringAt(objectAt(wanted.object, "metadata"), "resourceVersion");
  if (version === "" && !type.unconditionalUpdate) {
    const detail = "metadata.resourceVersion: Invalid value: 0: must be specified for an update";
    return refused(failure("Invalid", `${named(type, request.name)} is invalid: ${detail}`));
  }
  if (version !== "" && version !== String(current.revision)) return refused(conflict(type, request.name));
  const next = { current: current.object, next: wanted.object, subresource: scales ? "" : subresource };
  const prepared = prepareForUpdate(type, next);
  const invalid = refuseInvalid(type, prepared, current.object);
  if (invalid !== null) return refused(invalid);
  return { kind: "object", rendered: render(withOldTimes(current.object, prepared), type.layout) };
}

export function writerOf(cluster: SimulatedCluster, request: WriteRequest): FieldWriter {
  const { fieldManager, userAgent, subresource } = request;
  return { manager: fieldManager || userAgent, subresource, time: cluster.timestamp() };
}

function changed(cluster: SimulatedCluster, request: WriteRequest, current: Version): Wanted {
  const { type } = request;
  const writer = writerOf(cluster, request);
  const live = versioned(current.object, current.revision);
  if (request.patch?.kind === "apply") {
    const { force } = request.patch;
    const applied = applyConfiguration(type, { live, configuration: request.body }, { writer, force });
    if (applied.kind === "applied") return { kind: "object", object: decode(type, applied.object) };
    return refused(failure("Conflict", `Apply failed with ${applied.managers.length} conflicts`));
  }
  const next = request.verb === "patch" ? patched(live, request) : request.body;
  if (next === null || !isObject(next)) {
    return refused(failure("Invalid", "the server rejected our request due to an error in our request"));
  }
  return { kind: "object", object: trackUpdate(type, { live, next: decode(type, next) }, writer) };
}

function scaled(cluster: SimulatedCluster, request: WriteRequest, current: Version): Wanted {
  const { type } = request;
  const { object, revision } = current;
  const before = scaleOf(object, revision);
  const next = request.verb === "patch" ? patched(before, request) : request.body;
  // A custom resource that has no number yet must be given one.
  const unset = type.layout === null && !("replicas" in objectAt(object, "spec"));
  if (unset && request.verb === "patch" && !("replicas" in objectAt(next ?? {}, "spec"))) {
    return refused(failure("BadRequest", `the spec replicas field ".spec.replicas" cannot be empty`));
  }
  const replicas = next === null ? null : replicasOf(next);
  if (replicas === null || !isObject(next)) {
    const detail = "spec.replicas: Invalid value: must be a whole number >= 0";
    return refused(failure("Invalid", `Scale "${request.name}" is invalid: ${detail}`));
  }
  const given = objectAt(next, "metadata");
  const uid = stringAt(given, "uid");
  // Of a custom resource the uid is not looked at.
  const foreign = type.layout !== null && uid !== "" && uid !== stringAt(objectAt(object, "metadata"), "uid");
  if (foreign) return refused(conflict(type, request.name));
  const grown = withMembers(object, { spec: withMembers(objectAt(object, "spec"), { replicas }) });
  const after = scaleOf(grown, revision);
  const tracked = trackScale(type, { object: grown, before, after }, writerOf(cluster, request));
  const version = stringAt(given, "resourceVersion");
  const own = version === "" && type.layout === null ? String(revision) : version;
  return { kind: "object", object: versioned(tracked, own) };
}

function patched(target: JsonObject, { body, patch }: WriteRequest): Json | null {
  return patch?.kind === "json" ? jsonPatch(target, patch.operations) : mergePatch(target, body);
}

function versioned(object: JsonObject, revision: number | string): JsonObject {
  const resourceVersion = revision === "" ? undefined : String(revision);
  return withMembers(object, { metadata: withMembers(objectAt(object, "metadata"), { resourceVersion }) });
}

function refused(answer: ApiAnswer): Derived & Wanted {
  return { kind: "refused", answer };
}
