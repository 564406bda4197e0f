/** What is not settled by bytes, and why. An entry that nothing bears out is as wrong as an outcome that no entry foresees. */

import type { Attempt, Operation } from "./types-operations.ts";

/** A tier, or what else came of an attempt. */
export type Outcome = "exact" | "content" | "scale" | "delete" | "unresolved" | "refused" | "unchanged";

export interface Exception {
  readonly types: readonly string[];
  /** Names of the objects that are special; default: all of the type. */
  readonly objects?: readonly string[];
  readonly operations: readonly Operation[];
  readonly outcome: Outcome;
  readonly why: string;
}

const everything = ["create", "put", "replace", "patch", "apply", "status", "delete"] as const;

export const exceptions: readonly Exception[] = [
  {
    types: [
      "admissionregistration.k8s.io/mutatingadmissionpolicies",
      "admissionregistration.k8s.io/mutatingadmissionpolicybindings",
      "admissionregistration.k8s.io/mutatingwebhookconfigurations",
      "admissionregistration.k8s.io/validatingadmissionpolicies",
      "admissionregistration.k8s.io/validatingadmissionpolicybindings",
      "admissionregistration.k8s.io/validatingwebhookconfigurations",
    ],
    operations: everything,
    outcome: "unresolved",
    why: "The API server never asks a webhook about webhook and admission-policy configurations (K23): nobody saw who wrote.",
  },
  {
    types: [
      "core/limitranges",
      "discovery.k8s.io/endpointslices",
      "rbac.authorization.k8s.io/clusterroles",
      "rbac.authorization.k8s.io/roles",
      "storage.k8s.io/csinodes",
    ],
    objects: ["no-limits", "no-endpoints", "no-rules", "aggregated", "no-drivers"],
    operations: ["replace", "apply"],
    outcome: "content",
    why:
      "A required list that is written empty is `[]` in the review, and `null` in the event that went through etcd and back (K36). " +
      "What the API server read before, as a PUT of the whole object or a patch does, is `null` in both.",
  },
  {
    types: ["batch/jobs"],
    objects: ["job"],
    operations: ["replace"],
    outcome: "refused",
    why: "A PUT without the selector that the API server generated would change it, and it is immutable.",
  },
  {
    types: ["core/pods"],
    operations: ["replace"],
    outcome: "refused",
    why: "A PUT without the service account and its volume, which admission added, would change what is immutable.",
  },
  {
    types: ["scheduling.k8s.io/podgroups"],
    operations: ["replace"],
    outcome: "refused",
    why: "A PUT without the priority that admission computed would change it, and it is immutable.",
  },
];

export function exceptionOf({ subject, operation }: Attempt): Exception | undefined {
  return exceptions.find(
    ({ types, objects, operations }) =>
      types.includes(subject.type) &&
      operations.includes(operation) &&
      (objects === undefined || objects.includes(subject.manifest.metadata.name)),
  );
}

export function expectedOf(attempt: Attempt): readonly Outcome[] {
  const exception = exceptionOf(attempt);
  switch (attempt.operation) {
    case "scale":
    case "delete":
      return [exception?.outcome ?? attempt.operation];
    case "status":
      // Most, not all, let /status write annotations (K17).
      return [exception?.outcome ?? "exact", "unchanged"];
    default:
      return [exception?.outcome ?? "exact"];
  }
}
