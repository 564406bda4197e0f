/** A plausible defect: a small patch of the engine's source, and the promise that it breaks. */

export interface Mutant {
  readonly name: string;
  readonly defect: string;
  /** From the root of the project. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** It counts as caught only where a checker says that this is broken. */
  readonly breaks: Invariant;
  /** What has to befall it; null: what each seed draws. */
  readonly faults: readonly string[] | null;
  /** One step in so many is a fault, if all of them are on; 15 where it says nothing. */
  readonly every?: number;
}

/** As the lines of the checkers begin. */
export type Invariant = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "coverage" | "liveness" | "git fsck";
