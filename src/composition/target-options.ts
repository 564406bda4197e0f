/** From what rule documents say to what the git adapter takes. */

import { hash } from "node:crypto";
import { join } from "node:path";

import type { FileSystem } from "../../actors/ports.ts";
import type { CompiledTarget } from "../config/compile-rules.ts";
import { readSigningKey } from "../keys/signing-key.ts";
import type { TargetOptions } from "../git/target.ts";
import { defaultAuthorMapping, defaultCommitter, defaultSentinel } from "../git/target.ts";
import { manifestFormat } from "../sanitize/manifest.ts";
import type { SecretOptions } from "../sanitize/secrets.ts";
import type { SecretOptionsOf } from "./secret-options.ts";

export interface TargetNeeds {
  readonly clusterUid: string;
  /** Where the local repositories of remotes are. */
  readonly dataDir: string;
  readonly secretOptionsOf: SecretOptionsOf;
  readonly files: Pick<FileSystem, "readFile">;
}

/** Throws a KubescribeError (`configuration-invalid`) where a key that it needs is not there any more. */
export async function targetOptionsOf(target: CompiledTarget, needs: TargetNeeds): Promise<TargetOptions> {
  const { config } = target;
  const { clusterUid, dataDir, secretOptionsOf, files } = needs;
  const secrets = await secretOptionsOf(target, clusterUid);
  return {
    id: target.id,
    clusterUid,
    repository: config.remote === null ? config.repository : mirrorPathOf(dataDir, config.remote.url),
    isMirror: config.remote !== null,
    branch: config.branch,
    path: config.path,
    author: {
      nameClaim: config.author.nameClaim,
      emailClaim: config.author.emailClaim,
      domain: config.author.emailDomain ?? defaultAuthorMapping.domain,
    },
    committer: config.committer ?? defaultCommitter,
    sentinel: defaultSentinel,
    secrets,
    format: { files: `${manifestFormat}`, secrets: `${manifestFormat} ${secrets.policy} ${keysMarkOf(secrets)}` },
    signing: config.signing === null ? null : await readSigningKey(files, config.signing),
    // `--durability second` differs in how often it flushes, not in whether a flush is synced.
    durability: "flush",
  };
}

/** Tells keys apart and does not tell them: each has 256 bits that nobody can guess. */
function keysMarkOf(secrets: SecretOptions): string {
  return hash("sha256", JSON.stringify(secrets), "hex").slice(0, 16);
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
