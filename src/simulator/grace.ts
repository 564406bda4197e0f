/** Graceful deletion (Pods), as rest.BeforeDelete decides it: the mark says how long whoever runs it has; then comes a DELETE with 0. */

import type { SimulatedCluster } from "./cluster.ts";
import type { JsonObject } from "./json.ts";
import { numberAt, objectAt, stringAt, withMembers } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";

export interface Grace {
  /** `pending`: somebody else's deletion is under way, and this one changes nothing. */
  readonly kind: "none" | "graceful" | "pending";
  /** Marked, if it is graceful. */
  readonly object: JsonObject;
  /** DeleteOptions with the seconds filled in. */
  readonly options: JsonObject;
}

const TERMINATED = ["Succeeded", "Failed"];

export function graceOf(
  { deletedGracefully }: SimulatedType,
  object: JsonObject,
  options: JsonObject,
  cluster: SimulatedCluster,
): Grace {
  const none: Grace = { kind: "none", object, options };
  if (!deletedGracefully) return none;
  const metadata = objectAt(object, "metadata");
  const given = options["gracePeriodSeconds"];
  if ("deletionTimestamp" in metadata) {
    const left = numberAt(metadata, "deletionGracePeriodSeconds");
    if (left === 0) return none;
    if (typeof given !== "number") {
      return { kind: "pending", object, options: withMembers(options, { gracePeriodSeconds: left }) };
    }
    return given >= left ? { kind: "pending", object, options } : shortened(object, { given, left }, cluster, options);
  }
  const period = periodOf(object, typeof given === "number" ? given : null);
  const generation = numberAt(metadata, "generation");
  return {
    kind: "graceful",
    options: withMembers(options, { gracePeriodSeconds: period }),
    object: withMembers(object, {
      metadata: withMembers(metadata, {
        deletionTimestamp: cluster.timestamp(period),
        deletionGracePeriodSeconds: period,
        generation: generation > 0 ? generation + 1 : undefined,
      }),
    }),
  };
}

/** Seconds. A Pod that was never bound to a node, or has ended, goes at once. */
function periodOf(object: JsonObject, given: number | null): number {
  const spec = objectAt(object, "spec");
  const idle = stringAt(spec, "nodeName") === "" || TERMINATED.includes(stringAt(objectAt(object, "status"), "phase"));
  const period = idle ? 0 : (given ?? numberAt(spec, "terminationGracePeriodSeconds"));
  return period < 0 ? 1 : period;
}

/** The time to go can only become shorter, and never lies in the past. */
function shortened(
  object: JsonObject,
  { given, left }: { readonly given: number; readonly left: number },
  cluster: SimulatedCluster,
  options: JsonObject,
): Grace {
  const metadata = objectAt(object, "metadata");
  const end = Temporal.Instant.from(stringAt(metadata, "deletionTimestamp")).add({ seconds: given - left });
  const now = Temporal.Instant.from(cluster.timestamp());
  const late = Temporal.Instant.compare(end, now) < 0;
  return {
    kind: "graceful",
    options,
    object: withMembers(object, {
      metadata: withMembers(metadata, {
        deletionTimestamp: (late ? now : end).toString({ smallestUnit: "second" }),
        deletionGracePeriodSeconds: late && given !== 0 ? 1 : given,
      }),
    }),
  };
}
