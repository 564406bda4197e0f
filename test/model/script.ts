/** Lives that random operations do not lead, on types of their own: Pods with time to go, Services with Endpoints, Namespaces. */

import type { JsonObject } from "../../src/simulator/json.ts";
import { arrayAt, numberAt, objectAt, parseJson, stringAt } from "../../src/simulator/json.ts";
import type { StormKind } from "../storm/kinds.ts";
import { collectionPath, kinds } from "../storm/kinds.ts";
import type { HttpRequest } from "./operation.ts";

const plain = { version: "v1", group: "", scalable: false, status: null, blindPut: true };

const pods: StormKind = {
  ...plain,
  resource: "pods",
  kind: "Pod",
  namespaced: true,
  content: () => ({ spec: { containers: [{ name: "main", image: "example.com/app:v1" }] } }),
};
const endpoints: StormKind = {
  ...plain,
  resource: "endpoints",
  kind: "Endpoints",
  namespaced: true,
  content: () => ({}),
};
const namespaces: StormKind = {
  ...plain,
  resource: "namespaces",
  kind: "Namespace",
  namespaced: false,
  content: () => ({}),
};
const [services = pods] = kinds.filter(({ kind }) => kind === "Service");

export const scriptKinds: readonly StormKind[] = [pods, services, endpoints, namespaces];

const json = "application/json";
const merge = "application/merge-patch+json";

function create(
  kind: StormKind,
  name: string,
  more: { readonly spec?: JsonObject; readonly metadata?: JsonObject } = {},
) {
  const content = kind.content(0, 0);
  const spec = more.spec === undefined ? {} : { spec: { ...objectAt(content, "spec"), ...more.spec } };
  const body = { ...content, ...spec, metadata: { name, ...more.metadata } };
  return { method: "POST", path: collectionPath(kind), contentType: json, body } as const;
}

function remove(kind: StormKind, name: string, options: object | null = null): HttpRequest {
  return { method: "DELETE", path: `${collectionPath(kind)}/${name}`, contentType: json, body: options };
}

function patch(kind: StormKind, name: string, body: object): HttpRequest {
  return { method: "PATCH", path: `${collectionPath(kind)}/${name}`, contentType: merge, body };
}

const held = { finalizers: ["example.com/hold"] };
const released = { metadata: { finalizers: null } };
const bound = { nodeName: "node-1" };

export const script: readonly (readonly [string, HttpRequest])[] = [
  ["a Pod on a node", create(pods, "bound", { spec: bound })],
  ["is to go", remove(pods, "bound")],
  ["again: nothing", remove(pods, "bound")],
  ["longer: nothing", remove(pods, "bound", { gracePeriodSeconds: 60 })],
  ["sooner", remove(pods, "bound", { gracePeriodSeconds: 10 })],
  ["says the kubelet", remove(pods, "bound", { gracePeriodSeconds: 0 })],
  ["a Pod on no node", create(pods, "loose")],
  ["goes at once", remove(pods, "loose")],
  ["a Pod that is held", create(pods, "held", { spec: bound, metadata: held })],
  ["is to go", remove(pods, "held")],
  ["and released, still has its time", patch(pods, "held", released)],
  ["says the kubelet", remove(pods, "held", { gracePeriodSeconds: 0 })],
  ["a Pod that is held on no node", create(pods, "held-loose", { metadata: held })],
  ["is to go", remove(pods, "held-loose")],
  ["and released", patch(pods, "held-loose", released)],
  ["a Pod to be deleted in the foreground", create(pods, "front", { spec: bound })],
  ["in the foreground", remove(pods, "front", { propagationPolicy: "Foreground" })],
  ["by force", remove(pods, "front", { gracePeriodSeconds: 0, propagationPolicy: "Background" })],
  ["a Service", create(services, "s")],
  ["and its Endpoints", create(endpoints, "s")],
  ["go together", remove(services, "s")],
  ["a Service by PUT", { ...create(services, "put"), method: "PUT", path: `${collectionPath(services)}/put` }],
  ["goes", remove(services, "put", { propagationPolicy: "Orphan" })],
  ["is orphaned", patch(services, "put", released)],
  ["a Namespace", create(namespaces, "team")],
  ["is to go", remove(namespaces, "team")],
  ["again", remove(namespaces, "team")],
  ["takes nothing new", { ...create(endpoints, "late"), path: "/api/v1/namespaces/team/endpoints" }],
  [
    "is finalized",
    {
      method: "PUT",
      path: "/api/v1/namespaces/team/finalize",
      contentType: json,
      body: { kind: "Namespace", apiVersion: "v1", metadata: { name: "team" }, spec: { finalizers: [] } },
    },
  ],
  ["a Namespace that is held", create(namespaces, "held", { metadata: held })],
  ["is to go, orphaning", remove(namespaces, "held", { propagationPolicy: "Orphan" })],
  [
    "is finalized, and stays",
    {
      method: "PUT",
      path: "/api/v1/namespaces/held/finalize",
      contentType: json,
      body: { kind: "Namespace", apiVersion: "v1", metadata: { name: "held", ...held }, spec: { finalizers: [] } },
    },
  ],
  ["goes with its last finalizer", patch(namespaces, "held", released)],
];

/** What of a review and a frame belongs to the life of an object; the rest is defaults of many fields, which are not modelled. */
export function lifeOf(text: string): string {
  const whole = parseJson(text);
  const review = objectAt(whole, "request");
  if (Object.keys(review).length === 0) return `${stringAt(whole, "type")} ${stateOf(objectAt(whole, "object"))}`;
  const { gracePeriodSeconds, preconditions } = objectAt(review, "options");
  const options = `grace ${JSON.stringify(gracePeriodSeconds ?? null)}, ${preconditions === undefined ? "any" : "conditional"}`;
  const states = [objectAt(review, "object"), objectAt(review, "oldObject")].map(stateOf).join(" over ");
  return `${stringAt(review, "operation")} ${stringAt(review, "subResource")} ${states}, ${options}`;
}

function stateOf(object: JsonObject): string {
  const metadata = objectAt(object, "metadata");
  if (Object.keys(metadata).length === 0) return "nothing";
  // A Namespace's come out of a map of Go, in any order.
  const own = [...arrayAt(metadata, "finalizers"), ...arrayAt(objectAt(object, "spec"), "finalizers")]
    .map((finalizer) => JSON.stringify(finalizer))
    .sort()
    .join("+");
  const going = "deletionTimestamp" in metadata ? `, going in ${numberAt(metadata, "deletionGracePeriodSeconds")}` : "";
  const generation = numberAt(metadata, "generation");
  return `${stringAt(object, "kind")} ${stringAt(metadata, "name")} ${generation} [${own}]${going}`;
}
