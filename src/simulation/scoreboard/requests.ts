/** What the scoreboard's users ask for: two kinds of objects, read, thought over, and written. */

import type { WriteRequest } from "../../simulator/cluster.ts";
import type { Json, JsonObject } from "../../simulator/json.ts";
import { objectAt, withMembers } from "../../simulator/json.ts";
import { CONFIG_MAPS, DEPLOYMENTS } from "../../simulator/resource-types.ts";
import type { SimulatedType } from "../../simulator/resource-types.ts";
import type { Version } from "../../simulator/store.ts";
import type { Dice } from "../dice.ts";
import type { Load } from "./cell.ts";

export const writtenTypes = [CONFIG_MAPS, DEPLOYMENTS] as const;
export const namespace = "team";
/** API servers; each has a watch cache of its own. */
export const servers = 2;

/** What a user sets out to do; the same when it is tried again. */
export interface Intent {
  readonly user: string;
  readonly type: SimulatedType;
  readonly name: string;
  readonly dryRun: boolean;
  /** Draws what is to change; each try draws the same. */
  readonly what: number;
  readonly value: string;
  /** Replicas are set by `/scale`, as kubectl and autoscalers do. */
  readonly scales: boolean;
  readonly server: number;
}

/** Images and settings that are rolled out and back: other users write them, too. */
const sharedValues = ["v1", "v2", "v3"] as const;
const sharedShare = 0.5;
const dryRuns = 0.05;

export function intentOf(
  { user, number, load }: { readonly user: string; readonly number: number; readonly load: Load },
  dice: Dice,
): Intent {
  return {
    user,
    type: dice.pick(writtenTypes),
    name: `name-${dice.below(load.names)}`,
    dryRun: dice.chance(dryRuns),
    what: dice.below(100),
    value: dice.chance(sharedShare) ? dice.pick(sharedValues) : `own-${number}`,
    scales: load.conditions !== "ideal",
    server: dice.below(servers),
  };
}

/** The request for it, after `read`; null is an object that is not there. */
export function requestOf(
  { user, type, name, dryRun, what, value, scales, server }: Intent,
  read: Version | null,
): WriteRequest {
  const request: WriteRequest = {
    user: { name: user, groups: ["system:authenticated"] },
    verb: "patch",
    type,
    namespace,
    name,
    subresource: "",
    body: {},
    fieldManager: "kubectl",
    userAgent: "kubectl",
    dryRun,
    server,
  };
  if (read === null)
    return { ...request, verb: "create", name: "", body: { metadata: { name }, ...content(type, value) } };
  if (what < 8) return { ...request, verb: "delete" };
  // No change at all, as controllers and `kubectl apply` ask for all day.
  if (what < 14) return request;
  if (what < 22) return { ...request, body: { metadata: { labels: { release: value } } } };
  if (what < 32 && type === DEPLOYMENTS && scales)
    return { ...request, subresource: "scale", body: { spec: { replicas: value.length } } };
  if (what < 44 && type === DEPLOYMENTS)
    return { ...request, subresource: "status", body: { status: { observed: value } } };
  if (what < 72) return { ...request, body: content(type, value) };
  return { ...request, verb: "update", body: replaced(read, content(type, value)) };
}

/** As `kubectl edit` writes it: with the version that was read. */
function replaced(read: Version, changed: JsonObject): JsonObject {
  const metadata = withMembers(objectAt(read.object, "metadata"), { resourceVersion: String(read.revision) });
  return withMembers(read.object, { metadata, ...changed });
}

function content(type: SimulatedType, value: string): Record<string, Json> {
  if (type === CONFIG_MAPS) return { data: { setting: value } };
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: `web:${value}` }] } };
  return { spec: { selector: { matchLabels: labels }, template } };
}
