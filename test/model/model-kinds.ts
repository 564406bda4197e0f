/** The types that are compared: the storm's, as the model knows them. */

import { CONFIG_MAPS, DEPLOYMENTS, SECRETS, WIDGETS } from "../../src/simulator/resource-types.ts";
import type { SimulatedType } from "../../src/simulator/resource-types.ts";
import { typeKeyOf } from "../../machines/messages.ts";
import type { StormKind } from "../storm/kinds.ts";
import { kinds } from "../storm/kinds.ts";

/** The storm's CRD: its schema names the replicas, and nothing else of the spec. */
const stormWidgets: SimulatedType = {
  ...WIDGETS,
  group: "storm.example.com",
  key: typeKeyOf("storm.example.com", "widgets"),
  scalable: true,
  fields: { ...WIDGETS.fields, spec: { replicas: null }, status: { replicas: null } },
};

export const modelTypes: readonly SimulatedType[] = [CONFIG_MAPS, SECRETS, DEPLOYMENTS, stormWidgets];
export const modelKinds: readonly StormKind[] = kinds.filter((kind) =>
  modelTypes.some((type) => type.kind === kind.kind),
);

export function typeMeta({ group, version, kind }: StormKind): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: group === "" ? version : `${group}/${version}`, kind };
}
