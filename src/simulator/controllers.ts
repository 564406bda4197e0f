/**
 * What kube-controller-manager would ask for next: the content of terminating namespaces, dependents of what is gone or on its way,
 * the finalizers that stand for that work (K34). Pure: it reads the store, and whoever drives the model sends the request.
 */

import type { SimulatedCluster, WriteRequest } from "./cluster.ts";
import type { JsonObject } from "./json.ts";
import { arrayAt, isObject, objectAt, stringAt, withMembers } from "./json.ts";
import type { SimulatedType } from "./resource-types.ts";
import { NAMESPACES } from "./resource-types.ts";
import type { Version } from "./store.ts";

/** Null: nothing is to be done. */
export function nextControllerRequest(cluster: SimulatedCluster): WriteRequest | null {
  return nextOfNamespaces(cluster) ?? nextOfGarbage(cluster);
}

interface Live {
  readonly type: SimulatedType;
  readonly version: Version;
  readonly metadata: JsonObject;
}

function requestBy(controller: string, { type, metadata }: Pick<Live, "type" | "metadata">): WriteRequest {
  const name = `system:serviceaccount:kube-system:${controller}`;
  return {
    user: { name, groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"] },
    verb: "delete",
    type,
    namespace: stringAt(metadata, "namespace"),
    name: stringAt(metadata, "name"),
    subresource: "",
    body: {},
    fieldManager: "",
    userAgent: "kube-controller-manager",
    dryRun: false,
  };
}

/** Empties a terminating namespace, type after type, and then lets it go. */
function nextOfNamespaces(cluster: SimulatedCluster): WriteRequest | null {
  for (const { version, metadata } of liveOf(cluster, NAMESPACES, "")) {
    const spec = objectAt(version.object, "spec");
    if (!("deletionTimestamp" in metadata) || arrayAt(spec, "finalizers").length === 0) continue;
    const name = stringAt(metadata, "name");
    const left = cluster.types.filter((type) => type.namespaced).flatMap((type) => liveOf(cluster, type, name));
    const content = left.find((one) => !("deletionTimestamp" in one.metadata));
    if (content !== undefined) {
      const request = requestBy("namespace-controller", content);
      return { ...request, verb: "deletecollection", name: "", body: { propagationPolicy: "Background" } };
    }
    if (left.length > 0) continue;
    const body = withMembers(version.object, { spec: withMembers(spec, { finalizers: [] }) });
    const request = requestBy("namespace-controller", { type: NAMESPACES, metadata });
    return { ...request, verb: "update", subresource: "finalize", body };
  }
  return null;
}

/** Dependents first; then the finalizer that waited for them. */
function nextOfGarbage(cluster: SimulatedCluster): WriteRequest | null {
  const all = cluster.types.flatMap((type) => liveOf(cluster, type, ""));
  const uids = new Map(all.map((one) => [stringAt(one.metadata, "uid"), one]));
  for (const one of all) {
    const owners = ownersOf(one);
    const gone = owners.length > 0 && owners.every(({ uid }) => !uids.has(uid));
    const waiting = owners.some(({ uid, blocks }) => blocks && waitsFor(uids.get(uid), "foregroundDeletion"));
    if ((gone || waiting) && !("deletionTimestamp" in one.metadata)) {
      const preconditions = { uid: stringAt(one.metadata, "uid") };
      const body = { preconditions, propagationPolicy: gone ? "Background" : "Foreground" };
      return { ...requestBy("generic-garbage-collector", one), body };
    }
    const orphaned = owners.find(({ uid }) => waitsFor(uids.get(uid), "orphan"));
    if (orphaned !== undefined) {
      const ownerReferences = arrayAt(one.metadata, "ownerReferences").filter(
        (reference) => stringAt(reference, "uid") !== orphaned.uid,
      );
      return {
        ...requestBy("generic-garbage-collector", one),
        verb: "patch",
        body: { metadata: { ownerReferences } },
      };
    }
  }
  return nextFinalizer(all);
}

function nextFinalizer(all: readonly Live[]): WriteRequest | null {
  for (const one of all) {
    const uid = stringAt(one.metadata, "uid");
    const blocked = (): boolean =>
      all.some((other) => ownersOf(other).some((owner) => owner.uid === uid && owner.blocks));
    const done = waitsFor(one, "orphan")
      ? "orphan"
      : waitsFor(one, "foregroundDeletion") && !blocked()
        ? "foregroundDeletion"
        : "";
    if (done === "") continue;
    const finalizers = arrayAt(one.metadata, "finalizers").filter((finalizer) => finalizer !== done);
    const resourceVersion = String(one.version.revision);
    const body = { metadata: { uid, resourceVersion, finalizers } };
    return { ...requestBy("generic-garbage-collector", one), verb: "patch", body };
  }
  return null;
}

function liveOf(cluster: SimulatedCluster, type: SimulatedType, namespace: string): readonly Live[] {
  const versions = cluster.store.list(type.key, { namespace, revision: cluster.store.revision }) ?? [];
  return versions.map((version) => ({ type, version, metadata: objectAt(version.object, "metadata") }));
}

function ownersOf({ metadata }: Live): readonly { readonly uid: string; readonly blocks: boolean }[] {
  return arrayAt(metadata, "ownerReferences")
    .filter(isObject)
    .map((reference) => ({ uid: stringAt(reference, "uid"), blocks: reference["blockOwnerDeletion"] === true }));
}

function waitsFor(one: Live | undefined, finalizer: string): boolean {
  return (
    one !== undefined && "deletionTimestamp" in one.metadata && arrayAt(one.metadata, "finalizers").includes(finalizer)
  );
}
