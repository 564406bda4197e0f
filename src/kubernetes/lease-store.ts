/** The Lease of an installation, as the lease actor wants it. It was made by the manifests: this process needs no right to create one. */

import type { LeaseStore } from "../../actors/lease-actor.ts";
import type { ApiServer } from "../../actors/ports.ts";
import { KubescribeError } from "../../machines/error.ts";
import type { LeaseRecord } from "../../machines/lease.ts";
import { ApiObjects, isObject, type ObjectAnswer } from "./objects.ts";

const addressKey = "kubescribe.dev/holder-address";

export function createLeaseStore(place: {
  readonly api: ApiServer;
  readonly namespace: string;
  readonly name: string;
}): LeaseStore {
  const objects = new ApiObjects(place.api);
  const { namespace, name } = place;
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
  return {
    read: async (signal) => recordOf(found(await objects.get(path, signal), path)),
    write: async (record, signal) => {
      const answer = await objects.mergePatch(path, patchOf(record), signal);
      return answer.kind === "conflict" ? null : recordOf(found(answer, path));
    },
  };
}

function found(answer: ObjectAnswer, path: string): Readonly<Record<string, unknown>> {
  if (answer.kind === "done") return answer.object;
  const what =
    answer.kind === "refused"
      ? `status ${answer.status}: ${answer.message}`
      : answer.kind === "absent"
        ? "none"
        : "another";
  const message = `Expected the Lease ${path} to read and update, found ${what}. "kubescribe install" makes it, and the right to it.`;
  throw new KubescribeError("lease-unreadable", message, { retry: "backoff" });
}

function recordOf(object: Readonly<Record<string, unknown>>): LeaseRecord {
  const metadata = isObject(object["metadata"]) ? object["metadata"] : {};
  const annotations = isObject(metadata["annotations"]) ? metadata["annotations"] : {};
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  return {
    holder: textOf(spec["holderIdentity"]),
    address: textOf(annotations[addressKey]),
    durationMs: numberOf(spec["leaseDurationSeconds"]) * 1000,
    transitions: numberOf(spec["leaseTransitions"]),
    renewedAt: textOf(spec["renewTime"]),
    version: textOf(metadata["resourceVersion"]),
  };
}

/** With the version that it is written against: who comes second gets 409. What others added stays. */
function patchOf(record: LeaseRecord): object {
  return {
    metadata: { resourceVersion: record.version, annotations: { [addressKey]: record.address } },
    spec: {
      holderIdentity: record.holder,
      leaseDurationSeconds: Math.round(record.durationMs / 1000),
      leaseTransitions: record.transitions,
      renewTime: microTimeOf(record.renewedAt),
    },
  };
}

/** Kubernetes' MicroTime has six digits behind the second. */
function microTimeOf(time: string): string {
  return time.replace(/\.(\d{3})Z$/, ".$1000Z");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
