/** The AdmissionReview v1 requests that the API server sends, field by field in its order. */

import type { Operation } from "../../machines/messages.ts";
import type { SimulatedType } from "./resource-types.ts";
import type { JsonObject } from "./json.ts";
import { toJson } from "./json.ts";

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ReviewOptions {
  readonly kind: "CreateOptions" | "UpdateOptions" | "DeleteOptions";
  readonly fields: JsonObject;
}

/** One attempt at a write, as admission sees it. */
export interface Attempt {
  /** `request.uid`, fresh for every call (K4). */
  readonly reviewUid: string;
  readonly type: SimulatedType;
  readonly subresource: string;
  readonly operation: Operation;
  readonly user: User;
  readonly namespace: string;
  /** Empty for the objects of a deletecollection (K10). */
  readonly name: string;
  readonly dryRun: boolean;
  readonly options: ReviewOptions;
  /** Serialised; null where there is none. */
  readonly object: string | null;
  readonly oldObject: string | null;
}

export function reviewOf(attempt: Attempt): string {
  const { type, subresource } = attempt;
  const scale = subresource === "scale";
  const kind = scale
    ? `{"group":"autoscaling","version":"v1","kind":"Scale"}`
    : `{"group":${toJson(type.group)},"version":"${type.version}","kind":"${type.kind}"}`;
  const resource = `{"group":${toJson(type.group)},"version":"${type.version}","resource":"${type.resource}"}`;
  const members = [
    `"uid":"${attempt.reviewUid}"`,
    `"kind":${kind}`,
    `"resource":${resource}`,
    ...(subresource === "" ? [] : [`"subResource":"${subresource}"`]),
    `"requestKind":${kind}`,
    `"requestResource":${resource}`,
    ...(subresource === "" ? [] : [`"requestSubResource":"${subresource}"`]),
    ...(attempt.name === "" ? [] : [`"name":${toJson(attempt.name)}`]),
    ...namespaceOf(attempt),
    `"operation":"${attempt.operation}"`,
    `"userInfo":${userInfoOf(attempt.user)}`,
    `"object":${attempt.object ?? "null"}`,
    `"oldObject":${attempt.oldObject ?? "null"}`,
    `"dryRun":${attempt.dryRun}`,
    `"options":${optionsOf(attempt.options)}`,
  ];
  return `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{${members.join(",")}}}\n`;
}

/** A Namespace is reviewed in itself. */
function namespaceOf({ type, namespace, name }: Attempt): readonly string[] {
  const value = type.kind === "Namespace" ? name : namespace;
  return value === "" ? [] : [`"namespace":${toJson(value)}`];
}

function userInfoOf(user: User): string {
  const info = {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
  return toJson(info, { username: null, uid: null, groups: null, extra: null });
}

function optionsOf({ kind, fields }: ReviewOptions): string {
  const layout = {
    kind: null,
    apiVersion: null,
    gracePeriodSeconds: null,
    preconditions: null,
    propagationPolicy: null,
    dryRun: null,
    force: null,
  };
  return toJson({ kind, apiVersion: "meta.k8s.io/v1", ...fields }, layout);
}
