/** A line at debug level for each change that was committed. Nothing of the object is in it, and nobody's name. */

import type { Log } from "../../actors/ports.ts";
import type { Change } from "../../machines/messages.ts";
import type { ChangeFollower } from "./change-follower.ts";

export function createChangeLog(log: Pick<Log, "debug">): ChangeFollower {
  return {
    answered: () => undefined,
    pushed: () => undefined,
    committed: ({ targetId, changes }) => {
      for (const { change, commit } of changes) {
        log.debug("A change is committed.", {
          target: targetId,
          resource: resourceOf(change),
          uid: change.uid,
          resourceVersion: change.resourceVersion,
          ...(change.epoch === 0 ? {} : { epoch: change.epoch }),
          operation: change.operation,
          attribution: change.verdict.tier,
          commit,
        });
      }
    },
  };
}

/** As the commit's trailer has it: `apps/v1/deployments default/web`, `core/v1/nodes a`. */
export function resourceOf({ type, namespace, name }: Pick<Change, "type" | "namespace" | "name">): string {
  const group = type.group === "" ? "core" : type.group;
  return `${group}/${type.version}/${type.resource} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}
