/** From what rule documents say to what the git adapter takes. */

import { hash } from "node:crypto";
import { join } from "node:path";

import type { CompiledTarget } from "../config/compile-rules.ts";
import type { TargetOptions } from "../git/target.ts";
import { defaultAuthorMapping, defaultCommitter, defaultSentinel } from "../git/target.ts";

/** `dataDir`: where the local repositories of remotes are. */
export function targetOptionsOf(target: CompiledTarget, clusterUid: string, dataDir: string): TargetOptions {
  const { config } = target;
  return {
    id: target.id,
    clusterUid,
    repository: config.remote === null ? config.repository : mirrorPathOf(dataDir, config.remote.url),
    branch: config.branch,
    path: config.path,
    author: {
      nameClaim: config.author.nameClaim,
      emailClaim: config.author.emailClaim,
      domain: config.author.emailDomain ?? defaultAuthorMapping.domain,
    },
    committer: config.committer ?? defaultCommitter,
    sentinel: defaultSentinel,
    secrets: config.secrets,
    // `--durability second` differs in how often it flushes, not in whether a flush is synced.
    durability: "flush",
  };
}

/** Keys of userInfo.extra that reviews must bring along. */
export function claimKeysOf(targets: readonly Pick<CompiledTarget, "config">[]): readonly string[] {
  const keys = targets.flatMap(({ config }) => [config.author.nameClaim, config.author.emailClaim]);
  return [...new Set(keys.filter((key) => key !== null))];
}

/** One for each URL: targets with several branches of a remote share it. */
function mirrorPathOf(dataDir: string, url: string): string {
  return join(dataDir, "mirrors", `${hash("sha256", url).slice(0, 16)}.git`);
}
