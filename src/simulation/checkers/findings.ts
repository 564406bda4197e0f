/** What the checkers of one target found. */

import type { ToldChange } from "./told-change.ts";
import { titleOfTold } from "./told-change.ts";

export class Findings {
  /** One line for each broken invariant, which it begins with. */
  readonly broken: string[] = [];
  /** Commits of changes, by their attribution. */
  readonly tiers = new Map<string, number>();
  /** Answered reviews that name nobody, by what excuses it. */
  readonly excused = new Map<string, number>();
  /** Named by another's review while the writer's own never came: what no rule can tell (K50). */
  planted = 0;
  changes = 0;

  break(what: string, told?: ToldChange): void {
    this.broken.push(told === undefined ? what : `${what} (${titleOfTold(told)})`);
  }

  excuse(why: string): void {
    this.excused.set(why, (this.excused.get(why) ?? 0) + 1);
  }
}

/** One invariant: sees every change that a branch tells, the oldest first, and what is left in the end. */
export interface Checker {
  readonly see?: (told: ToldChange) => void;
  readonly end?: () => void;
}
