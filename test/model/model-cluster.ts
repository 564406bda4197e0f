/** The model as the control plane of the comparison is set up: its types, its namespace, its users, and who is denied. */

import { SimulatedCluster } from "../../src/simulator/cluster.ts";
import type { ReviewAnswer, WriteRequest } from "../../src/simulator/cluster.ts";
import { BUILT_IN_TYPES, ENDPOINTS, NAMESPACES, PODS } from "../../src/simulator/resource-types.ts";
import { routeOf } from "../../src/simulator/route.ts";
import type { ApiAnswer } from "../../src/simulator/status.ts";
import { writeRequestOf } from "../../src/simulator/write-request.ts";
import { writeNow } from "../../src/simulator/write.ts";
import { diceOf } from "../../src/simulation/dice.ts";
import { namespace } from "../storm/kinds.ts";
import { modelTypes } from "./model-kinds.ts";
import type { HttpRequest } from "./operation.ts";

export const ALLOWED: ReviewAnswer = { answered: true, allowed: true, message: "" };

/** As test/storm/denier.ts does it. */
export function isDenied(user: string): boolean {
  return user.startsWith("denied-");
}

export interface ModelOptions {
  /** Of the first of the three namespaces that it begins with; default 1. */
  readonly revision?: number;
  readonly servers?: number;
  /** Of uids and generated names. */
  readonly seed: number;
}

export function modelCluster({ revision = 1, servers = 1, seed }: ModelOptions): SimulatedCluster {
  const others = BUILT_IN_TYPES.filter((type) => !modelTypes.some(({ kind }) => kind === type.kind));
  const cluster = new SimulatedCluster({
    clock: { nowMs: () => Date.now() },
    random: diceOf(seed).next,
    types: [...modelTypes, ...others, PODS, ENDPOINTS],
    firstRevision: revision - 1,
    servers,
  });
  cluster.setPolicy(({ user }) => (isDenied(user.name) ? "denied by the storm" : null));
  writeNow(cluster, {
    user: { name: "admin", groups: [] },
    verb: "create",
    type: NAMESPACES,
    namespace: "",
    name: "",
    subresource: "",
    body: { metadata: { name: namespace } },
    fieldManager: "",
    userAgent: "",
    dryRun: false,
  });
  return cluster;
}

export const namespacesAtFirst = 3;

/** Users are as test/controlplane/credentials.ts makes them. */
export function modelRequest(
  cluster: SimulatedCluster,
  user: string,
  { method, path, contentType, body }: HttpRequest,
): WriteRequest | ApiAnswer {
  const url = new URL(path, "https://localhost");
  const route = routeOf(cluster, url.pathname);
  if (route === null) throw new Error(`The model has no ${path}`);
  return writeRequestOf({
    user: { name: user, uid: `uid-${user}`, groups: ["system:masters", "system:authenticated"] },
    route,
    method,
    contentType,
    query: url.searchParams,
    userAgent: "",
    text: body === null ? "" : JSON.stringify(body),
  });
}
