/** What a verdict and a note mean, in words that need no manual. */

import type { FileVersion } from "../git/clone/file-versions.ts";
import type { RecordedCommit } from "../git/clone/recorded-commit.ts";

const meanings: Readonly<Record<string, string>> = {
  exact: "proven",
  scale: "asked for it by /scale",
  delete: "asked for it by DELETE",
  content: "the only one who fits",
  recovered: "the only writer in a gap",
  tie: "a tie: all of them fit",
  collapsed: "several changes seen as one",
  unresolved: "no review was seen",
  fifo: "guessed, by --attribution fifo",
  dual: "attempted, by --ingestion dual",
};

/** Nobody else is known to fit, and somebody's review may be missing. */
const loneTie = "the only one who was seen; others may be missing";

/** Of the trailer Kubescribe-Attribution; a tier of a later version stands for itself. */
export function verdictText({ kind, tier, candidates }: RecordedCommit): string {
  if (kind !== "") return kind;
  if (tier === "tie" && candidates.length === 1) return loneTie;
  return Object.hasOwn(meanings, tier) ? (meanings[tier] ?? tier) : tier;
}

const settledTiers = new Set(["exact", "scale", "delete", "content", "recovered"]);

/** Somebody is named, and nobody else fits. */
export function isSettled({ kind, tier }: RecordedCommit): boolean {
  return kind === "" && settledTiers.has(tier);
}

const nobodyTiers = new Set(["unresolved", "collapsed"]);

export function personText(commit: RecordedCommit): string {
  const { kind, tier, user, candidates } = commit;
  if (kind !== "") return "nobody is named";
  if (tier === "tie" && candidates.length > 0) return candidates.join(" or ");
  if (!nobodyTiers.has(tier)) return user;
  const among = candidates.length === 0 ? "" : `, ${candidates.join(", ")} may have`;
  return `nobody is known for certain: ${tier}${among}`;
}

/** For a program: null where nobody is named. */
export function namedUser({ kind, tier, user }: RecordedCommit): string | null {
  return kind !== "" || nobodyTiers.has(tier) ? null : user;
}

/** What became of the file, where fields do not tell. Null: its fields do. */
export function eventText({ commit, before, after, cutOff }: FileVersion): string | null {
  if (cutOff) return "what it changed is not known: the clone is shallow, and ends here";
  switch (commit.kind) {
    case "":
      return changeText(commit.operation, { before, after });
    case "snapshot":
      if (after === null) return "gone when kubescribe looked: who deleted it is not known";
      return before === null
        ? "first seen: it was there already, and the history does not reach back to who made it"
        : null;
    case "takeover":
      return "kubescribe put its file back over somebody's edit in Git; nothing changed in the cluster";
    case "format":
      if (after === null) return "no longer recorded: the rules select it no more; nothing changed in the cluster";
      if (before === null) return "first recorded here, since the rules select it now: what was before it is not known";
      return "kubescribe wrote the file anew, in another form; nothing changed in the cluster";
    default:
      return commit.subject;
  }
}

function changeText(operation: string, { before, after }: Pick<FileVersion, "before" | "after">): string | null {
  if (after === null) return operation === "DELETE" ? "deleted" : "no longer recorded: it left the rule's selection";
  if (before !== null) return null;
  return operation === "CREATE" ? "created" : "first recorded with this change: what was before it is not known";
}
