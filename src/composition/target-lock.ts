/** The lock that keeps two processes from writing one target of one repository; for `createPiscinaCommitPool`. */

import type { Clock, FileSystem } from "../../actors/ports.ts";
import { refPartOf } from "../git/layout.ts";
import { ensureRepository } from "../git/repository.ts";
import type { TargetOptions } from "../git/target.ts";
import { acquireProcessLock, type ProcessTable } from "./process-lock.ts";

export interface TargetLockOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: ProcessTable;
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
