/**
 * Targets of one process that write to one branch, each below its own path, take turns: side by side each would find the branch
 * moved, and do its work again after a wait. (Other processes do the same; there the wait is what there is.) Owns the lines.
 */

import type { TargetOptions } from "./target.ts";

export class BranchTurns {
  /** The last in each line; settled when nobody is left. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` once those that came before have ended, however they did. */
  async take<Value>(
    { repository, branch }: Pick<TargetOptions, "repository" | "branch">,
    work: () => Promise<Value>,
  ): Promise<Value> {
    const line = `${repository}\n${branch}`;
    const before = this.#last.get(line) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#last.set(line, turn);
    return turn;
  }
}
