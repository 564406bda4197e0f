/** An object that is there, and whom coincidences are about. */

import type { SimulatedCluster, WriteRequest } from "../../simulator/cluster.ts";
import type { JsonObject } from "../../simulator/json.ts";
import { objectAt, stringAt } from "../../simulator/json.ts";
import { CONFIG_MAPS, DEPLOYMENTS, type SimulatedType, WIDGETS } from "../../simulator/resource-types.ts";
import type { Dice } from "../dice.ts";

export interface Standing {
  /** A patch of it that says nothing yet. */
  readonly request: WriteRequest;
  readonly object: JsonObject;
}

export function named(name: string): WriteRequest["user"] {
  return { name, groups: ["system:authenticated"] };
}

/** Null: there is none of the type that was drawn. What is being deleted is not there. */
export function standing(cluster: SimulatedCluster, dice: Dice): Standing | null {
  const all = standingOf(cluster, dice.pick([CONFIG_MAPS, DEPLOYMENTS, DEPLOYMENTS, WIDGETS]));
  return all[dice.below(all.length)] ?? null;
}

export function standingOf({ store }: SimulatedCluster, type: SimulatedType): readonly Standing[] {
  return (store.list(type.key, { namespace: "", revision: store.revision }) ?? [])
    .filter(({ object }) => !("deletionTimestamp" in objectAt(object, "metadata")))
    .map(({ object }) => ({ request: requestFor(type, object), object }));
}

function requestFor(type: SimulatedType, object: JsonObject): WriteRequest {
  const metadata = objectAt(object, "metadata");
  return {
    user: named(""),
    verb: "patch",
    type,
    namespace: stringAt(metadata, "namespace"),
    name: stringAt(metadata, "name"),
    subresource: "",
    body: {},
    fieldManager: "kubectl",
    userAgent: "kubectl",
    dryRun: false,
  };
}
