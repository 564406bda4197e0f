/** GET of one object or its Scale, from the store. */

import type { SimulatedCluster } from "./cluster.ts";
import { objectAt } from "./json.ts";
import { textOf } from "./rendered.ts";
import type { Route } from "./route.ts";
import { scaleText } from "./scale.ts";
import type { ApiAnswer } from "./status.ts";
import { failure, notFound } from "./status.ts";

export function getObject(cluster: SimulatedCluster, { type, namespace, name, subresource }: Route): ApiAnswer {
  const version = cluster.store.get({ typeKey: type.key, namespace, name });
  if (version === null) return notFound(type, name);
  // What has no number of replicas has no Scale to read, though it can be scaled.
  if (subresource === "scale" && !("replicas" in objectAt(version.object, "spec"))) {
    return failure("InternalError", `Internal error occurred: the spec replicas field ".spec.replicas" does not exist`);
  }
  const text =
    subresource === "scale" ? scaleText(version.object, version.revision) : textOf(version, version.revision);
  return { status: 200, body: `${text}\n` };
}
