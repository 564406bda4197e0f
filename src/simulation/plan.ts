/** Which of the switches are on in a run. */

import type { FaultRates, Job } from "./job.ts";
import { diceAt } from "./dice.ts";
import { catalogue, coincidences, faults } from "./faults/catalogue.ts";
import type { Dice } from "./dice.ts";
import type { Fault } from "./fault.ts";

export interface Plan {
  readonly attribution: Job["attribution"];
  readonly ingestion: Job["ingestion"];
  readonly switches: ReadonlySet<string>;
  readonly rates: FaultRates;
}

/** Runs with few faults find what many of them hide, and the other way round. */
const shares = [0.1, 0.25, 0.5, 1] as const;

export function planOf({ seed, faults: named, rates, attribution, ingestion }: Job): Plan {
  const dice = diceAt(seed, 0x5eed);
  const share = dice.pick(shares);
  const drawn = catalogue.map(({ name }) => name).filter(() => dice.chance(share));
  return { attribution, ingestion, switches: new Set(named ?? drawn), rates };
}

/** One of all, by their weight; null: no fault now, or it is off. Switching off one of them does not shift the others. */
export function drawFault(plan: Plan, dice: Dice): Fault | null {
  return dice.chance(1 / plan.rates.every) ? drawOf(faults, plan, dice) : null;
}

const fewer = 12;

export function drawCoincidence(plan: Plan, dice: Dice): Fault | null {
  return dice.chance(1 / (fewer * plan.rates.every)) ? drawOf(coincidences, plan, dice) : null;
}

function drawOf(some: readonly Fault[], { switches, rates: { weights } }: Plan, dice: Dice): Fault | null {
  const weightOf = ({ name, weight }: Fault): number => weights[name] ?? weight;
  let at = dice.next() * some.reduce((sum, fault) => sum + weightOf(fault), 0);
  for (const fault of some) {
    at -= weightOf(fault);
    if (at < 0) return switches.has(fault.name) ? fault : null;
  }
  return null;
}
