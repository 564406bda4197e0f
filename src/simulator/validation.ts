/** What the API server refuses with 422 before anybody is asked; of its many rules those that ordinary writers run into. */

import type { JsonObject } from "./json.ts";
import { arrayAt, equalJson, isObject, objectAt, stringAt } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";
import type { ApiAnswer } from "./status.ts";
import { failure } from "./status.ts";

/** `current` is null for a creation. Null: nothing is wrong. */
export function refuseInvalid(type: SimulatedType, object: JsonObject, current: JsonObject | null): ApiAnswer | null {
  const wrong = wrongMetadata(object, current) ?? wrongContent(type, object, current);
  const name = stringAt(objectAt(object, "metadata"), "name");
  return wrong === null ? null : failure("Invalid", `${type.kind} "${name}" is invalid: ${wrong}`);
}

function wrongMetadata(object: JsonObject, current: JsonObject | null): string | null {
  if (current === null) return null;
  const before = objectAt(current, "metadata");
  const held = arrayAt(before, "finalizers");
  const added = arrayAt(objectAt(object, "metadata"), "finalizers").some((finalizer) => !held.includes(finalizer));
  return "deletionTimestamp" in before && added
    ? "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted"
    : null;
}

function wrongContent(type: SimulatedType, object: JsonObject, current: JsonObject | null): string | null {
  switch (type.kind) {
    case "Secret":
      return current === null || equalJson(object["type"], current["type"]) ? null : "type: field is immutable";
    case "Service":
      return arrayAt(objectAt(object, "spec"), "ports").length === 0 ? "spec.ports: Required value" : null;
    case "Pod":
      return wrongPod(objectAt(object, "spec"), "spec");
    case "Deployment":
      return wrongDeployment(objectAt(object, "spec"), current === null ? null : objectAt(current, "spec"));
    default:
      return null;
  }
}

function wrongDeployment(spec: JsonObject, current: JsonObject | null): string | null {
  const wanted = objectAt(objectAt(spec, "selector"), "matchLabels");
  const labels = objectAt(objectAt(objectAt(spec, "template"), "metadata"), "labels");
  if (Object.keys(objectAt(spec, "selector")).length === 0) return "spec.selector: Required value";
  if (Object.keys(wanted).some((key) => !equalJson(wanted[key], labels[key]))) {
    return "spec.template.metadata.labels: `selector` does not match template `labels`";
  }
  if (current !== null && !equalJson(spec["selector"], current["selector"])) return "spec.selector: field is immutable";
  return wrongPod(objectAt(objectAt(spec, "template"), "spec"), "spec.template.spec");
}

function wrongPod(spec: JsonObject, at: string): string | null {
  const containers = arrayAt(spec, "containers").filter(isObject);
  if (containers.length === 0) return `${at}.containers: Required value`;
  const incomplete = containers.some((one) => stringAt(one, "name") === "" || stringAt(one, "image") === "");
  return incomplete ? `${at}.containers: Required value: name and image` : null;
}
