/** The machine that kubescribe's processes run on. Owns which of them run, and its boots. */

import type { ProcessTable } from "../composition/process-lock.ts";
import type { Dice } from "./dice.ts";

/** Few: a process may well get the number of one that died, as in a container. */
const pids = 3;

export class Host {
  readonly #dice: Dice;
  readonly #running = new Map<number, string>();
  #boots = 1;
  #starts = 0;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** Starts a process; what it sees of the others. */
  start(): ProcessTable {
    const pid = 1 + this.#dice.below(pids);
    const startTime = String((this.#starts += 1));
    this.#running.set(pid, startTime);
    return {
      self: { host: "simulated", bootId: `boot-${this.#boots}`, pid, startTime },
      startTimeOf: (other) => Promise.resolve(this.#running.get(other) ?? null),
    };
  }

  end({ self }: ProcessTable): void {
    this.#running.delete(self.pid);
  }

  reboot(): void {
    this.#boots += 1;
    this.#running.clear();
  }
}
