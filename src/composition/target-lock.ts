/** The lock that keeps two processes from writing one target of one repository. */

import type { Clock, FileSystem } from "../../actors/ports.ts";
import type { BranchPool } from "../git/commit-pool.ts";
import { refPartOf } from "../git/layout.ts";
import { ensureRepository } from "../git/repository.ts";
import { targetOf } from "../git/stages.ts";
import type { TargetOptions } from "../git/target.ts";
import { acquireProcessLock, type ProcessTable } from "./process-lock.ts";

export interface TargetLockOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: ProcessTable;
}

export interface LockedPoolOptions extends TargetLockOptions {
  readonly targets: readonly TargetOptions[];
}

/** Takes a target's lock, and makes its repository, before `pool` first touches it; ends `pool` before it lets go of them. */
export function lockedPool(pool: BranchPool, options: LockedPoolOptions): BranchPool {
  const locks = new Map<string, Promise<AsyncDisposable>>();
  const locked = async (targetId: string): Promise<void> => {
    const held = locks.get(targetId) ?? lockTarget(targetOf(options.targets, targetId), options);
    locks.set(targetId, held);
    await held.catch((error: unknown) => {
      locks.delete(targetId);
      throw error;
    });
  };
  const { mirrors } = pool;
  return {
    mirrors: {
      async exists(targetId) {
        await locked(targetId);
        return mirrors.exists(targetId);
      },
      async adopt(targetId, remote) {
        await locked(targetId);
        return mirrors.adopt(targetId, remote);
      },
      async outgoing(targetId, whole) {
        await locked(targetId);
        return mirrors.outgoing(targetId, whole);
      },
      async arrived(targetId, remote) {
        await locked(targetId);
        return mirrors.arrived(targetId, remote);
      },
      async rebuild(targetId, remote) {
        await locked(targetId);
        return mirrors.rebuild(targetId, remote);
      },
    },
    async open(targetId) {
      await locked(targetId);
      return pool.open(targetId);
    },
    async flush(targetId, request) {
      await locked(targetId);
      return pool.flush(targetId, request);
    },
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      for (const held of await Promise.allSettled(locks.values())) {
        if (held.status === "fulfilled") await held.value[Symbol.asyncDispose]();
      }
    },
  };
}

/** Makes the repository where there is none: the lock file stands in it. */
export async function lockTarget(target: TargetOptions, options: TargetLockOptions): Promise<AsyncDisposable> {
  const { repository, branch } = target;
  const sync = target.durability === "flush";
  const gitDirectory = await ensureRepository({ fs: options.fs, repository, branch, sync });
  const name = `${refPartOf(target.clusterUid)}-${refPartOf(target.id)}`;
  return acquireProcessLock({
    ...options,
    path: `${gitDirectory}/kubescribe/${name}.lock`,
    what: `target ${target.id} in the repository ${repository}`,
  });
}
