/** From what rule documents say to what the git adapter takes. */

import type { FileSystem } from "../../actors/ports.ts";
import type { CompiledTarget } from "../config/compile-rules.ts";
import { readSigningKey } from "../keys/signing-key.ts";
import type { TargetOptions } from "../git/target.ts";
import { defaultAuthorMapping, defaultCommitter, defaultSentinel } from "../git/target.ts";
import type { SecretOptionsOf } from "./secret-options.ts";

export interface TargetNeeds {
  readonly clusterUid: string;
  readonly secretOptionsOf: SecretOptionsOf;
  readonly files: Pick<FileSystem, "readFile">;
}

/** Throws a KubescribeError (`configuration-invalid`) where a key that it needs is not there any more. */
export async function targetOptionsOf(target: CompiledTarget, needs: TargetNeeds): Promise<TargetOptions> {
  const { config } = target;
  const { clusterUid, secretOptionsOf, files } = needs;
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
    secrets: await secretOptionsOf(target, clusterUid),
    signing: config.signing === null ? null : await readSigningKey(files, config.signing),
    // `--durability second` differs in how often it flushes, not in whether a flush is synced.
    durability: "flush",
  };
}

/** Keys of userInfo.extra that reviews must bring along. */
export function claimKeysOf(targets: readonly Pick<CompiledTarget, "config">[]): readonly string[] {
  const keys = targets.flatMap(({ config }) => [config.author.nameClaim, config.author.emailClaim]);
  return [...new Set(keys.filter((key) => key !== null))];
}
