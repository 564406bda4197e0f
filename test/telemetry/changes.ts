/** Changes and reviews to tell followers of. */

import type { CommittedFlush } from "../../actors/committed-changes.ts";
import type { Change, Correlation, ResourceVersion, TypeKey } from "../../machines/messages.ts";
import { changeOf, event } from "../fakes/branch-world.ts";

export interface ChangeShape {
  readonly version: number;
  readonly name?: string;
  readonly user?: string;
  /** Of the review. */
  readonly atMs?: number;
  readonly observedAtMs?: number;
}

export function committedChange(shape: ChangeShape): Change {
  const { version, name = "a", user = "alice", atMs = 1000, observedAtMs = 1040 } = shape;
  const change = changeOf(event({ version, name }), user);
  const { verdict } = change;
  const author = verdict.author === null ? null : { ...verdict.author, atMs };
  return { ...change, observedAtMs, verdict: { ...verdict, author } };
}

export function unnamed(change: Change): Change {
  return { ...change, verdict: { ...change.verdict, tier: "unresolved", author: null } };
}

export function flushOf(changes: readonly Change[], targetId = "default/history"): CommittedFlush {
  return {
    targetId,
    startedAtMs: 1060,
    endedAtMs: 1070,
    changes: changes.map((change) => ({ change, commit: `commit-${change.resourceVersion}`, queuedAtMs: 1041.5 })),
  };
}

export function reviewOf({ uid }: Pick<Change, "uid">, user = "alice", atMs = 1000): Correlation {
  return {
    arrival: 1,
    atMs,
    typeKey: "core/configmaps" as TypeKey,
    namespace: "default",
    name: "a",
    uid,
    operation: "UPDATE",
    subresource: "",
    user,
    claims: {},
    fieldManager: "test",
    base: "1" as ResourceVersion,
    objectHash: "",
    unchanged: false,
    replicas: null,
    restored: false,
  };
}
