/** From what rule documents say to what the git adapter takes. */

import type { CompiledTarget } from "../config/compile-rules.ts";
import type { TargetOptions } from "../git/target.ts";
import { defaultAuthorMapping, defaultCommitter, defaultSentinel } from "../git/target.ts";
import type { SecretOptionsOf } from "./secret-options.ts";

export interface TargetNeeds {
  readonly clusterUid: string;
  readonly secretOptionsOf: SecretOptionsOf;
}

export function targetOptionsOf(target: CompiledTarget, { clusterUid, secretOptionsOf }: TargetNeeds): TargetOptions {
  const { config } = target;
  return {
    id: target.id,
    clusterUid,
    repository: config.repository,
    branch: config.branch,
    path: config.path,
    author: {
      nameClaim: config.author.nameClaim,
      emailClaim: config.author.emailClaim,
      domain: config.author.emailDomain ?? defaultAuthorMapping.domain,
    },
    committer: config.committer ?? defaultCommitter,
    sentinel: defaultSentinel,
    secrets: secretOptionsOf(target, clusterUid),
    // `--durability second` differs in how often it flushes, not in whether a flush is synced.
    durability: "flush",
  };
}

/** Keys of userInfo.extra that reviews must bring along. */
export function claimKeysOf(targets: readonly Pick<CompiledTarget, "config">[]): readonly string[] {
  const keys = targets.flatMap(({ config }) => [config.author.nameClaim, config.author.emailClaim]);
  return [...new Set(keys.filter((key) => key !== null))];
}
