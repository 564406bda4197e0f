import type { Correlation, ObjectHash, ResourceVersion, Uid } from "../../machines/messages.ts";
import { typeKeyOf } from "../../machines/messages.ts";

export function correlationOf(arrival: number, atMs: number, overrides: Partial<Correlation> = {}): Correlation {
  return {
    arrival,
    atMs,
    typeKey: typeKeyOf("apps", "deployments"),
    namespace: "shop",
    name: "web",
    uid: "4be52ede-8d02-46d4-8af7-43b3cb8e7b11" as Uid,
    operation: "UPDATE",
    subresource: "",
    user: "alice@example.com",
    claims: { email: "alice@example.com" },
    fieldManager: "kubectl",
    base: "41" as ResourceVersion,
    objectHash: "b".repeat(44) as ObjectHash,
    unchanged: false,
    replicas: null,
    restored: false,
    ...overrides,
  };
}
