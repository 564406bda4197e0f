/** I6: what was measured while it ran stayed within its bound. */

export interface HighWater {
  /** Of which queue or cache, with its unit: `backlogBytes`. */
  readonly what: string;
  readonly highest: number;
  /** As it was configured. */
  readonly bound: number;
}

/** One line for each bound that was broken. */
export function overflows(marks: readonly HighWater[]): readonly string[] {
  return marks
    .filter(({ highest, bound }) => !(highest <= bound))
    .map(({ what, highest, bound }) => `I6: ${what} came to ${highest}, its bound is ${bound}`);
}
