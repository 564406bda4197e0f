/** I2: no change in a commit without a persisted write of that meaning; behind a gap, none without a persisted difference. */

import type { Circumstances } from "./circumstances.ts";
import { isInGap } from "./excuses.ts";
import type { Checker, Findings } from "./findings.ts";
import type { ToldChange } from "./told-change.ts";
import type { TargetFiles } from "./target-files.ts";
import { isNamed, isSettled } from "./told-change.ts";
import type { TrueWrite } from "./truth.ts";
import { spans } from "./watches.ts";

export function realChecker(findings: Findings, around: Circumstances, files: TargetFiles): Checker {
  /** What stands there is of the same incarnation. */
  const isOwn = (blob: string, write: TrueWrite): boolean =>
    around.truth.ofObject(write).some((each) => each.uid === write.uid && files.after(each) === blob);
  return {
    see(told) {
      const { write, operation, file } = told;
      if (file.before === file.after) findings.break("I2: no change of the file it speaks of", told);
      if (write === null) return checkDisappearance(findings, told, around);
      const begun = operation === "CREATE" && file.before !== "";
      // Where nobody is named, nobody knows whether it was told before, either.
      if (begun && isNamed(told) && !isOwn(file.before, write))
        findings.break("I2: what bore the name before has not ended", told);
      if (write.operation === operation) return;
      const difference = isInGap(told, write, around) && (!isSettled(told) || told.tier === "recovered");
      if (!difference || !isDifference(told, write))
        findings.break(`I2: the write was ${write.operation ?? "nothing to commit"}`, told);
      // Known: a creation that an earlier process took in looks as if it was still to come. Nobody is named for it.
      else if (begun) findings.excuse("a creation of what was there");
    },
  };
}

/** Several writes at once: what their sum is. */
function isDifference({ operation }: ToldChange, write: TrueWrite): boolean {
  return (operation === "DELETE") === (write.after === null);
}

/** Only a list knows of it: it was there, and is gone. */
function checkDisappearance(findings: Findings, told: ToldChange, { truth, watches }: Circumstances): void {
  const { object, uid, revision, operation, file } = told;
  const lists = watches.gapsOf(object.typeKey).filter((gap) => spans(gap, revision));
  if (operation !== "DELETE" || lists.length === 0) return findings.break("I2: no such write", told);
  if (isSettled(told) || told.tier === "tie") findings.break("I2: named, and no such write", told);
  // What bears the name now was told with a version of its own, its first or a later one: what is gone was gone before that.
  const born = truth.ofObject(object).findLast((write) => write.operation === "CREATE" && write.revision <= revision);
  const gone = lists.some((gap) => {
    const bornAt = born !== undefined && spans(gap, born.revision) ? born.revision : revision;
    return [revision, revision - 1, bornAt - 1].some((at) => {
      const last = truth.lastAt(object, gap.era, at);
      return last === null || last.after === null || (uid !== "unknown" && last.uid !== uid);
    });
  });
  if (!gone) findings.break("I2: what it removes was there", told);
  if (file.after !== "") findings.break("I2: what it removes is still there", told);
}
