/** The autoscaling/v1 Scale of a Deployment: all that a scale request and its review show (K16). */

import type { Json, JsonObject } from "./json.ts";
import { isObject, numberAt, objectAt, stringAt, toJson, withMembers } from "./json.ts";
import { SCALES } from "./resource-types.ts";

/** 0 replicas are left out (K40). */
export function scaleOf(object: JsonObject, revision: number): JsonObject {
  const metadata = objectAt(object, "metadata");
  const spec = objectAt(object, "spec");
  const replicas = numberAt(spec, "replicas");
  const labels = objectAt(objectAt(spec, "selector"), "matchLabels");
  const selector = Object.keys(labels)
    .toSorted()
    .map((key) => `${key}=${stringAt(labels, key)}`)
    .join(",");
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name: metadata["name"] ?? "",
      namespace: metadata["namespace"] ?? "",
      uid: metadata["uid"] ?? "",
      resourceVersion: String(revision),
      creationTimestamp: metadata["creationTimestamp"] ?? null,
    },
    spec: replicas === 0 ? {} : { replicas },
    status: withMembers(
      { replicas: numberAt(objectAt(object, "status"), "replicas") },
      { selector: selector === "" ? undefined : selector },
    ),
  };
}

export function scaleText(object: JsonObject, revision: number): string {
  return toJson(scaleOf(object, revision), SCALES.layout);
}

/** The replicas that a Scale asks for; null where it says nonsense. */
export function replicasOf(scale: Json): number | null {
  const spec = isObject(scale) ? objectAt(scale, "spec") : {};
  const replicas = spec["replicas"] ?? 0;
  return typeof replicas === "number" && Number.isInteger(replicas) && replicas >= 0 ? replicas : null;
}
