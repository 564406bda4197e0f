/** What a deletion writes while something holds the object back: the mark, and the finalizers of a propagation policy. */

import type { Json, JsonObject } from "./json.ts";
import { arrayAt, numberAt, objectAt, stringAt, withMembers } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/** The object with the finalizers that the policy stands for, and without those that it does not. */
export function withPropagationFinalizers(
  type: SimulatedType,
  object: JsonObject,
  options: JsonObject,
): { readonly object: JsonObject; readonly finalizers: readonly Json[]; readonly changed: boolean } {
  const metadata = objectAt(object, "metadata");
  const before = arrayAt(metadata, "finalizers");
  const own = before.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const wanted = propagationOf(before, options);
  const finalizers = wanted === null ? own : [...own, wanted];
  const changed = before.length !== finalizers.length || !before.every((finalizer) => finalizers.includes(finalizer));
  if (!changed || type.kind === "Event") return { object, finalizers: before, changed: false };
  return {
    object: withMembers(object, {
      metadata: withMembers(metadata, { finalizers: finalizers.length === 0 ? undefined : finalizers }),
    }),
    finalizers,
    changed,
  };
}

/** What deletion with finalizers sets; the generation moves too, where there is one. */
export function markDeleted(type: SimulatedType, object: JsonObject, time: string): JsonObject {
  const metadata = objectAt(object, "metadata");
  const before = stringAt(metadata, "deletionTimestamp");
  const generation = numberAt(metadata, "generation");
  return withMembers(object, {
    metadata: withMembers(metadata, {
      deletionTimestamp: before === "" || before > time ? time : before,
      deletionGracePeriodSeconds: 0,
      generation: type.countsGenerations ? generation + (before === "" && generation > 0 ? 1 : 0) : undefined,
    }),
  });
}

export function markNamespaceDeleted(object: JsonObject, options: JsonObject, time: string): JsonObject {
  const metadata = objectAt(object, "metadata");
  const before = arrayAt(metadata, "finalizers");
  const wanted = propagationOf(before, options);
  const others = before.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const finalizers = wanted === null ? others : [...others, wanted];
  return withMembers(object, {
    metadata: withMembers(metadata, {
      deletionTimestamp: stringAt(metadata, "deletionTimestamp") || time,
      finalizers: finalizers.length === 0 ? undefined : finalizers,
    }),
    status: withMembers(objectAt(object, "status"), { phase: "Terminating" }),
  });
}

/** The finalizer that is to be there. Without a policy one that is there stays, orphan before foreground. */
function propagationOf(finalizers: readonly Json[], options: JsonObject): string | null {
  const orphan = options["orphanDependents"];
  if (typeof orphan === "boolean") return orphan ? ORPHAN : null;
  switch (stringAt(options, "propagationPolicy")) {
    case "Orphan":
      return ORPHAN;
    case "Foreground":
      return FOREGROUND;
    case "Background":
      return null;
    default: {
      const there = finalizers.find((finalizer) => finalizer === ORPHAN || finalizer === FOREGROUND);
      return typeof there === "string" ? there : null;
    }
  }
}
