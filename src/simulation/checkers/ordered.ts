/** I4: the commits of a type are in the order of its watch; restored backups count upwards. */

import type { Circumstances } from "./circumstances.ts";
import type { Checker, Findings } from "./findings.ts";
import type { ToldChange } from "./told-change.ts";
import { spans } from "./watches.ts";

export function orderedChecker(findings: Findings, around: Circumstances): Checker {
  const lasts = new Map<string, ToldChange>();
  const epochs = new Epochs(around);
  return {
    see(told) {
      const { typeKey } = told.object;
      const last = lasts.get(typeKey);
      if (last !== undefined) {
        const { epoch, revision } = last;
        const ahead = told.epoch > epoch || (told.epoch === epoch && told.revision > revision);
        // A lease that expires deletes several objects in one revision.
        const together = told.epoch === epoch && told.revision === revision && told.operation === "DELETE";
        if (!ahead && !together && !inOneList(last, told, around))
          findings.break(`I4: behind ${epoch}/${revision}`, told);
      }
      const fault = epochs.faultOf(told);
      if (fault !== null) findings.break(`I4: ${fault}`, told);
      lasts.set(typeKey, told);
    },
  };
}

/** The differences of one list: what is gone comes before what bears its name now, whatever their versions are. */
function inOneList(last: ToldChange, told: ToldChange, { watches }: Circumstances): boolean {
  return watches.gapsOf(told.object.typeKey).some((gap) => spans(gap, last.revision) && spans(gap, told.revision));
}

/**
 * An epoch counts the restored backups that a type shows: one that undid nothing of what was told of it may go unnoticed. What was
 * written before a backup was made may be told behind it.
 */
class Epochs {
  readonly #around: Circumstances;
  /** Eras that are known to have ended, by type. */
  readonly #undone = new Map<string, Set<number>>();

  constructor(around: Circumstances) {
    this.#around = around;
  }

  faultOf(told: ToldChange): string | null {
    const { epoch, era: least, write, object } = told;
    const { truth } = this.#around;
    if (least > truth.era) return `epoch ${epoch}, and ${truth.era} backups were restored`;
    if (write === null) return null;
    const undone = this.#undone.get(object.typeKey) ?? new Set();
    this.#undone.set(object.typeKey, undone);
    const undoing = truth.restores.find(({ era, revision }) => write.era < era && write.revision > revision);
    if (undoing !== undefined) undone.add(undoing.era);
    const seen = [...undone].filter((era) => era <= write.era).length;
    if (epoch < seen) return `epoch ${epoch}, and ${seen} restored backups undid what was told`;
    if (least > write.era && !truth.holds(write, least)) return `epoch ${epoch} for a write that was undone`;
    return null;
  }
}
