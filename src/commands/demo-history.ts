/** Reads the history as a stranger would: with isomorphic-git, a second opinion beside the code that wrote it. */

import * as nodeFs from "node:fs";
import { log } from "isomorphic-git";

export interface HistoryCommit {
  readonly sha: string;
  readonly subject: string;
  readonly authorName: string;
  readonly authorEmail: string;
  /** Trailers; empty where there is none. */
  readonly user: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** `apps/v1/deployments shop/web` */
  readonly resource: string;
  readonly tier: string;
  readonly candidates: readonly string[];
}

/** Oldest first; empty for a branch that is not born yet. */
export async function readHistory(gitDirectory: string, branch: string): Promise<readonly HistoryCommit[]> {
  try {
    const entries = await log({ fs: nodeFs, gitdir: gitDirectory, ref: branch });
    return entries.map(({ oid, commit }) => historyCommitOf(oid, commit)).toReversed();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "NotFoundError" || error.code === "ENOENT"))
      return [];
    throw error;
  }
}

export function historyCommitOf(
  sha: string,
  { message, author }: { readonly message: string; readonly author: { readonly name: string; readonly email: string } },
): HistoryCommit {
  const [subject = "", ...rest] = message.split("\n");
  const trailers = rest.flatMap((line) => {
    const match = /^([A-Z][A-Za-z-]*): (.*)$/.exec(line);
    return match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const];
  });
  const valueOf = (key: string) => trailers.find(([name]) => name === key)?.[1] ?? "";
  return {
    sha,
    subject,
    authorName: author.name,
    authorEmail: author.email,
    user: valueOf("Changed-By"),
    uid: valueOf("Kubescribe-Uid"),
    resourceVersion: valueOf("Kubescribe-Resource-Version"),
    resource: valueOf("Kubescribe-Resource"),
    tier: valueOf("Kubescribe-Attribution"),
    candidates: trailers.flatMap(([name, value]) => (name === "Kubescribe-Candidate" ? [value] : [])),
  };
}
