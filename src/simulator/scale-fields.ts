/**
 * Who owns the replicas when they are changed by way of a Scale: the owners' entries are translated for the Scale and back, as
 * k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go does. An updater's identity does not survive that, since it holds
 * the apiVersion: so a scale to the same number may move its entry, which is a write (K40).
 */

import { fieldPath } from "./field-set.ts";
import type { JsonObject } from "./json.ts";
import { objectAt, withMembers } from "./json.ts";
import type { FieldOwner, FieldWriter } from "./managed-fields.ts";
import { identityOf, ownersIn, trackUpdate, withOwners } from "./managed-fields.ts";
import type { SimulatedType } from "./resource-types.ts";
import { apiVersionOf, SCALES } from "./resource-types.ts";

const REPLICAS = fieldPath(fieldPath("", "spec"), "replicas");

/** `object` has its new replicas and its old managedFields; the Scales are those before and after. */
export function trackScale(
  type: SimulatedType,
  { object, before, after }: { readonly object: JsonObject; readonly before: JsonObject; readonly after: JsonObject },
  writer: FieldWriter,
): JsonObject {
  const owners = ownersIn(object);
  const translated = owners
    .filter(({ fields }) => fields.has(REPLICAS))
    .map((owner) => ({ ...owner, apiVersion: apiVersionOf(SCALES), fields: new Set([REPLICAS]) }));
  const metadata = objectAt(after, "metadata");
  const next = withMembers(after, { metadata: withMembers(metadata, { managedFields: undefined }) });
  const tracked = trackUpdate(SCALES, { live: withOwners(before, translated), next }, writer);
  const scaled = new Map(ownersIn(tracked).map((owner) => [identityOf(owner), owner]));
  const kept = owners.flatMap((owner): readonly FieldOwner[] => {
    if (!owner.fields.has(REPLICAS) || scaled.delete(identityOf(owner))) return [owner];
    const fields = owner.fields.difference(new Set([REPLICAS]));
    return fields.size === 0 ? [] : [{ ...owner, fields }];
  });
  const moved = [...scaled.values()]
    .filter(({ fields }) => fields.has(REPLICAS))
    .map((owner) => ({ ...owner, apiVersion: apiVersionOf(type), time: "", fields: new Set([REPLICAS]) }));
  return withOwners(object, [...kept, ...moved]);
}
