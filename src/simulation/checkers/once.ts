/** I1: each persisted change (epoch, uid, resourceVersion) is in at most one commit of a target branch. */

import type { Checker, Findings } from "./findings.ts";

export function onceChecker(findings: Findings): Checker {
  const seen = new Set<string>();
  return {
    see(told) {
      const { epoch, uid, revision, file } = told;
      // Files that were left over share the version of the list that left them out.
      const identity = `${epoch}/${uid}/${revision}${uid === "unknown" ? `/${file.path}` : ""}`;
      if (seen.has(identity)) findings.break("I1: twice", told);
      seen.add(identity);
    },
  };
}
