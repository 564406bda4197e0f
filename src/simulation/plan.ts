/** Which faults a run may meet. */

import { diceOf } from "./dice.ts";

/** What may happen in a run. */
export interface Plan {
  readonly requests: number;
  readonly crashes: boolean;
  /** A crash takes what was not synced. */
  readonly powerLoss: boolean;
  readonly compactions: boolean;
  readonly restores: boolean;
  readonly fullDisks: boolean;
  readonly clockJumps: boolean;
  /** The watch is cut, held back; the API server cannot be reached. */
  readonly badNetwork: boolean;
  /** Reviews get lost, come late, come twice. */
  readonly badWebhook: boolean;
  readonly denials: boolean;
  readonly tightBounds: boolean;
  /** Correlations expire while the watch is held back. */
  readonly shortTtl: boolean;
  /** Objects vanish, several in one revision, as Events do. */
  readonly leases: boolean;
}

export const catalogue: readonly { readonly name: keyof Plan; readonly help: string }[] = [
  { name: "crashes", help: "kubescribe is killed or stopped, and started again" },
  { name: "powerLoss", help: "a crash takes what was not synced" },
  { name: "compactions", help: "the API server forgets what a watch has not seen yet" },
  { name: "restores", help: "the cluster is restored from a backup" },
  { name: "fullDisks", help: "the disk is full for a while" },
  { name: "clockJumps", help: "the wall clock jumps" },
  { name: "badNetwork", help: "the watch is cut and held back, the API server out of reach" },
  { name: "badWebhook", help: "reviews get lost, come late, come twice" },
  { name: "denials", help: "somebody refuses a write behind our review" },
  { name: "tightBounds", help: "every queue and cache is tiny" },
  { name: "shortTtl", help: "correlations expire while the watch is held back" },
];

/** What may happen is drawn from the seed, unless it is named. */
export function planOf(seed: number, requests: number, named: readonly string[] | null = null): Plan {
  const dice = diceOf(seed ^ 0x5eed);
  const maybe = (name: keyof Plan, probability: number): boolean => {
    const drawn = dice.chance(probability);
    return named === null ? drawn : named.includes(name);
  };
  return {
    requests,
    crashes: maybe("crashes", 0.4),
    powerLoss: maybe("powerLoss", 0.4),
    compactions: maybe("compactions", 0.4),
    restores: maybe("restores", 0.2),
    fullDisks: maybe("fullDisks", 0.4),
    clockJumps: maybe("clockJumps", 0.4),
    badNetwork: maybe("badNetwork", 0.4),
    badWebhook: maybe("badWebhook", 0.4),
    denials: maybe("denials", 0.4),
    tightBounds: maybe("tightBounds", 0.25),
    shortTtl: maybe("shortTtl", 0.2),
    leases: maybe("leases", 0.4),
  };
}
