/** What the users of the simulated cluster ask for: contention on few names, of every kind of write that the model knows. */

import type { SimulatedCluster, WriteRequest } from "../simulator/cluster.ts";
import { nextControllerRequest } from "../simulator/controllers.ts";
import type { Json, JsonObject } from "../simulator/json.ts";
import { arrayAt, objectAt, withMembers } from "../simulator/json.ts";
import {
  BUILT_IN_TYPES,
  CONFIG_MAPS,
  DEPLOYMENTS,
  NAMESPACES,
  type SimulatedType,
  WIDGETS,
} from "../simulator/resource-types.ts";
import type { Dice } from "./dice.ts";

const gadgets: SimulatedType = {
  ...WIDGETS,
  resource: "gadgets",
  kind: "Gadget",
  singular: "gadget",
  key: "example.com/gadgets" as SimulatedType["key"],
  namespaced: false,
};
export const types: readonly SimulatedType[] = [...BUILT_IN_TYPES, gadgets];
/** The same, but that widgets have a scale. */
export const scalableTypes = types.map((type) => (type === WIDGETS ? { ...WIDGETS, scalable: true } : type));
const secrets = types.find(({ kind }) => kind === "Secret") ?? CONFIG_MAPS;

const busyTypes = [CONFIG_MAPS, CONFIG_MAPS, CONFIG_MAPS, DEPLOYMENTS, DEPLOYMENTS, secrets, WIDGETS, gadgets] as const;
const users = ["alice@example.com", "bob", "carol", "system:serviceaccount:a:robot", "dave"] as const;
const names = ["one", "two", "three"] as const;
/** Few: two users may well be the same program, and write the same bytes within a second (K37). */
const managers = ["kubectl", "kubectl", "kubectl", "robot"] as const;

export function nextRequest(cluster: SimulatedCluster, dice: Dice): WriteRequest {
  const controllers = dice.chance(0.1) ? nextControllerRequest(cluster) : null;
  return controllers ?? nextUserRequest(cluster, dice);
}

function nextUserRequest(cluster: SimulatedCluster, dice: Dice): WriteRequest {
  const drawn = dice.chance(0.03) ? NAMESPACES : dice.pick(busyTypes);
  const type = cluster.types.find(({ key }) => key === drawn.key) ?? drawn;
  const namespace = type.namespaced ? dice.pick(["a", "a", "b"]) : "";
  const name = type === NAMESPACES ? dice.pick(["a", "b", "c"]) : dice.pick(names);
  const request: WriteRequest = {
    user: { name: dice.pick(users), groups: ["system:authenticated"] },
    verb: "update",
    type,
    namespace,
    name,
    subresource: "",
    body: {},
    fieldManager: dice.pick(managers),
    userAgent: "kubectl",
    dryRun: dice.chance(0.04),
  };
  const current = cluster.store.get({ typeKey: type.key, namespace, name })?.object ?? null;
  if (current === null) return creation(request, dice);
  return dice.chance(0.1) ? creation(request, dice) : changeOf(request, { ...current }, dice, cluster);
}

export function titleOf({ user, verb, type, namespace, name, subresource, dryRun }: WriteRequest): string {
  const place = namespace === "" ? name : `${namespace}/${name}`;
  const what = `${type.resource}${subresource === "" ? "" : `/${subresource}`} ${place}`;
  return `${user.name}: ${verb} ${what}${dryRun ? " (dry run)" : ""}`;
}

function creation(request: WriteRequest, dice: Dice): WriteRequest {
  const { type, name } = request;
  const generated = type === CONFIG_MAPS && dice.chance(0.15);
  const metadata = {
    ...(generated ? { generateName: "made-" } : { name }),
    ...(dice.chance(0.2) ? { finalizers: ["example.com/hold"] } : {}),
    ...(dice.chance(0.3) ? { labels: { team: dice.pick(["x", "y"]) } } : {}),
  };
  const body = type === NAMESPACES ? { metadata } : { metadata, ...content(type, dice) };
  return { ...request, verb: "create", name: "", body };
}

function changeOf(request: WriteRequest, current: JsonObject, dice: Dice, cluster: SimulatedCluster): WriteRequest {
  const { type } = request;
  const metadata = objectAt(current, "metadata");
  const finalizers = arrayAt(metadata, "finalizers");
  if ("deletionTimestamp" in metadata && dice.chance(0.5)) return released(request, current, dice);
  const kind = dice.below(20);
  if (kind < 3 && type !== NAMESPACES) return { ...request, verb: "delete", body: policy(dice) };
  if (kind < 1) return { ...request, verb: "delete" };
  if (kind === 3 && dice.chance(0.3) && type !== NAMESPACES) return { ...request, verb: "deletecollection", name: "" };
  if (kind === 4) {
    const held = finalizers.length > 0 ? [] : ["example.com/hold"];
    return { ...request, verb: "patch", body: { metadata: { finalizers: held } } };
  }
  if (kind < 8 && type.statusSubresource) {
    const status = { observed: dice.below(3) };
    const annotations = dice.chance(0.3) ? { metadata: { annotations: { seen: String(dice.below(3)) } } } : {};
    return { ...request, verb: "patch", subresource: "status", body: { status, ...annotations } };
  }
  if (kind < 12 && type.scalable) {
    return { ...request, verb: "patch", subresource: "scale", body: { spec: { replicas: dice.below(3) } } };
  }
  if (kind === 12)
    return { ...request, verb: "patch", body: { metadata: { labels: { team: dice.pick(["x", "y"]) } } } };
  if (kind === 13) return { ...request, verb: "patch", body: {} };
  if (kind < 16 || type === NAMESPACES) return { ...request, verb: "patch", body: content(type, dice) };
  const version = cluster.store.get({ typeKey: type.key, namespace: request.namespace, name: request.name });
  const conditional = !type.unconditionalUpdate || dice.chance(0.5);
  const own = withMembers(metadata, conditional ? { resourceVersion: String(version?.revision ?? 0) } : {});
  return { ...request, body: withMembers(current, { metadata: own, ...content(type, dice) }) };
}

function released(request: WriteRequest, current: JsonObject, dice: Dice): WriteRequest {
  if (request.type === NAMESPACES)
    return { ...request, subresource: "finalize", body: withMembers(current, { spec: { finalizers: [] } }) };
  if (dice.chance(0.2)) return { ...request, verb: "delete" };
  return { ...request, verb: "patch", body: { metadata: { finalizers: null } } };
}

function policy(dice: Dice): JsonObject {
  const chosen = dice.pick(["", "", "Background", "Foreground", "Orphan"]);
  return chosen === "" ? {} : { propagationPolicy: chosen };
}

/** Few values: a change may well be undone, or be no change. */
function content(type: SimulatedType, dice: Dice): Record<string, Json> {
  const value = `v${dice.below(4)}`;
  switch (type.kind) {
    case "ConfigMap":
      return { data: { key: value, ...(dice.chance(0.1) ? { "odd\u2028<&>": "é\n" } : {}) } };
    case "Secret":
      return { stringData: { [dice.pick(["p", "q"])]: value } };
    case "Deployment": {
      const labels = { app: "web" };
      const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: `web:${value}` }] } };
      return { spec: { replicas: dice.below(3), selector: { matchLabels: labels }, template } };
    }
    case "Namespace":
      return { metadata: { annotations: { note: value } } };
    default:
      return { spec: { value, size: dice.pick([1, 2.5, 3]) } };
  }
}
