import type { ReviewAnswer, WriteRequest } from "../../src/simulator/cluster.ts";
import { SimulatedCluster } from "../../src/simulator/cluster.ts";
import type { JsonObject } from "../../src/simulator/json.ts";
import { CONFIG_MAPS } from "../../src/simulator/resource-types.ts";

export const ALLOWED: ReviewAnswer = { answered: true, allowed: true, message: "" };

/** A cluster on a clock that stands still until told, with a small generator of its own. */
export function clusterAt(options: { readonly random?: () => number; readonly servers?: number } = {}) {
  let nowMs = 1_767_323_045_678;
  let state = 1;
  const random =
    options.random ??
    (() => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    });
  const cluster = new SimulatedCluster({ clock: { nowMs: () => nowMs }, random, servers: options.servers ?? 1 });
  const advance = (ms: number) => {
    nowMs += ms;
  };
  return { cluster, advance };
}

export function requestOf(part: Partial<WriteRequest>): WriteRequest {
  return {
    user: { name: "alice@example.com", groups: ["system:authenticated"] },
    verb: "create",
    type: CONFIG_MAPS,
    namespace: "default",
    name: "",
    subresource: "",
    body: {},
    fieldManager: "kubectl-create",
    userAgent: "kubectl",
    dryRun: false,
    ...part,
  };
}

export function configMap(name: string, data: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
}

export function deployment(name: string, replicas: number): JsonObject {
  const labels = { app: name };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: "main", image: "registry.example.com/web:1" }] },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

/** The raw object of a frame. */
export function objectIn(frame: string): string {
  return frame.slice(frame.indexOf(`"object":`) + 9, frame.lastIndexOf("}"));
}

export function withoutVersion(text: string): string {
  return text.replace(/"resourceVersion":"\d+",/, "");
}
