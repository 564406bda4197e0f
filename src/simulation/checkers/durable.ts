/** I7: what the API server could still replay is committed, whatever befell kubescribe meanwhile; only a gap may swallow a change. */

import type { Circumstances } from "./circumstances.ts";
import { isInGap } from "./excuses.ts";
import type { Checker, Findings } from "./findings.ts";
import type { Snapshots } from "./snapshots.ts";
import type { TargetFiles } from "./target-files.ts";
import type { TrueWrite } from "./truth.ts";
import { titleOf } from "./truth.ts";

export interface DurableOptions {
  readonly findings: Findings;
  readonly around: Circumstances;
  readonly files: TargetFiles;
  readonly snapshots: Snapshots;
}

export function durableChecker({ findings, around, files, snapshots }: DurableOptions): Checker {
  const told = new Set<TrueWrite>();
  /** The newest revision that was told in its own epoch, by type and era. */
  const reached = new Map<string, number>();
  /** The first one that was told of an era, by type and era. */
  const first = new Map<string, TrueWrite>();
  const { truth, watches } = around;
  const mayBeMissed = (write: TrueWrite): boolean => {
    if (watches.gapsAt(write).length > 0) return true;
    // A target that was behind when a backup was restored begins anew with the list that it comes to.
    const begun = first.get(`${write.era} ${write.typeKey}`);
    if (write.era > 0 && begun !== undefined && write.revision < begun.revision && watches.gapsAt(begun).length > 0)
      return true;
    // The end of what was written before a restore may be lost to it, or told behind it. A lease's deletions share a revision.
    return write.era < truth.era && write.revision >= (reached.get(`${write.era} ${write.typeKey}`) ?? 0);
  };
  return {
    see(change) {
      const { write, era, revision } = change;
      if (write === null) return;
      told.add(write);
      if (!first.has(`${write.era} ${write.typeKey}`)) first.set(`${write.era} ${write.typeKey}`, write);
      const key = `${write.era} ${write.typeKey}`;
      // A list behind a gap says nothing of what was written before it.
      if (era <= write.era && !isInGap(change, write, around))
        reached.set(key, Math.max(reached.get(key) ?? 0, revision));
    },
    end() {
      for (const write of truth.writes) {
        if (files.before(write) === files.after(write) || told.has(write)) continue;
        const begun = snapshots.of(write.typeKey);
        // Where a type has not begun, its files are missing in the end.
        if (begun === null || write.era < begun.era || write.revision <= begun.revision) continue;
        if (!mayBeMissed(write)) findings.break(`I7: lost ${titleOf(write)}`);
      }
    },
  };
}
