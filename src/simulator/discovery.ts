/** Discovery in its plain form: what a client reads to learn the types. */

import type { Json } from "./json.ts";
import { toJson } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";
import type { ApiAnswer } from "./status.ts";

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/** What the simulator plays. */
const SIMULATED_VERSION = { major: "1", minor: "36", gitVersion: "v1.36.3" };

/** Null where the path is none of discovery's. */
export function discover(types: readonly SimulatedType[], path: string): ApiAnswer | null {
  if (path === "/version") return answer(SIMULATED_VERSION);
  if (path === "/api") return answer({ kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] });
  if (path === "/apis") return answer({ kind: "APIGroupList", apiVersion: "v1", groups: groupsOf(types) });
  if (path === "/api/v1") return resources(types.filter(({ group }) => group === ""));
  const match = /^\/apis\/([^/]+)(?:\/([^/]+))?$/.exec(path);
  const group = match?.[1];
  if (group === undefined) return null;
  const served = types.filter(
    (type) => type.group === group && (match?.[2] === undefined || type.version === match[2]),
  );
  if (served.length === 0) return null;
  if (match?.[2] !== undefined) return resources(served);
  return answer({ ...groupsOf(served)[0], kind: "APIGroup", apiVersion: "v1" });
}

function groupsOf(types: readonly SimulatedType[]): readonly { readonly [key: string]: Json }[] {
  const names = [...new Set(types.map(({ group }) => group).filter((group) => group !== ""))];
  return names.map((name) => {
    const versions = [...new Set(types.filter(({ group }) => group === name).map(({ version }) => version))];
    const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
    return { name, versions: entries, preferredVersion: entries[0] ?? {} };
  });
}

function resources(types: readonly SimulatedType[]): ApiAnswer {
  const first = types[0];
  const groupVersion =
    first === undefined ? "v1" : first.group === "" ? first.version : `${first.group}/${first.version}`;
  return answer({ kind: "APIResourceList", apiVersion: "v1", groupVersion, resources: types.flatMap(entriesOf) });
}

function entriesOf(type: SimulatedType): readonly Json[] {
  const own = {
    name: type.resource,
    singularName: type.singular,
    namespaced: type.namespaced,
    kind: type.kind,
    verbs: type.kind === "Namespace" ? VERBS.filter((verb) => verb !== "deletecollection") : VERBS,
    shortNames: type.shortNames,
  };
  const part = (name: string, kind: string) => ({
    name: `${type.resource}/${name}`,
    singularName: "",
    namespaced: type.namespaced,
    kind,
    verbs: ["get", "patch", "update"],
  });
  const scale = type.scalable ? [{ ...part("scale", "Scale"), group: "autoscaling", version: "v1" }] : [];
  const status = type.statusSubresource ? [part("status", type.kind)] : [];
  const finalize = type.kind === "Namespace" ? [{ ...part("finalize", "Namespace"), verbs: ["update"] }] : [];
  return [own, ...finalize, ...scale, ...status];
}

function answer(body: Json): ApiAnswer {
  const layout = { kind: null, apiVersion: null, groupVersion: null };
  return { status: 200, body: `${toJson(body, layout)}\n` };
}
