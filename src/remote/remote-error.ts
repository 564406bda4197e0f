/** What a remote can do to us, each with a name that a condition can show and a pusher can act on. */

import { KubescribeError } from "../../machines/error.ts";

/**
 * - `stale`: a ref is not where it was thought to be. Fetch, build anew on that, push again.
 * - `declined`: a protected branch, or a hook of the remote. A person must allow it.
 * - `quota`: too large, or no space left.
 * - `refused`: the remote did not move a ref, for a reason that is none of those.
 * - `unmoved`: the remote said that it moved a ref, and did not.
 * - `unauthorized`: no, wrong or expired credentials, or not those that may push.
 * - `not-found`: no such repository, or none that these credentials may know of.
 * - `untrusted`: its certificate or host key is not one that we were told to trust. Nothing was sent.
 * - `unreachable`: names, connections, proxies, time, a server in trouble. Nothing was sent.
 * - `cut`: the connection ended, or fell silent, in the middle.
 * - `unknown`: sent, and the refs could not be read back: what became of it shows when they can.
 * - `malformed`: what answers is not a Git server that we can speak with.
 */
export type RemoteReason = (typeof reasons)[number];

const reasons = [
  "stale",
  "declined",
  "quota",
  "refused",
  "unmoved",
  "unauthorized",
  "not-found",
  "untrusted",
  "unreachable",
  "cut",
  "unknown",
  "malformed",
] as const;

/**
 * The code is `remote-<reason>`. All of it can be mended while we run (credentials and known hosts are read again for each
 * connection), so all of it is tried again.
 */
export function remoteError(reason: RemoteReason, message: string, cause?: unknown): KubescribeError {
  return new KubescribeError(`remote-${reason}`, message, {
    retry: "backoff",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Null: an error of something else. */
export function reasonOf(error: unknown): RemoteReason | null {
  if (!(error instanceof KubescribeError)) return null;
  return reasons.find((reason) => error.code === `remote-${reason}`) ?? null;
}
